"""Admit a received file as a video: examine it, keep it, write its rows, ring for a worker."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from errors import MediaError, RequestError
from records import MediaFacts
from store import jobs, videos
from store.files import AttemptFiles
from store.tables import RENDER, RETRACK, TRACK, Camera, new_id
from video.probe import Limits, probe_isolated
from web.names import clean_text, display_name
from web.present import result_files
from web.receive import ReceivedFile
from web.services import Services
from web.times import find_zone, parse_time

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class VideoForm:
    """What a user says about a video; see `web.schemas.VideoDetails`."""

    camera: str
    started_at: str | None = None
    time_zone: str | None = None
    preset: str | None = None
    detector: str | None = None
    embedder: str | None = None
    tracker: str | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> VideoForm:
        """Take the known ones out of ``fields``."""
        others = {name: fields.get(name) for name in cls.__dataclass_fields__ if name != "camera"}
        return cls(camera=fields.get("camera") or "", **others)

    def job_settings(self) -> dict[str, str]:
        """Return what was chosen for the job; the rest comes from the worker's settings."""
        chosen = {name: getattr(self, name) for name in ("preset", "detector", "embedder", "tracker")}
        return {name: value for name, value in chosen.items() if value}


def admit(bundle: Services, file: ReceivedFile, form: VideoForm) -> str:
    """Make a video and its first job of a received file; return the video's id.

    The file moves; after an error it is where it was.

    Raises
    ------
    MediaError
        for a file that is no video within the limits.
    RequestError
        for a form that is not valid.
    """
    name = display_name(file.name)
    camera = camera_name(form.camera)
    _check_times(form)
    if file.size_bytes == 0:
        raise MediaError("media.empty")
    if file.size_bytes > bundle.settings.max_upload_bytes:
        raise MediaError("media.too_large", limit_bytes=bundle.settings.max_upload_bytes)
    video_id = new_id()
    source = None
    try:
        facts = _examine(bundle, file, name, video_id)
        source = bundle.storage.take_source(video_id, file.path, name)
        with bundle.session() as session:
            row = videos.camera_named(session, camera)
            new = videos.NewVideo(
                video_id=video_id,
                name=name,
                camera=camera,
                facts=facts,
                sha256=file.sha256,
                started_at=start_of(form.started_at, form.time_zone, row),
            )
            videos.add(session, new, bundle.now())
            job = jobs.enqueue(
                session, video_id, form.job_settings(), bundle.now(), max_attempts=bundle.settings.max_attempts
            )
            session.commit()
            job_id = job.id
    except BaseException:
        if source is not None:
            source.replace(file.path)
        bundle.storage.remove_video(video_id)
        raise
    LOG.info("video=%s added bytes=%d job=%s", video_id, file.size_bytes, job_id)
    ring(bundle, job_id)
    return video_id


def camera_name(text: str | None) -> str:
    """Return a camera's name, cleaned.

    Raises
    ------
    RequestError
        when nothing is left of it.
    """
    name = clean_text(text)
    if not name:
        raise RequestError("request.missing", status=422, name="camera")
    return name


def start_of(started_at: str | None, time_zone: str | None, camera: Camera) -> datetime | None:
    """Return the wall-clock start in UTC; without an offset it is read in ``time_zone``, else in the camera's."""
    return parse_time(started_at, find_zone(time_zone or camera.time_zone))


def run_again(bundle: Services, session: Session, video_id: str, settings: Mapping[str, Any]) -> str:
    """Queue another job for a video; return its id.

    Parameters
    ----------
    settings : see `web.schemas.RunSettings`.

    Raises
    ------
    RequestError
        when there is no such video, when a job of it is waiting or running, or when there is nothing that a
        job of this kind could build on.
    """
    row = videos.get(session, video_id)
    chosen = {name: value for name, value in settings.items() if value}
    kind = chosen.pop("kind", TRACK)
    _check_base(kind, result_files(row, bundle.storage))
    limit = bundle.settings.max_attempts
    job = jobs.enqueue(session, video_id, chosen, bundle.now(), kind=kind, max_attempts=limit)
    session.commit()
    ring(bundle, job.id)
    return job.id


def _check_base(kind: str, published: AttemptFiles | None) -> None:
    if kind == TRACK:
        return
    if published is None:
        raise RequestError("request.no_result", status=409)
    if kind == RETRACK and not published.detections.is_file():
        raise RequestError("request.no_detections", status=409)
    if kind == RENDER and published.annotated.is_file():
        raise RequestError("request.annotated_there", status=409)


def ring(bundle: Services, job_id: str) -> None:
    """Tell a worker about a committed job; a worker looks for itself where that fails."""
    if not bundle.ring(job_id):
        return
    with bundle.session() as session:
        jobs.note_rung(session, [job_id], bundle.now())
        session.commit()


def _check_times(form: VideoForm) -> None:
    parse_time(form.started_at, find_zone(form.time_zone))


def _examine(bundle: Services, file: ReceivedFile, name: str, video_id: str) -> MediaFacts:
    settings = bundle.settings
    poster = bundle.storage.poster_path(video_id)
    poster.parent.mkdir(parents=True)
    limits = Limits(max_pixels=settings.max_pixels, max_duration_s=settings.max_duration_s)
    return probe_isolated(file.path, limits, name=name, timeout_s=settings.probe_timeout_s, poster=poster)

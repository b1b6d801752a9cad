"""How a finished attempt becomes what the video shows, in one transaction.

A job of kind `TRACK` or `RETRACK` becomes the result of its video: its folder,
its tracks. One of kind `RENDER` adds a file to the result that is there. What
an attempt builds on cannot change under it, since a video has one live job at
a time; should it have changed nevertheless, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from errors import JobCancelled, LeaseLost
from records import ModelInfo, TrackSummary
from store import tracks
from store.jobs import Claim, is_held
from store.tables import DONE, Job, Video

_PLAIN = {"synchronize_session": False}


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a finished attempt publishes.

    Attributes
    ----------
    playback_frame_rate : frames a second of the normalised copy.
    stage_seconds : seconds each stage took.
    preset : what was used; empty for tracking again, which keeps the preset of what it builds on.
    tracker : the tracker's mode.
    detected_boxes, embedded_boxes : as of `store.tables.Job`; None for tracking again, which keeps those too.
    """

    tracks: Sequence[TrackSummary]
    detector: ModelInfo
    embedder: ModelInfo
    frame_count: int
    playback_frame_rate: float
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    preset: str = ""
    tracker: str = ""
    detected_boxes: int | None = None
    embedded_boxes: int | None = None


def publish(
    session: Session,
    held: Claim,
    result: JobResult,
    now: datetime,
    *,
    heirs: Mapping[int, Sequence[int]] | None = None,
) -> None:
    """Make a finished attempt the result of its video, tracks included.

    After the commit the caller removes the folders of the video's other attempts.

    Parameters
    ----------
    heirs : as `store.tracks.replace` takes them.

    Raises
    ------
    JobCancelled, LeaseLost
        as `store.jobs.renew` does, and when the attempt builds on a result that was replaced;
        the caller must roll back.
    """
    _lock_video(session, held, result_job_id=held.job_id)
    values = {
        "detector": _model_json(result.detector),
        "embedder": _model_json(result.embedder),
        "stage_seconds": dict(result.stage_seconds),
        "playback_frame_rate": result.playback_frame_rate,
        "frame_count": result.frame_count,
        "track_count": len(result.tracks),
        **_facts(session, held, result),
    }
    _finish(session, held, values, now)
    tracks.replace(session, held.video_id, held.job_id, result.tracks, now, embedder=result.embedder.name, heirs=heirs)


def publish_annotated(
    session: Session,
    held: Claim,
    now: datetime,
    *,
    give: Callable[[], None],
    stage_seconds: Mapping[str, float] | None = None,
) -> None:
    """Add the annotated video to the published result that the attempt drew.

    Parameters
    ----------
    give : moves the file into the folder of ``held.base``; called when nothing else can go wrong but the
        commit. If that fails the file stays, which is right: it shows the tracks that are published.

    Raises
    ------
    JobCancelled, LeaseLost
        as `publish` does.
    """
    if held.base is None:
        raise LeaseLost(held.job_id)
    _lock_video(session, held, result_job_id=held.base.job_id)
    _finish(session, held, {"stage_seconds": dict(stage_seconds or {})}, now)
    give()


def is_published(session: Session, held: Claim) -> bool:
    """Return whether this very attempt is the result of its video."""
    is_its_own = (Job.id == held.job_id, Job.state == DONE, Job.claim_count == held.number)
    published = select(Job.id).join(Video, Video.result_job_id == Job.id).where(*is_its_own)
    return session.scalar(published) is not None


def _lock_video(session: Session, held: Claim, *, result_job_id: str) -> None:
    """Name the video's result, while what the attempt builds on is still the one.

    The video's row is locked first, as by its deletion: no deadlock, and two publishers take turns.
    """
    change = update(Video).where(Video.id == held.video_id)
    if held.base is not None:
        change = change.where(Video.result_job_id == held.base.job_id)
    locked = change.values(result_job_id=result_job_id).returning(Video.id)
    if session.scalar(locked, execution_options=_PLAIN) is None:
        raise LeaseLost(held.job_id)


def _finish(session: Session, held: Claim, values: Mapping[str, Any], now: datetime) -> None:
    done = {
        "state": DONE,
        "progress": 1.0,
        "eta_s": None,
        "finished_at": now,
        "lease_until": None,
        "error_code": None,
        "error_params": {},
        **values,
    }
    change = update(Job).where(is_held(held)).values(done).returning(Job.cancel_requested)
    cancel_requested = session.scalar(change, execution_options=_PLAIN)
    if cancel_requested is None:
        raise LeaseLost(held.job_id)
    if cancel_requested:
        raise JobCancelled(held.job_id)


def _facts(session: Session, held: Claim, result: JobResult) -> dict[str, Any]:
    base = None if held.base is None else session.get(Job, held.base.job_id)
    facts: dict[str, Any] = {"tracker": result.tracker or None}
    for name in ("preset", "detected_boxes", "embedded_boxes"):
        given = getattr(result, name)
        is_missing = given is None or given == ""
        facts[name] = given if not is_missing else getattr(base, name, None)
    return facts


def _model_json(info: ModelInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "source": info.source,
        "device": info.device,
        "notices": [{"code": notice.code, "params": dict(notice.params)} for notice in info.notices],
    }

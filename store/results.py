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
from records import FloatArray, ModelInfo, TrackSummary
from store import embedding, models, tracks, vectors
from store.files import attempt_name
from store.jobs import Claim, Held, is_held
from store.tables import DONE, Job, Video

_PLAIN = {"synchronize_session": False}


@dataclass(frozen=True, kw_only=True)
class Describer:
    """The model that made vectors.

    Attributes
    ----------
    name : with its weights, as `store.search_tables.EmbeddingModel.name`.
    choice : what a job asks for to get it.
    is_default : whether nothing was asked for.
    """

    name: str
    choice: str
    is_default: bool = False


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
    described_by : the model of the tracks' vectors; None for tracking again, which keeps that as well.
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
    described_by: Describer | None = None


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
    describer = result.described_by or _describer_of_base(session, held, result.embedder)
    values = {
        "detector": _model_json(result.detector),
        "embedder": {**_model_json(result.embedder), "model": describer.name, "choice": describer.choice},
        "stage_seconds": dict(result.stage_seconds),
        "playback_frame_rate": result.playback_frame_rate,
        "frame_count": result.frame_count,
        "track_count": len(result.tracks),
        **_facts(session, held, result),
    }
    _finish(session, held, values, now)
    tracks.replace(session, held.video_id, held.job_id, result.tracks, now, embedder=describer.name, heirs=heirs)
    vectors.note_changed(session, held.video_id, attempt_name(held.job_id, held.number))
    dimension = next((len(track.embedding) for track in result.tracks if track.embedding is not None), None)
    if dimension is not None:
        _note_model(session, held.video_id, describer, dimension, now)
    if models.active(session).name not in ("", describer.name):
        embedding.describe_rest(session, [held.video_id], now)


def publish_vectors(
    session: Session,
    held: Claim,
    described: Mapping[int, FloatArray],
    describer: Describer,
    now: datetime,
    *,
    stage_seconds: Mapping[str, float] | None = None,
) -> None:
    """Add what a further model made of the published tracks.

    Parameters
    ----------
    described : (D,) float32 vectors by the number of the track.

    Raises
    ------
    JobCancelled, LeaseLost
        as `publish` does.
    """
    if held.base is None:
        raise LeaseLost(held.job_id)
    _lock_video(session, held, result_job_id=held.base.job_id)
    _finish(session, held, {"stage_seconds": dict(stage_seconds or {}), "track_count": len(described)}, now)
    attempt = attempt_name(held.job_id, held.number)
    vectors.put_further(session, held.video_id, describer.name, described, attempt=attempt)
    if described:
        _note_model(session, held.video_id, describer, len(next(iter(described.values()))), now)


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


def publish_outcome(session: Session, held: Held, outcome: Mapping[str, Any], now: datetime) -> None:
    """End a job that is not about one video, with what it has to tell.

    Raises
    ------
    JobCancelled, LeaseLost
        as `store.jobs.renew` does.
    """
    _finish(session, held, {"outcome": dict(outcome)}, now)


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


def _finish(session: Session, held: Held, values: Mapping[str, Any], now: datetime) -> None:
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


def _note_model(session: Session, video_id: str, describer: Describer, dimension: int, now: datetime) -> None:
    """Note the model; where that changes what searching uses, let it describe all other tracks too."""
    is_new = models.note(
        session,
        describer.name,
        choice=describer.choice,
        dimension=dimension,
        now=now,
        is_default=describer.is_default,
    )
    if is_new:
        others = [other for other in models.videos_without(session, describer.name) if other != video_id]
        embedding.describe_rest(session, others, now)


def _describer_of_base(session: Session, held: Claim, info: ModelInfo) -> Describer:
    base = None if held.base is None else session.get(Job, held.base.job_id)
    known = (base.embedder if base is not None else None) or {}
    return Describer(name=known.get("model", info.name), choice=known.get("choice", "auto"))


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

"""One attempt at a job: claim its row, run the pipeline, publish, or say why not.

Whatever happens, the row says so and the attempt's files are gone unless they
were published; what a killed process could not do, leases and the removal of
orphans do later.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from errors import JobCancelled, LeaseLost, ResightError, WorkerStopping
from points import PointTable
from records import Progress
from search.proposals import propose
from store import jobs, models, results, tracks, videos
from store.files import AttemptFiles, Storage
from store.orphans import remove_stale_reels
from store.tables import EMBED, RENDER, RETRACK
from worker import embed, kinds
from worker.free_jobs import do_job
from worker.heirs import heirs

_log = logging.getLogger(__name__)

_DATABASE_PAUSES_S = (0.5, 1.0, 2.0, 4.0)

Ending = Callable[[Session], None]
Publish = Callable[[kinds.OnProgress], None]
T = TypeVar("T")


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What an attempt works with.

    Attributes
    ----------
    worker : the name under which rows are claimed.
    is_stopping : asked at every frame; True ends the attempt and gives the job back.
    build_models : makes detector and embedder from the settings, the job's own merged in, and a number of threads.
    build_embedder : makes the embedder alone, likewise.
    renew_every_s : seconds between two notes of progress, which are when a cancel is seen.
    """

    settings: Settings
    sessions: sessionmaker[Session]
    storage: Storage
    worker: str
    is_stopping: Callable[[], bool]
    build_models: kinds.BuildModels
    build_embedder: embed.BuildEmbedder = embed.embedder_of_job
    renew_every_s: float = 1.0
    now: Callable[[], datetime] = utc_now


def run_attempt(job_id: str, place: Workplace) -> None:
    """Work on a job, if it waits; never raises what a job may bring about."""
    if place.is_stopping():
        return
    held = _in_transaction(
        place, lambda session: jobs.claim(session, job_id, place.worker, place.now(), place.settings.lease_s)
    )
    if held is None:
        _log.info("nothing to claim job=%s", job_id)
        return
    _log.info("begin job=%s kind=%s attempt=%d claim=%d", job_id, held.kind, held.attempt, held.number)
    if isinstance(held, jobs.FreeClaim):
        _do(held, partial(_publish_free, held, place), place)
        with place.sessions() as session:
            remove_stale_reels(session, place.storage)
        return
    files = place.storage.attempt(held.video_id, held.job_id, held.number)
    _do(held, partial(_publish, held, files, place), place)
    # A commit whose answer got lost looks like a failure here, so the row is asked what became of it.
    if _in_transaction(place, lambda session: results.is_published(session, held)):
        place.storage.remove_other_attempts(files)
        _propose_identities(place)
    else:
        files.remove()


def _propose_identities(place: Workplace) -> None:
    """Propose identities for the tracks that have none yet; those it fails for get them after the next job."""
    try:
        propose(place.sessions, place.now())
    except SQLAlchemyError:
        _log.warning("no identities proposed, trying again after the next job", exc_info=True)


class _Heartbeat:
    """Called at every frame: renews the lease from time to time, and raises when the attempt must end."""

    def __init__(self, held: jobs.Held, place: Workplace) -> None:
        self._held = held
        self._place = place
        self._began_s = self._renewed_s = time.monotonic()
        self._stage = ""

    def __call__(self, progress: Progress) -> None:
        settings, now_s = self._place.settings, time.monotonic()
        if self._place.is_stopping():
            raise WorkerStopping(self._held.job_id)
        if now_s - self._began_s > settings.job_time_limit_s:
            raise ResightError("job.time_limit", limit_s=settings.job_time_limit_s)
        if progress.stage == self._stage and now_s - self._renewed_s < self._place.renew_every_s:
            return
        try:
            with self._place.sessions.begin() as session:
                jobs.renew(session, self._held, progress, self._place.now(), settings.lease_s)
        except OperationalError:
            if now_s - self._renewed_s > settings.lease_s:
                raise LeaseLost(self._held.job_id) from None
            _log.warning("lease not renewed, trying again job=%s", self._held.job_id, exc_info=True)
        else:
            self._stage, self._renewed_s = progress.stage, now_s


def _do(held: jobs.Held, publish: Publish, place: Workplace) -> None:
    """Work and publish, or end the row as it must end otherwise."""
    ending = _work(held, publish, place)
    try:
        if ending is not None:
            _in_transaction(place, ending)
    except LeaseLost:
        _log.info("lease lost job=%s claim=%d", held.job_id, held.number)


def _work(held: jobs.Held, publish: Publish, place: Workplace) -> Ending | None:
    """Work and publish; return how the row must end otherwise, None where it needs nothing more."""
    heartbeat = _Heartbeat(held, place)
    try:
        heartbeat(Progress("load", 0.0, 0, None, None, None))
        publish(heartbeat)
    except LeaseLost:
        _log.info("lease lost job=%s claim=%d", held.job_id, held.number)
    except JobCancelled:
        _log.info("cancelled job=%s", held.job_id)
        return lambda session: jobs.end_cancelled(session, held, place.now())
    except WorkerStopping:
        _log.info("released job=%s", held.job_id)
        return lambda session: jobs.release(session, held, place.now())
    except Exception as error:  # noqa: BLE001  # the task's edge: whatever it is, the row must say so
        code, params = _explain(error, held)
        _log.log(
            logging.WARNING if isinstance(error, ResightError) else logging.ERROR,
            "failed job=%s code=%s",
            held.job_id,
            code,
            exc_info=not isinstance(error, ResightError),
        )
        return lambda session: jobs.fail(session, held, code, params, place.now())
    else:
        _log.info("done job=%s kind=%s", held.job_id, held.kind)
    return None


def _publish_free(held: jobs.FreeClaim, place: Workplace, heartbeat: kinds.OnProgress) -> None:
    """Do what a job without a video asks for, and make it public."""
    outcome = do_job(held, place.sessions, place.storage, heartbeat)
    _in_transaction(place, lambda session: results.publish_outcome(session, held, outcome, place.now()))


def _publish(held: jobs.Claim, files: AttemptFiles, place: Workplace, heartbeat: kinds.OnProgress) -> None:
    """Do what the job's kind asks for, and make it public."""
    files.create()
    storage, settings = place.storage, place.settings
    if held.kind == RENDER:
        published = kinds.base_files(held, storage)
        with place.sessions() as session:
            seen = tracks.of_video(session, held.video_id)
        seconds = kinds.render_job(held, files, storage, seen, settings, heartbeat)
        give = partial(files.give_annotated, published)
        _in_transaction(
            place,
            lambda session: results.publish_annotated(session, held, place.now(), give=give, stage_seconds=seconds),
        )
        return
    if held.kind == EMBED:
        _publish_vectors(held, place, heartbeat)
        return
    if held.kind == RETRACK:
        result = kinds.retrack_job(held, files, storage, settings, heartbeat)
    else:
        result = kinds.track_job(_by_chosen_model(held, place), files, storage, settings, place.build_models, heartbeat)
    found = _heirs(held, files, place)
    _in_transaction(place, lambda session: results.publish(session, held, result, place.now(), heirs=found))
    _log.info("published job=%s tracks=%d frames=%d", held.job_id, len(result.tracks), result.frame_count)


def _publish_vectors(held: jobs.Claim, place: Workplace, heartbeat: kinds.OnProgress) -> None:
    with place.sessions() as session:
        numbers = [track.number for track in tracks.of_video(session, held.video_id)]
    begun_s = time.monotonic()
    described, describer = embed.embed_job(
        held, numbers, place.storage, place.settings, place.build_embedder, heartbeat
    )
    seconds = {"embed": time.monotonic() - begun_s}
    _in_transaction(
        place,
        lambda session: results.publish_vectors(
            session, held, described, describer, place.now(), stage_seconds=seconds
        ),
    )
    _log.info("described job=%s tracks=%d model=%s", held.job_id, len(described), describer.name)


def _by_chosen_model(held: jobs.Claim, place: Workplace) -> jobs.Claim:
    """Return the claim with the model that somebody chose for searching, unless the job names one itself."""
    with place.sessions() as session:
        active = models.active(session)
    if held.settings.get("embedder") or not active.is_chosen:
        return held
    return replace(held, settings={**held.settings, "embedder": active.choice})


def _heirs(held: jobs.Claim, files: AttemptFiles, place: Workplace) -> Mapping[int, Sequence[int]]:
    """Return the tracks of this attempt that show what those of the published one show; see `worker.heirs`."""
    with place.sessions() as session:
        video = videos.get(session, held.video_id)
    done = video.result_job
    if done is None:
        return {}
    earlier = place.storage.attempt(held.video_id, done.id, done.claim_count).points
    if not earlier.is_file():
        _log.warning("no points of the earlier result, its tracks have no heirs video=%s", held.video_id)
        return {}
    return heirs(PointTable.load(earlier), PointTable.load(files.points))


def _explain(error: Exception, held: jobs.Held) -> tuple[str, dict[str, Any]]:
    """Return the message code and parameters that tell the user of ``error``."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return "job.storage_full", {}
        if isinstance(cause, MemoryError):
            return "job.out_of_memory", {}
    if isinstance(error, ResightError):
        return error.code, {
            name: str(value) if isinstance(value, Path) else value for name, value in error.params.items()
        }
    return "job.internal", {"kind": type(error).__name__, "job_id": held.job_id}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what brought it about."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _in_transaction(place: Workplace, work: Callable[[Session], T]) -> T:
    """Do ``work`` and commit; try again for some seconds while the database does not answer."""
    for pause_s in _DATABASE_PAUSES_S:
        try:
            with place.sessions.begin() as session:
                return work(session)
        except OperationalError:  # noqa: PERF203  # this loop is for trying again
            _log.warning("the database does not answer, trying again in %.1f s", pause_s, exc_info=True)
            time.sleep(pause_s)
    with place.sessions.begin() as session:
        return work(session)

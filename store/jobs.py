"""Every change of a job's state, each one guarded UPDATE; success is in `store.results`.

::

    queued -> running -> done | failed | cancelled
    running -> queued                 the worker stopped, or its lease ran out
    queued -> cancelled
    failed | cancelled -> queued      retry

The database is the truth and the queue only a bell: a message may be lost or
come twice, since only `claim` decides who works. Each claim has a number of
its own, so that an attempt that was given up cannot write any more.

One file, although a long one: the guards make sense only beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, joinedload
from sqlalchemy.sql.elements import ColumnElement

from errors import JobCancelled, LeaseLost, RequestError
from records import Progress
from store.tables import CANCELLED, FAILED, LIVE_STATES, QUEUED, RUNNING, TRACK, Job, UtcDateTime, Video

_PLAIN = {"synchronize_session": False}
_NO_PROGRESS: dict[str, Any] = {"stage": None, "progress": 0.0, "fps": None, "eta_s": None}
_NO_WORKER: dict[str, Any] = {"worker": None, "lease_until": None}


@dataclass(frozen=True, kw_only=True)
class Base:
    """The attempt that a job builds on: the published one; `number` is its `claim_count`."""

    job_id: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Held:
    """The right of one attempt to work on a job.

    Attributes
    ----------
    number : the job's `claim_count`.
    kind : as of `store.tables.Job`.
    """

    job_id: str
    number: int
    attempt: int
    settings: Mapping[str, Any]
    kind: str = TRACK


@dataclass(frozen=True, kw_only=True)
class Claim(Held):
    """The right to work on a video.

    Attributes
    ----------
    kind : one of `store.tables.KINDS`.
    base : what a job of kind `RETRACK` or `RENDER` builds on; None where no result is there (any more).
    """

    video_id: str
    video_name: str
    base: Base | None = None


@dataclass(frozen=True, kw_only=True)
class FreeClaim(Held):
    """The right to work on a job that is not about one video.

    Attributes
    ----------
    identity_id : whom it is about, where it is about one.
    """

    identity_id: int | None = None


def enqueue(
    session: Session,
    video_id: str | None,
    settings: Mapping[str, Any],
    now: datetime,
    *,
    kind: str = TRACK,
    max_attempts: int = 3,
    identity_id: int | None = None,
) -> Job:
    """Insert a waiting job; the caller commits and rings at once, or the job waits until it counts as forgotten.

    Raises
    ------
    RequestError
        ``request.busy`` while another job waits or runs for the video, or for the identity.
    """
    job = Job(
        video_id=video_id,
        identity_id=identity_id,
        kind=kind,
        settings=dict(settings),
        max_attempts=max_attempts,
        created_at=now,
        rung_at=now,
    )
    _refuse_second(session, job)
    session.add(job)
    try:
        session.flush()
    except IntegrityError as error:
        raise RequestError("request.busy", status=409) from error
    return job


def get(session: Session, job_id: str) -> Job:
    """Return a job with its video or identity, where it is about one.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none.
    """
    query = select(Job).where(Job.id == job_id).options(joinedload(Job.video), joinedload(Job.identity))
    job = session.scalar(query, execution_options={"populate_existing": True})
    if job is None:
        raise RequestError("request.not_found", status=404)
    return job


def page(session: Session, *, limit: int, offset: int = 0, state: str | None = None) -> tuple[Sequence[Job], int]:
    """Return some jobs with their videos, the newest first, and how many there are in all."""
    wanted = [] if state is None else [Job.state == state]
    query = select(Job).where(*wanted).order_by(Job.created_at.desc(), Job.id).limit(limit).offset(offset)
    total = session.scalar(select(func.count()).select_from(Job).where(*wanted)) or 0
    return session.scalars(query.options(joinedload(Job.video), joinedload(Job.identity))).all(), total


def claim(session: Session, job_id: str, worker: str, now: datetime, lease_s: float) -> Claim | FreeClaim | None:
    """Take a waiting job; None when it is not (or no longer) there to be taken."""
    taken = session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.state == QUEUED, Job.cancel_requested.is_(False))
        .values(
            state=RUNNING,
            claim_count=Job.claim_count + 1,
            attempt=Job.attempt + 1,
            worker=worker[:200],
            lease_until=now + timedelta(seconds=lease_s),
            started_at=now,
            finished_at=None,
            **_NO_PROGRESS,
        )
        .returning(Job.id),
        execution_options=_PLAIN,
    )
    if taken is None:
        return None
    job = get(session, job_id)
    number, attempt, settings, kind = job.claim_count, job.attempt, job.settings, job.kind
    shared = Held(job_id=job.id, number=number, attempt=attempt, settings=settings, kind=kind)
    if job.video is None:
        return FreeClaim(**vars(shared), identity_id=job.identity_id)
    return Claim(
        **vars(shared), video_id=job.video.id, video_name=job.video.name, base=_base_of(session, job, job.video)
    )


def renew(session: Session, held: Held, progress: Progress, now: datetime, lease_s: float) -> None:
    """Note the progress of a running attempt and extend its lease.

    Raises
    ------
    JobCancelled
        when a user asked for the end; the caller then calls `end_cancelled`.
    LeaseLost
        when the row is another attempt's by now, or gone.
    """
    cancel_requested = session.scalar(
        update(Job)
        .where(is_held(held))
        .values(
            lease_until=now + timedelta(seconds=lease_s),
            stage=progress.stage,
            progress=progress.fraction,
            fps=progress.frames_per_s,
            eta_s=progress.eta_s,
        )
        .returning(Job.cancel_requested),
        execution_options=_PLAIN,
    )
    if cancel_requested is None:
        raise LeaseLost(held.job_id)
    if cancel_requested:
        raise JobCancelled(held.job_id)


def fail(session: Session, held: Held, code: str, params: Mapping[str, Any], now: datetime) -> None:
    """End a running attempt with an error for the user.

    Raises
    ------
    LeaseLost
        as `renew` does.
    """
    values = {"state": FAILED, "error_code": code, "error_params": dict(params), "finished_at": now, "eta_s": None}
    _end(session, held, values)


def end_cancelled(session: Session, held: Held, now: datetime) -> None:
    """End a running attempt that saw its cancellation.

    Raises
    ------
    LeaseLost
        as `renew` does.
    """
    _end(session, held, {"state": CANCELLED, "finished_at": now, "eta_s": None})


def release(session: Session, held: Held, now: datetime) -> None:
    """Give a job back unharmed, since its worker stops; the attempt does not count.

    Raises
    ------
    LeaseLost
        as `renew` does.
    """
    values = {
        "state": case((Job.cancel_requested, CANCELLED), else_=QUEUED),
        "finished_at": case((Job.cancel_requested, _moment(now)), else_=None),
        "attempt": Job.attempt - 1,
        "rung_at": None,
        **_NO_PROGRESS,
    }
    _end(session, held, values)


def cancel(session: Session, job_id: str, now: datetime) -> Job:
    """Cancel a waiting job at once, or ask the running attempt to end.

    Raises
    ------
    RequestError
        ``request.conflict`` when it has ended, ``request.not_found`` when there is none.
    """
    waiting = Job.state == QUEUED
    return _change(
        session,
        job_id,
        Job.state.in_(LIVE_STATES),
        {
            "cancel_requested": True,
            "state": case((waiting, CANCELLED), else_=Job.state),
            "finished_at": case((waiting, _moment(now)), else_=Job.finished_at),
        },
    )


def retry(session: Session, job_id: str) -> Job:
    """Let a failed or cancelled job wait again, with all its attempts; the caller rings after its commit.

    Raises
    ------
    RequestError
        ``request.conflict`` in any other state, ``request.busy`` while another job waits or runs for the video,
        ``request.not_found`` when there is none.
    """
    job = get(session, job_id)
    if job.can_retry:
        _refuse_second(session, job)
    again = {
        "state": QUEUED,
        "cancel_requested": False,
        "attempt": 0,
        "error_code": None,
        "error_params": {},
        "started_at": None,
        "finished_at": None,
        "rung_at": None,
        **_NO_WORKER,
        **_NO_PROGRESS,
    }
    try:
        return _change(session, job_id, Job.state.in_((FAILED, CANCELLED)), again)
    except IntegrityError as error:
        raise RequestError("request.busy", status=409) from error


def sweep(session: Session, now: datetime) -> Sequence[str]:
    """End the attempts whose lease ran out, and return the ids of their jobs.

    A job waits again, or fails with ``job.attempts_exhausted`` after its last attempt, or is cancelled where
    its user had asked for that.
    """
    exhausted = Job.attempt >= Job.max_attempts
    state = case((Job.cancel_requested, CANCELLED), (exhausted, FAILED), else_=QUEUED)
    expired = and_(Job.state == RUNNING, Job.lease_until < now)
    found = session.execute(select(Job.id, Job.max_attempts).where(expired)).all()
    swept = []
    for job_id, max_attempts in found:
        failed = and_(exhausted, Job.cancel_requested.is_(False))
        values = {
            "state": state,
            "finished_at": case((or_(exhausted, Job.cancel_requested), _moment(now)), else_=None),
            "error_code": case((failed, "job.attempts_exhausted"), else_=None),
            "error_params": {"attempts": max_attempts},
            "rung_at": None,
            **_NO_WORKER,
            **_NO_PROGRESS,
        }
        change = update(Job).where(Job.id == job_id, expired).values(values).returning(Job.id)
        if session.scalar(change, execution_options=_PLAIN) is not None:
            swept.append(job_id)
    return swept


def abandon(session: Session, job_id: str, worker: str, now: datetime) -> None:
    """Let the lease of a job run out now, since the process that worked on it for ``worker`` has died."""
    session.execute(
        update(Job).where(Job.id == job_id, Job.state == RUNNING, Job.worker == worker).values(lease_until=now),
        execution_options=_PLAIN,
    )


def forgotten(session: Session, worker: str, now: datetime, *, patience_s: float, limit: int = 8) -> Sequence[str]:
    """Return waiting jobs that an idle ``worker`` should ring for again, the oldest first.

    A busy worker gets none, so that messages do not pile up behind a long job.

    Parameters
    ----------
    patience_s : how long a message may be under way before it counts as lost.
    """
    other = aliased(Job)
    is_busy = exists().where(other.state == RUNNING, other.worker == worker)
    overdue = or_(Job.rung_at.is_(None), Job.rung_at < now - timedelta(seconds=patience_s))
    query = select(Job.id).where(Job.state == QUEUED, overdue, ~is_busy).order_by(Job.created_at, Job.id).limit(limit)
    return session.scalars(query).all()


def note_rung(session: Session, job_ids: Sequence[str], now: datetime) -> None:
    """Note that messages were sent for waiting jobs."""
    session.execute(
        update(Job).where(Job.id.in_(job_ids), Job.state == QUEUED).values(rung_at=now), execution_options=_PLAIN
    )


def _moment(moment: datetime) -> ColumnElement[datetime]:
    return literal(moment, UtcDateTime())


def is_held(held: Held) -> ColumnElement[bool]:
    """Return the guard of every change that an attempt makes: the job is still its own."""
    return and_(Job.id == held.job_id, Job.state == RUNNING, Job.claim_count == held.number)


def _end(session: Session, held: Held, values: Mapping[str, Any]) -> None:
    change = update(Job).where(is_held(held)).values({**_NO_WORKER, **values}).returning(Job.id)
    if session.scalar(change, execution_options=_PLAIN) is None:
        raise LeaseLost(held.job_id)


def _change(session: Session, job_id: str, guard: ColumnElement[bool], values: Mapping[str, Any]) -> Job:
    change = update(Job).where(Job.id == job_id, guard).values(dict(values)).returning(Job.id)
    changed = session.scalar(change, execution_options=_PLAIN)
    job = get(session, job_id)
    if changed is None:
        raise RequestError("request.conflict", status=409, state=job.state)
    return job


def _refuse_second(session: Session, job: Job) -> None:
    named = ((Job.video_id, job.video_id), (Job.identity_id, job.identity_id))
    about = [column == value for column, value in named if value is not None]
    if not about:
        return
    live = select(Job.id).where(or_(*about), Job.state.in_(LIVE_STATES))
    if session.scalar(live) is not None:
        raise RequestError("request.busy", status=409)


def _base_of(session: Session, job: Job, video: Video) -> Base | None:
    published = session.get(Job, video.result_job_id) if video.result_job_id else None
    if job.kind == TRACK or published is None:
        return None
    return Base(job_id=published.id, number=published.claim_count)

"""The thread in a worker's parent that looks for abandoned and forgotten rows."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import takewhile
from typing import Protocol

from sqlalchemy import NullPool
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from store import jobs, queries, workers
from store.database import make_engine, session_factory
from store.files import Storage
from store.orphans import MIN_AGE_S, remove_orphans

_log = logging.getLogger(__name__)

RING_AGAIN_S = 15.0
"""How long a message may be under way to an idle worker before it counts as lost."""

DEAF_AFTER = 6
"""How many messages in a row for one job this idle worker may miss before it is taken for deaf."""

Ring = Callable[[str], bool]
"""Sends a message for a job; returns whether that worked."""

_fork_guard = threading.Lock()
"""Held while the database is used here, so that no child is forked with a half-done use of it in its memory."""
os.register_at_fork(before=_fork_guard.acquire, after_in_parent=_fork_guard.release, after_in_child=_fork_guard.release)


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(timezone.utc)


class Rows(Protocol):
    """The rows of a queue, as `store.jobs` and `store.queries` keep them."""

    def sweep(self, session: Session, now: datetime) -> Sequence[str]:
        """End the attempts whose lease ran out."""

    def abandon(self, session: Session, row_id: str, worker: str, now: datetime, /) -> None:
        """Let a lease run out now."""

    def forgotten(self, session: Session, worker: str, now: datetime, *, patience_s: float) -> Sequence[str]:
        """Return the rows to ring for again."""

    def note_rung(self, session: Session, row_ids: Sequence[str], now: datetime, /) -> None:
        """Note that messages were sent."""


@dataclass(frozen=True)
class Duty:
    """What the workers of one queue look after.

    Attributes
    ----------
    begin : called once.
    tidy : called each time, for what has lasted long enough.
    """

    queue: str
    rows: Rows
    begin: Callable[[Session, Storage], None]
    tidy: Callable[[Session, Storage, Settings, datetime], None]


def _tidy_nothing(_session: Session, _storage: Storage, _settings: Settings, _now: datetime) -> None:
    pass


def _remove_lost_pictures(session: Session, storage: Storage) -> None:
    storage.remove_unknown_queries(queries.known_ids(session), min_age_s=MIN_AGE_S)


def _expire_queries(session: Session, storage: Storage, settings: Settings, now: datetime) -> None:
    for query_id in queries.remove_expired(session, now, kept_s=settings.query_expiry_s):
        storage.query(query_id).remove()


JOBS = Duty("jobs", jobs, remove_orphans, _tidy_nothing)
QUERIES = Duty("queries", queries, _remove_lost_pictures, _expire_queries)


class Watch(threading.Thread):
    """Looks every `Settings.sweep_s` seconds; also says that the worker is alive, and removes orphans at first.

    Parameters
    ----------
    worker : the name under which the worker's child claims rows.
    clean : called each time, for what the queue leaves lying about.
    give_up : called when messages are sent but none arrives: it ends this worker, so that a new one starts.
    duty : which rows it looks after.
    now : the clock.
    """

    def __init__(
        self,
        settings: Settings,
        worker: str,
        ring: Ring,
        *,
        clean: Callable[[], None],
        give_up: Callable[[], None],
        duty: Duty = JOBS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._settings = settings
        self._worker = worker
        self._ring = ring
        self._clean = clean
        self._give_up = give_up
        self._duty = duty
        self._now = now
        self._looked_at = now()
        self._unheard_job = ""
        self._unheard_rings = 0
        self._dead: list[str] = []
        self._woken = threading.Event()
        self._is_over = False

    def run(self) -> None:
        """Look until `end` is called."""
        # No connection outlives its use: none is open, in a child either, when a child is forked.
        engine = make_engine(self._settings.resolved_database_url(), poolclass=NullPool)
        sessions = session_factory(engine)
        self._survive(self._remove_orphans, sessions)
        while not self._is_over:
            self._survive(self._look, sessions)
            self._woken.wait(self._settings.sweep_s)
            self._woken.clear()
        self._survive(self._leave, sessions)

    def end(self) -> None:
        """Let the thread come to its end; may be called by a signal handler."""
        self._is_over = True
        self._woken.set()

    def report_death(self, job_id: str) -> None:
        """Say that the child that worked on a job has died."""
        self._dead.append(job_id)
        self._woken.set()

    def _look(self, sessions: sessionmaker[Session]) -> None:
        self._clean()
        with _fork_guard, sessions.begin() as session:
            workers.note_seen(session, self._worker, self._now(), queue=self._duty.queue)
            self._duty.tidy(session, Storage(self._settings.data_dir), self._settings, self._now())
            while self._dead:
                self._duty.rows.abandon(session, self._dead.pop(), self._worker, self._now())
        with _fork_guard, sessions.begin() as session:
            if not self._has_slept():
                for row_id in self._duty.rows.sweep(session, self._now()):
                    _log.warning("abandoned queue=%s id=%s", self._duty.queue, row_id)
            waiting = self._duty.rows.forgotten(session, self._worker, self._now(), patience_s=RING_AGAIN_S)
        rung = list(takewhile(self._ring, waiting))
        if rung:
            with _fork_guard, sessions.begin() as session:
                self._duty.rows.note_rung(session, rung, self._now())
            self._listen(rung[0])

    def _has_slept(self) -> bool:
        """Return whether the machine was suspended since the last look: then its attempts must renew first."""
        before, self._looked_at = self._looked_at, self._now()
        return (self._looked_at - before).total_seconds() > self._settings.sweep_s + self._settings.lease_s / 2

    def _listen(self, job_id: str) -> None:
        """Give up when the oldest waiting job has been rung for in vain too often."""
        self._unheard_rings = self._unheard_rings + 1 if job_id == self._unheard_job else 1
        self._unheard_job = job_id
        if self._unheard_rings >= DEAF_AFTER:
            _log.error("no message arrives here, ending this worker job=%s rings=%d", job_id, self._unheard_rings)
            self._unheard_rings = 0
            self._give_up()

    def _remove_orphans(self, sessions: sessionmaker[Session]) -> None:
        with _fork_guard, sessions.begin() as session:
            workers.forget_old(session, self._now())
        with _fork_guard, sessions() as session:
            self._duty.begin(session, Storage(self._settings.data_dir))

    def _leave(self, sessions: sessionmaker[Session]) -> None:
        with _fork_guard, sessions.begin() as session:
            workers.note_gone(session, self._worker)

    def _survive(self, step: Callable[[sessionmaker[Session]], None], sessions: sessionmaker[Session]) -> None:
        try:
            step(sessions)
        except (SQLAlchemyError, OSError):
            _log.warning("looking after the jobs failed, trying again", exc_info=True)

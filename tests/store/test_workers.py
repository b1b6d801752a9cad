"""Rows of workers."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from store import workers
from tests.databases import NOON, after


def test_a_worker_is_listed_while_it_is_seen(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        workers.note_seen(session, "b", NOON)
        workers.note_seen(session, "a", NOON)
        workers.note_seen(session, "a", after(60))
    with sessions() as session:
        assert [worker.name for worker in workers.seen_since(session, after(-1))] == ["a", "b"]
        assert [worker.name for worker in workers.seen_since(session, after(30))] == ["a"]


def test_a_worker_that_ended_or_died_is_forgotten(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        for name in ("ended", "died", "alive"):
            workers.note_seen(session, name, NOON if name != "alive" else after(2 * 86400))
        workers.note_gone(session, "ended")
        workers.forget_old(session, after(2 * 86400))
    with sessions() as session:
        assert [worker.name for worker in workers.seen_since(session, after(-1))] == ["alive"]

"""Engines: pragmas, transactions that wait for their turn, moments in UTC."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session, sessionmaker

from store import videos
from store.database import make_engine
from store.tables import Camera, Job, Video
from tests.databases import NOON
from tests.store.rows import FACTS, add_job, add_video, read


def test_a_moment_comes_back_aware_and_in_utc_whatever_its_zone_was(sessions: sessionmaker[Session]) -> None:
    shanghai = timezone(timedelta(hours=8))
    video = add_video(sessions, now=datetime(2024, 5, 1, 20, 0, tzinfo=shanghai))
    with sessions() as session:
        found = videos.get(session, video.id).created_at
        assert found == NOON
        assert found.utcoffset() == timedelta(0)
        assert session.scalar(select(func.count()).where(Video.created_at <= datetime(2024, 5, 1, 20, tzinfo=shanghai)))


def test_a_moment_without_a_zone_is_refused(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(StatementError, match="needs a time zone"):
        add_video(sessions, now=datetime(2024, 5, 1))


def test_a_row_that_refers_to_nothing_is_refused(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.add(Job(video_id="0" * 32, created_at=NOON))


def test_sqlite_connections_have_their_pragmas(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        found = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    engine.dispose()
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 20_000}


def test_many_processes_may_open_a_new_sqlite_file_at_once(tmp_path: Path) -> None:
    failures: list[Exception] = []
    barrier = threading.Barrier(8)

    def open_it() -> None:
        engine = make_engine(f"sqlite:///{tmp_path / 'new.db'}")
        barrier.wait()
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except Exception as error:  # noqa: BLE001  # shown by the assertion
            failures.append(error)
        engine.dispose()

    _run_all([threading.Thread(target=open_it) for _ in range(8)])
    assert failures == []


def test_transactions_that_read_and_then_write_take_turns(sessions: sessionmaker[Session]) -> None:
    add_video(sessions, camera="Gate")
    failures: list[Exception] = []

    def read_and_write() -> None:
        try:
            for _ in range(10):
                with sessions.begin() as session:
                    camera = session.scalars(select(Camera)).one()
                    session.execute(text("UPDATE camera SET place = place || 'x' WHERE id = :id"), {"id": camera.id})
        except Exception as error:  # noqa: BLE001  # shown by the assertion
            failures.append(error)

    _run_all([threading.Thread(target=read_and_write) for _ in range(6)])
    assert failures == []
    with sessions() as session:
        assert session.scalars(select(Camera)).one().place == "x" * 60


def test_a_transaction_that_fails_leaves_nothing(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(RuntimeError), sessions.begin() as session:
        _add_and_fail(session)
    with sessions() as session:
        assert videos.page(session, limit=5) == ([], 0)
        assert videos.cameras(session) == []


def test_a_pool_recovers_from_a_connection_that_the_server_closed(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no server")
    job_id = add_job(sessions)
    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    other = make_engine(engine.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        assert connection.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    other.dispose()
    assert read(sessions, job_id).id == job_id


def _add_and_fail(session: Session) -> None:
    videos.add(session, videos.NewVideo(video_id="a" * 32, name="a", camera="Gate", facts=FACTS, sha256="0" * 64), NOON)
    raise RuntimeError


def _run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

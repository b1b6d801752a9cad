"""The thread that looks for abandoned and forgotten rows, with a clock that jumps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from store import workers
from store.tables import FAILED, QUEUED, RUNNING, Job
from tests.databases import NOON, after
from tests.store.rows import add_job, read, take
from worker.watch import DEAF_AFTER, Watch

Sessions = sessionmaker[Session]


class Bench:
    """A watch over a database, and what it did."""

    def __init__(self, url: str, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, database_url=url, sweep_s=0.02)
        self.rung: list[str] = []
        self.clean: Callable[[], None] = lambda: None
        self.hear: Callable[[str], object] = lambda job_id: None
        self.given_up = 0
        self.is_broker_up = True
        self.clock: Callable[[], datetime] = lambda: NOON
        self.watch = Watch(
            self.settings, "w1", self._ring, clean=lambda: self.clean(), give_up=self._give_up, now=lambda: self.clock()
        )

    def _ring(self, job_id: str) -> bool:
        self.rung.append(job_id)
        self.hear(job_id)
        return self.is_broker_up

    def _give_up(self) -> None:
        self.given_up += 1

    def run_until(self, is_there: Callable[[], bool]) -> None:
        if not self.watch.is_alive():
            self.watch.start()
        deadline = time.monotonic() + 20
        while not is_there():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def bench(database_url: str, sessions: Sessions, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(database_url, tmp_path)
    yield bench
    bench.watch.end()
    if bench.watch.is_alive():
        bench.watch.join()


def test_a_forgotten_job_is_rung_for_once_while_its_message_is_under_way(bench: Bench, sessions: Sessions) -> None:
    job_id = add_job(sessions)
    bench.clock = lambda: after(16)
    bench.run_until(lambda: bool(bench.rung))
    time.sleep(0.3)
    assert bench.rung == [job_id]
    assert read(sessions, job_id).rung_at == after(16)


def test_a_job_is_rung_for_again_when_the_queue_is_back(bench: Bench, sessions: Sessions) -> None:
    job_id = add_job(sessions)
    bench.is_broker_up = False
    bench.clock = lambda: after(16)
    bench.run_until(lambda: len(bench.rung) > 2)
    assert read(sessions, job_id).rung_at == NOON
    bench.is_broker_up = True
    bench.run_until(lambda: read(sessions, job_id).rung_at == after(16))


def test_an_abandoned_job_waits_again_and_is_rung_for(bench: Bench, sessions: Sessions) -> None:
    job_id = add_job(sessions)
    take(sessions, job_id, worker="dead")
    bench.clock = lambda: after(91)
    bench.run_until(lambda: bench.rung == [job_id])
    assert read(sessions, job_id).state == QUEUED


def test_a_job_is_not_abandoned_because_the_machine_was_suspended(bench: Bench, sessions: Sessions) -> None:
    job_id = add_job(sessions)
    take(sessions, job_id, worker="w1")
    looks: list[datetime] = []

    def clean() -> None:
        """Wake up from a suspension of an hour before the second look; the attempt renews after that look."""
        looks.append(bench.clock())
        if len(looks) == 2:
            bench.clock = lambda: after(3600)
        if len(looks) == 3:
            with sessions.begin() as session:
                session.execute(update(Job).values(lease_until=after(3700)))

    bench.clean = clean
    bench.run_until(lambda: len(looks) > 20)
    job = read(sessions, job_id)
    assert (job.state, job.lease_until) == (RUNNING, after(3700))


def test_a_reported_death_ends_the_lease_at_once(bench: Bench, sessions: Sessions) -> None:
    job_id = add_job(sessions, max_attempts=1)
    take(sessions, job_id, worker="w1")
    ticks = count()
    bench.clock = lambda: after(next(ticks) / 1000)
    bench.run_until(lambda: True)
    assert read(sessions, job_id).state == RUNNING
    bench.watch.report_death(job_id)
    bench.run_until(lambda: read(sessions, job_id).state == FAILED)


def test_the_worker_is_listed_until_it_ends(bench: Bench, sessions: Sessions) -> None:
    def names() -> list[str]:
        with sessions() as session:
            return [worker.name for worker in workers.seen_since(session, after(-60))]

    bench.run_until(lambda: names() == ["w1"])
    bench.watch.end()
    bench.watch.join()
    assert names() == []


def test_a_worker_that_hears_no_message_gives_up(bench: Bench, sessions: Sessions) -> None:
    job_id = add_job(sessions)
    ticks = count()
    bench.clock = lambda: after(next(ticks) * 20)
    bench.run_until(lambda: bench.given_up > 0)
    assert bench.rung[:DEAF_AFTER] == [job_id] * DEAF_AFTER


def test_a_worker_that_hears_its_messages_does_not_give_up(bench: Bench, sessions: Sessions) -> None:
    add_job(sessions)
    ticks = count()
    bench.clock = lambda: after(next(ticks) * 20)

    def hear(job_id: str) -> None:
        take(sessions, job_id, worker="w2", now=after(10**6))
        add_job(sessions)

    bench.hear = hear
    bench.run_until(lambda: len(bench.rung) > 2 * DEAF_AFTER)
    assert bench.given_up == 0


def test_the_watch_survives_a_database_that_does_not_answer(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'no' / 'folder.db'}", tmp_path)
    bench.watch.start()
    time.sleep(0.2)
    assert bench.watch.is_alive()
    bench.watch.end()
    bench.watch.join(5)
    assert not bench.watch.is_alive()

"""Measure identities at many tracks: proposing for a new video, and the pages.

``python -m bench.identities --tracks 100000`` fills an SQLite database with videos of a hundred tracks each, as
`bench.search` does, and gives every five successive tracks an identity. Times are medians of five, those of the
proposals and the merge of one run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from bench.machine import machine_line
from bench.measure import resident_mib
from bench.search import add_video, fill, make_vectors, timed
from search.duplicates import likely
from search.proposals import propose
from store import identities, models, sightings
from store.database import make_engine, session_factory
from store.identity_tables import Identity
from store.migrate import upgrade
from store.sightings import Filter
from store.tables import Track

TRACKS_OF_ONE = 5
NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)
Sessions = sessionmaker[Session]


def give_identities(session: Session) -> None:
    """Give every `TRACKS_OF_ONE` successive tracks an identity, confirmed for every second one."""
    ids = session.scalars(select(Track.id).order_by(Track.id)).all()
    count = -(-len(ids) // TRACKS_OF_ONE)
    session.execute(
        insert(Identity),
        [
            {"id": number, "kind": "person", "name": "", "note": "", "is_hidden": False, "created_at": NOW}
            for number in range(1, count + 1)
        ],
    )
    session.execute(
        update(Track),
        [
            {
                "id": track_id,
                "identity_id": place // TRACKS_OF_ONE + 1,
                "is_confirmed": place % 2 == 0,
                "is_considered": True,
            }
            for place, track_id in enumerate(ids)
        ],
    )


def measure(sessions: Sessions, count: int, dimension: int) -> Iterator[tuple[str, str]]:
    """Yield what was measured."""
    with sessions() as session:
        fill(session, count, dimension)
    with sessions.begin() as session:
        give_identities(session)
        model = models.active(session).name or session.scalar(select(Track.embedder).limit(1)) or ""

    def ask(work: Callable[[Session], object]) -> str:
        def once() -> None:
            with sessions() as session:
                work(session)

        return f"{statistics.median(timed(once) for _ in range(5)):.0f} ms"

    def gallery(session: Session) -> None:
        rows, _ = sightings.page(session, Filter(), limit=48)
        sightings.of_identities(session, [row.id for row in rows])

    yield "gallery, first page", ask(gallery)
    yield "gallery, by camera", ask(lambda session: sightings.page(session, Filter(camera_id=1), limit=48))
    yield "one identity", ask(lambda session: sightings.of_identities(session, [count // 10]))
    yield "likely the same", ask(lambda session: likely(session, model, limit=12))
    with sessions.begin() as session:
        video_id = add_video(session, count, make_vectors(0, 100, dimension, people=max(count // 10, 1)))
        session.execute(update(Track).where(Track.video_id == video_id).values(point_count=50))
    before_s, before_mib = time.perf_counter(), resident_mib()
    given = propose(sessions, NOW, threshold=lambda _: 0.8)
    yield f"proposing for a new video of 100 tracks ({given} given)", f"{time.perf_counter() - before_s:.1f} s"
    yield "memory that this took", f"{resident_mib() - before_mib:.0f} MiB"
    with sessions() as session:
        first, second = session.scalars(select(Identity.id).order_by(Identity.id).limit(2)).all()
    started_s = time.perf_counter()
    with sessions.begin() as session:
        identities.merge(session, first, [second], NOW, allow_together=True)
    yield "a merge", f"{(time.perf_counter() - started_s) * 1000:.0f} ms"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.identities", description=__doc__)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=128)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        upgrade(engine)
        print(f"{machine_line()}; {options.tracks} tracks of {options.dimension} numbers, SQLite\n")
        print("| | |\n|---|---|")
        for name, value in measure(session_factory(engine), options.tracks, options.dimension):
            print(f"| {name} | {value} |", flush=True)
        engine.dispose()


if __name__ == "__main__":
    main()

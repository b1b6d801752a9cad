"""Measure searching: answers at many tracks, after a restart, after an insert and a delete, beside plain baselines.

    python -m bench.search --tracks 10000,100000,1000000
    python -m bench.search --tracks 100000 --database postgresql+psycopg://root@127.0.0.1/test

Tracks are unit vectors around as many centres as there are people; a hundred of
them make a video. Every answer of the engine is compared with a full sort of
all similarities in double precision: recall is the share of the true first 20.
FAISS is measured where it can be imported; nothing of ours needs it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine as Database
from sqlalchemy import create_engine, delete, insert, make_url, select, text
from sqlalchemy.orm import Session

from bench.machine import machine_line
from bench.measure import resident_mib
from records import FloatArray
from search.engine import Answers, Engine
from search.index import View
from search.question import Question
from store import models, vectors
from store.database import make_engine, session_factory
from store.migrate import upgrade
from store.search_tables import EmbeddingModel
from store.tables import Camera, Job, Track, Video, new_id

MODEL = "bench"
TRACKS_A_VIDEO = 100
CAMERAS = 8
TOP = 20
BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def make_vectors(start: int, count: int, dimension: int, *, people: int) -> FloatArray:
    """Return the vectors of the tracks ``start`` … of people with ten tracks each, mixed over all videos."""
    numbers = np.arange(start, start + count) * 7919 % people
    found = np.empty((count, dimension), np.float32)
    for row, number in enumerate(numbers.tolist()):
        found[row] = np.random.default_rng(number).standard_normal(dimension, np.float32)
    found += 0.8 * np.random.default_rng([start, 1]).standard_normal(found.shape, np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def fill(session: Session, count: int, dimension: int) -> None:
    """Insert that many tracks."""
    session.add_all([Camera(id=number, name=f"camera {number}") for number in range(1, CAMERAS + 1)])
    session.add(EmbeddingModel(name=MODEL, choice=MODEL, dimension=dimension, created_at=BEGAN))
    session.flush()
    models.activate(session, MODEL)
    people = max(1, count // 10)
    for number in range(0, count, 100 * TRACKS_A_VIDEO):
        part = make_vectors(number, min(100 * TRACKS_A_VIDEO, count - number), dimension, people=people)
        for start in range(0, len(part), TRACKS_A_VIDEO):
            add_video(session, (number + start) // TRACKS_A_VIDEO, part[start : start + TRACKS_A_VIDEO])
    session.commit()


def add_video(session: Session, number: int, features: FloatArray) -> str:
    """Insert one video with a track for each vector; return its id."""
    video_id, job_id = new_id(), new_id()
    session.execute(
        insert(Video).values(
            id=video_id, camera_id=number % CAMERAS + 1, name=f"{number}.mp4", bytes=1, sha256="", container="",
            codec="", pixel_format="", width=1, height=1, duration_s=600.0, frame_rate=25.0, sample_aspect=1.0,
            rotation_deg=0, started_at=BEGAN + timedelta(minutes=10 * number), created_at=BEGAN, vectors=job_id,
        )
    )  # fmt: skip
    session.execute(insert(Job).values(id=job_id, video_id=video_id, state="done", created_at=BEGAN))
    rows = [
        {
            "job_id": job_id, "video_id": video_id, "number": row + 1, "kind": "person", "class_name": "person",
            "first_frame": 0, "last_frame": 1, "first_s": float(row), "last_s": row + 5.0, "point_count": 2,
            "mean_score": 1.0, "embedding": vector.tobytes(), "embedder": MODEL, "crop_frame": 0,
        }
        for row, vector in enumerate(features)
    ]  # fmt: skip
    session.execute(insert(Track), rows)
    return video_id


def check_recall(answers: Answers, view: View, query: NDArray[np.float64], never: set[int]) -> float:
    """Return the share of the true first answers that were given."""
    parts = [view.vectors[start : start + 65_536] for start in range(0, len(view.vectors), 65_536)]
    similarities = np.concatenate([part.astype(np.float64) @ query for part in parts])
    order = [
        track_id
        for track_id in view.track_ids[np.argsort(-similarities)[: TOP + len(never)]].tolist()
        if track_id not in never
    ]
    given = [answer.sight.track.id for answer in answers.answers[:TOP]]
    return len(set(given) & set(order[:TOP])) / TOP


def timed(work: Callable[[], object]) -> float:
    """Return how many milliseconds ``work`` takes."""
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def measure(database: Database, folder: Path, count: int, dimension: int, questions: int) -> Iterator[tuple[str, str]]:
    """Yield what was measured, by name."""
    sessions = session_factory(database)
    with sessions() as session:
        yield "fill the database", f"{timed(lambda: fill(session, count, dimension)) / 1000:.1f} s"
    engine = Engine(folder)
    with sessions() as session:
        ids = session.scalars(select(Track.id).order_by(Track.id)).all()
    chosen = [ids[place] for place in np.random.default_rng(0).integers(0, count, questions).tolist()]

    def ask(track_id: int, **options: object) -> Answers:
        with sessions() as session:
            question = Question(track_ids=(track_id,), uses_ways=False, limit=TOP, **options)  # type: ignore[arg-type]  # a bench
            return engine.answer(session, question)

    yield "first answer ever (reads all vectors)", f"{timed(lambda: ask(chosen[0])) / 1000:.1f} s"
    warm = sorted(timed(lambda track_id=track_id: ask(track_id)) for track_id in chosen)  # type: ignore[misc]  # a bench
    yield "answer, median / 95 %", f"{statistics.median(warm):.0f} / {warm[int(0.95 * len(warm))]:.0f} ms"
    begun_s = time.process_time()
    for track_id in chosen:
        ask(track_id)
    yield "processor time of an answer, mean", f"{1000 * (time.process_time() - begun_s) / len(chosen):.0f} ms"
    again = [timed(lambda track_id=track_id: ask(track_id, is_reranked=True)) for track_id in chosen[:8]]  # type: ignore[misc]  # a bench
    yield "with re-ranking, median", f"{statistics.median(again):.0f} ms"
    with sessions() as session:
        view = engine.view(session, MODEL)
    recalls = [_recall(ask, view, sessions, track_id) for track_id in chosen[: 10 if count <= 100_000 else 3]]
    yield f"recall of the first {TOP}", f"{np.mean(recalls):.4f}"
    yield "first answer after a restart", f"{_after_restart(database, folder, chosen[0]):.0f} ms"
    with sessions() as session:
        video_id = add_video(session, count // TRACKS_A_VIDEO + 1, make_vectors(0, 100, dimension, people=count // 10))
        session.commit()
    yield "answer after a video came", f"{timed(lambda: ask(chosen[1])):.0f} ms"
    with sessions() as session:
        session.execute(delete(Video).where(Video.id == video_id))
        session.commit()
    yield "answer after a video went", f"{timed(lambda: ask(chosen[1])):.0f} ms"
    yield "file", f"{sum(path.stat().st_size for path in folder.rglob('*.bin')) / 2**20:.0f} MiB"
    yield "memory of the process, mapped file included", f"{resident_mib():.0f} MiB"
    yield from _baselines(np.asarray(view.vectors), questions)


def _recall(ask: Callable[..., Answers], view: View, sessions: Callable[[], Session], track_id: int) -> float:
    answers = ask(track_id)
    with sessions() as session:
        query = vectors.of_tracks(session, [track_id], MODEL)[track_id].astype(np.float64)
        track = session.get_one(Track, track_id)
        near = select(Track.id).where(
            Track.video_id == track.video_id, Track.first_s <= track.last_s, Track.last_s >= track.first_s
        )
        never = set(session.scalars(near))
    return check_recall(answers, view, query, never)


def _after_restart(database: Database, folder: Path, track_id: int) -> float:
    """Return how many milliseconds the first answer of a new process takes, without starting Python."""
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom search.engine import Engine\n"
        "from search.question import Question\nfrom store.database import make_engine, session_factory\n"
        "sessions = session_factory(make_engine(sys.argv[1]))\nbegun = time.perf_counter()\n"
        "with sessions() as session:\n"
        "    Engine(Path(sys.argv[2])).answer(session, Question(track_ids=(int(sys.argv[3]),), uses_ways=False))\n"
        "print(1000 * (time.perf_counter() - begun))\n"
    )
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", code, url, str(folder), str(track_id)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _baselines(stored: FloatArray, questions: int) -> Iterator[tuple[str, str]]:
    """Yield how long a plain product with all vectors in memory takes, and FAISS."""
    held = np.array(stored)
    queries = held[np.random.default_rng(1).integers(0, len(held), questions)]
    begun_s = time.process_time()
    plain = [timed(lambda query=query: np.argsort(-(held @ query))[:TOP]) for query in queries]  # type: ignore[misc]  # a bench
    spent = f"{1000 * (time.process_time() - begun_s) / len(queries):.0f} ms of processor time"
    yield "plain NumPy (all in memory, full sort), median", f"{statistics.median(plain):.0f} ms, {spent}"
    try:
        import faiss
    except ImportError:
        return
    flat = faiss.IndexFlatIP(held.shape[1])
    flat.add(held)
    found = [timed(lambda query=query: flat.search(query[None], TOP)) for query in queries]  # type: ignore[misc]  # a bench
    yield "FAISS IndexFlatIP (exact), median", f"{statistics.median(found):.0f} ms"
    graph = faiss.IndexHNSWFlat(held.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    built_s = timed(lambda: graph.add(held)) / 1000 if len(held) <= 100_000 else None
    if built_s is None:
        return
    graph.hnsw.efSearch = 128
    found = [timed(lambda query=query: graph.search(query[None], TOP)) for query in queries]  # type: ignore[misc]  # a bench
    truth, given = flat.search(queries, TOP)[1], graph.search(queries, TOP)[1]
    recall = np.mean([len(set(one) & set(other)) / TOP for one, other in zip(truth, given, strict=True)])
    yield (
        "FAISS HNSW32 (ef 128), median",
        f"{statistics.median(found):.1f} ms, recall {recall:.3f}, built in {built_s:.0f} s",
    )


def main() -> None:
    """Measure each size in a database of its own and print Markdown."""
    parser = argparse.ArgumentParser(prog="bench.search", description=__doc__)
    parser.add_argument("--tracks", default="10000,100000", help="sizes, with commas")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument(
        "--database", default="", help="a PostgreSQL URL; a schema of its own is made and dropped there"
    )
    options = parser.parse_args()
    print(machine_line())
    for count in (int(part) for part in options.tracks.split(",")):
        print(f"\n| {count} tracks of {options.dimension} numbers | |\n|---|---|")
        with tempfile.TemporaryDirectory() as folder:
            for name, figure in _in_database(options, Path(folder), count):
                print(f"| {name} | {figure} |", flush=True)


def _in_database(options: argparse.Namespace, folder: Path, count: int) -> Iterator[tuple[str, str]]:
    url, server, schema = f"sqlite:///{folder / 'resight.db'}", None, f"bench_{uuid4().hex[:8]}"
    if options.database:
        server = create_engine(options.database, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        with_schema = make_url(options.database).update_query_dict({"options": f"-csearch_path={schema}"})
        url = with_schema.render_as_string(hide_password=False)
    database = make_engine(url)
    try:
        upgrade(database)
        yield from measure(database, folder / "search", count, options.dimension, options.questions)
    finally:
        database.dispose()
        if server is not None:
            with server.connect() as connection:
                connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
            server.dispose()


if __name__ == "__main__":
    main()

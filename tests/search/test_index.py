"""The index: exact, and as the database is, whatever came, went or was written by another process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from records import FloatArray
from search.index import BLOCK_ROWS, Block, Index, View, best_rows
from search.vector_file import ROW, VectorFile
from store import vectors, videos
from store.tables import Track, Video
from tests.databases import database_url, engine, sessions
from tests.store.identity_scene import Sessions, add_tracks

__all__ = ["database_url", "engine", "sessions"]

DIMENSION = 8


def some_vectors(count: int, seed: int = 0) -> list[FloatArray]:
    found = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return list(found / np.linalg.norm(found, axis=1, keepdims=True))


def every_row(block: Block) -> tuple[np.ndarray, None]:
    return block.videos >= 0, None


def view_of(index: Index, sessions: Sessions) -> View:
    with sessions() as session:
        return index.view(session)


def found_ids(view: View, query: FloatArray, count: int = 50) -> list[int]:
    return [int(view.track_ids[row]) for row in best_rows(view, query[None], every_row, count=count).rows]


def add_people(sessions: Sessions, camera: str, people: list[FloatArray]) -> list[int]:
    return add_tracks(sessions, camera, [(number, number + 0.5) for number in range(len(people))], vectors=people)


def make_index(tmp_path: Path) -> Index:
    return Index(tmp_path / "search", "hsv_stripes", DIMENSION)


def test_tracks_are_found_the_moment_they_are_published_and_not_once_they_are_gone(
    sessions: Sessions, tmp_path: Path
) -> None:
    index, people = make_index(tmp_path), some_vectors(6)
    assert view_of(index, sessions).track_count == 0
    first = add_people(sessions, "north", people[:3])
    assert found_ids(view_of(index, sessions), people[1])[0] == first[1]
    second = add_people(sessions, "south", people[3:])
    assert sorted(found_ids(view_of(index, sessions), people[0])) == sorted(first + second)
    with sessions.begin() as session:
        track = session.get_one(Track, first[0])
        videos.delete(session, track.video_id)
    assert sorted(found_ids(view_of(index, sessions), people[0])) == second


def test_tracking_a_video_again_replaces_its_vectors(sessions: Sessions, tmp_path: Path) -> None:
    from tests.store.identity_scene import a_track, publish_tracks

    index, people = make_index(tmp_path), some_vectors(4)
    first = add_people(sessions, "north", people[:2])
    view_of(index, sessions)
    with sessions() as session:
        video_id = session.get_one(Track, first[0]).video_id
    publish_tracks(sessions, video_id, [a_track(1, 0.0, 1.0, vector=people[3])])
    view = view_of(index, sessions)
    assert view.track_count == 1
    found = best_rows(view, people[3][None], every_row, count=5)
    assert found.similarities[0] == pytest.approx(1.0, abs=1e-6)


def test_vectors_of_another_model_are_not_compared(sessions: Sessions, tmp_path: Path) -> None:
    index, people = make_index(tmp_path), some_vectors(2)
    mine = add_people(sessions, "north", people[:1])
    (other,) = add_tracks(sessions, "south", [(0, 1)], vectors=[people[1]], embedder="network@12345678")
    assert found_ids(view_of(index, sessions), people[1]) == mine
    with sessions.begin() as session:
        video_id = session.get_one(Track, other).video_id
        vectors.put_further(session, video_id, "hsv_stripes", {1: people[1]}, attempt="a further one")
    assert found_ids(view_of(index, sessions), people[1]) == [other, *mine]


def test_a_change_of_camera_or_clock_is_seen_without_reading_vectors_again(sessions: Sessions, tmp_path: Path) -> None:
    index = make_index(tmp_path)
    add_people(sessions, "north", some_vectors(1))
    before = view_of(index, sessions)
    with sessions.begin() as session:
        session.scalars(select(Video)).one().camera.clock_offset_s = 90.0
    after = view_of(index, sessions)
    assert after.began_s[0] - before.began_s[0] == 90.0
    assert after.vectors is before.vectors


def test_two_processes_share_the_file_and_a_restart_reads_nothing_again(sessions: Sessions, tmp_path: Path) -> None:
    one, other = make_index(tmp_path), make_index(tmp_path)
    people = some_vectors(4)
    first = add_people(sessions, "north", people[:2])
    assert sorted(found_ids(view_of(one, sessions), people[0])) == first
    second = add_people(sessions, "south", people[2:])
    assert sorted(found_ids(view_of(other, sessions), people[0])) == sorted(first + second)
    assert sorted(found_ids(view_of(one, sessions), people[0])) == sorted(first + second)
    with sessions.begin() as session:  # what was read already is not read from the database again
        session.execute(update(Track).values(embedding=b""))
    assert sorted(found_ids(view_of(make_index(tmp_path), sessions), people[0])) == sorted(first + second)


def test_the_best_rows_are_those_of_a_plain_sort(tmp_path: Path) -> None:
    count, dimension = 2 * BLOCK_ROWS + 77, 16
    rng = np.random.default_rng(3)
    stored = rng.standard_normal((count, dimension)).astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    view = View(
        known=(vectors.SearchableVideo("v", "1", 1, None),), track_ids=np.arange(count), kinds=np.zeros(count, np.uint8),
        first_s=np.zeros(count), last_s=np.ones(count), videos=np.zeros(count, np.int32),
        camera_ids=np.array([1]), began_s=np.array([np.nan]), vectors=stored,
    )  # fmt: skip
    queries = stored[[5, 70]]
    is_even = np.arange(count) % 2 == 0
    bonus = rng.uniform(-0.05, 0.05, count).astype(np.float32)

    def judge(block: Block) -> tuple[np.ndarray, FloatArray]:
        return is_even[block.track_ids], bonus[block.track_ids]

    found = best_rows(view, queries, judge, count=100)
    scores = stored.astype(np.float64) @ queries.mean(axis=0) + bonus
    expected = np.argsort(-np.where(is_even, scores, -np.inf), kind="stable")[:100]
    assert found.total == is_even.sum()
    assert len(set(found.rows.tolist()) & set(expected.tolist())) >= 99, "but for ties within rounding"
    np.testing.assert_allclose(found.scores, scores[found.rows], atol=1e-5)
    assert (np.diff(found.scores) <= 0).all()


def _rows(*track_ids: int) -> np.ndarray:
    return np.array([(track_id, 0, 0.0, 1.0) for track_id in track_ids], ROW)


def test_what_a_crash_left_behind_the_manifest_is_overwritten(tmp_path: Path) -> None:
    file = VectorFile(tmp_path / "v", 2)
    with file.locked():
        file.write([], [("a", "1", _rows(1, 2), np.eye(2, dtype=np.float32))])
    for path in (tmp_path / "v").glob("*.bin"):
        with path.open("ab") as half:
            half.write(b"half a row")
    again = VectorFile(tmp_path / "v", 2)
    with again.locked():
        again.write(again.contents.segments, [("b", "1", _rows(3), np.full((1, 2), 0.5, np.float32))])
    assert again.contents.rows["track_id"].tolist() == [1, 2, 3]
    assert again.contents.vectors.tolist() == [[1, 0], [0, 1], [0.5, 0.5]]


def test_a_file_of_mostly_gone_rows_is_written_anew(tmp_path: Path) -> None:
    file = VectorFile(tmp_path / "v", 2)
    with file.locked():
        file.write(
            [],
            [("a", "1", _rows(1, 2), np.eye(2, dtype=np.float32)), ("b", "1", _rows(3), np.ones((1, 2), np.float32))],
        )
        file.write([file.contents.segments[1]], [])
        old = file.contents
        file.compact()
    assert file.contents.rows["track_id"].tolist() == [3]
    assert old.vectors.tolist() == [[1, 0], [0, 1], [1, 1]], "who is still searching sees what it saw"
    assert VectorFile(tmp_path / "v", 2).contents.rows["track_id"].tolist() == [3]
    assert len(list((tmp_path / "v").glob("*.bin"))) == 2

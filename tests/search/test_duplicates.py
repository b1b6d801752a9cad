"""Pairs of identities that may be one, and vectors that must not stay on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from records import FloatArray, Kind
from search.duplicates import likely
from search.index import Index
from search.scrub import erase_gone
from store import forgetting, identities
from tests.databases import NOON, database_url, engine, sessions
from tests.store.identity_scene import DIMENSION, Sessions, add_tracks

__all__ = ["database_url", "engine", "sessions"]


def turned(angle: float) -> FloatArray:
    vector = np.zeros(DIMENSION, np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return vector


def confirm(sessions: Sessions, *tracks: int) -> int:
    with sessions.begin() as session:
        return identities.confirm(session, tracks, None, NOON).identity_id or 0


def pairs(sessions: Sessions, limit: int = 10) -> list[tuple[int, int]]:
    with sessions() as session:
        return [(pair.first_id, pair.second_id) for pair in likely(session, "hsv_stripes", limit=limit)]


def test_the_most_alike_come_first_and_settled_ones_do_not_come(sessions: Sessions) -> None:
    gate = add_tracks(sessions, "Gate", [(0, 1), (0.2, 1)], vectors=[turned(0), turned(0.05)])
    hall = add_tracks(sessions, "Hall", [(0, 1), (2, 3)], vectors=[turned(0.1), turned(0.5)])
    car = add_tracks(sessions, "Hall", [(9, 10)], vectors=[turned(0)], kind=Kind.VEHICLE)
    a, b, c, d, _ = (confirm(sessions, track) for track in (*gate, *hall, *car))
    assert pairs(sessions) == [(b, c), (a, c), (c, d), (b, d), (a, d)]
    assert pairs(sessions, limit=1) == [(b, c)]
    with sessions.begin() as session:
        identities.keep_apart(session, b, c, NOON)
        identities.hide(session, [a], NOON)
    assert pairs(sessions) == [(c, d), (b, d)]


def test_nothing_and_one_give_no_pairs(sessions: Sessions) -> None:
    assert pairs(sessions) == []
    confirm(sessions, *add_tracks(sessions, "Gate", [(0, 1)]))
    assert pairs(sessions) == []


def test_forgotten_vectors_leave_the_files_of_the_index(sessions: Sessions, tmp_path: Path) -> None:
    secret = turned(0.777)
    folder = tmp_path / "search"
    tracks = add_tracks(sessions, "Gate", [(0, 1), (2, 3)], vectors=[secret, turned(0.1)])
    made = confirm(sessions, tracks[0])
    with sessions() as session:
        assert Index(folder, "hsv_stripes", DIMENSION).view(session).track_count == 2
    assert _holds(folder, secret)
    with sessions.begin() as session:
        forgetting.forget_identities(session, [made])
    with sessions() as session:
        erase_gone(session, folder)
        assert Index(folder, "hsv_stripes", DIMENSION).view(session).track_ids[-1] == tracks[1]
    assert not _holds(tmp_path, secret)
    assert _holds(folder, turned(0.1))


def _holds(folder: Path, vector: FloatArray) -> bool:
    return any(vector.tobytes() in path.read_bytes() for path in folder.rglob("*") if path.is_file())

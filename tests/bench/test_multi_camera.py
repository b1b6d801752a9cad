"""Identity over cameras, judged by hand-made truth."""

from __future__ import annotations

import numpy as np
import pytest

from bench.multi_camera import CameraFrames, idf1, link, retrieval, true_identities
from records import FloatArray

BOX = np.array([[0, 0, 10, 20]], np.float32)


def unit(angle: float) -> FloatArray:
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def camera(people: dict[int, int], tracks: dict[int, tuple[int, float]], length: int = 10) -> CameraFrames:
    """Return a recording: each person at a column of their own in all frames; a track follows a column.

    ``people`` is column by identity, ``tracks`` column and angle of the embedding by number.
    """
    frames = np.arange(length)

    def rows(columns: dict[int, int]) -> tuple[np.ndarray, np.ndarray, FloatArray]:
        ids = np.repeat(list(columns), length)
        boxes = np.concatenate(
            [np.repeat(BOX + np.array([100 * c, 0, 100 * c, 0]), length, axis=0) for c in columns.values()]
        )
        return np.tile(frames, len(columns)), ids, boxes.astype(np.float32)

    embeddings = {number: unit(angle) for number, (_, angle) in tracks.items()}
    truth, tracked = rows(people), rows({number: column for number, (column, _) in tracks.items()})
    return CameraFrames(length, *truth, *tracked, embeddings)


PERFECT = [camera({7: 0, 8: 1}, {1: (0, 0.0), 2: (1, 1.5)}), camera({8: 0, 7: 1}, {1: (0, 1.5), 2: (1, 0.05)})]


def test_tracks_are_named_after_whom_they_follow() -> None:
    assert true_identities(PERFECT) == {(0, 1): 7, (0, 2): 8, (1, 1): 8, (1, 2): 7}


def test_perfect_tracks_that_are_joined_rightly_have_all_the_points() -> None:
    joined = link(PERFECT, 0.9)
    assert joined[0, 1] == joined[1, 2] != joined[0, 2] == joined[1, 1]
    assert idf1(PERFECT, joined) == 100


def test_without_joining_half_of_each_persons_frames_are_lost() -> None:
    assert idf1(PERFECT, {}) == pytest.approx(50)


def test_joining_the_wrong_ones_is_no_better() -> None:
    wrong = {(0, 1): 1, (1, 1): 1, (0, 2): 2, (1, 2): 2}
    assert idf1(PERFECT, wrong) == pytest.approx(50)


def test_tracks_that_one_camera_saw_together_stay_apart() -> None:
    twins = [camera({1: 0, 2: 1}, {1: (0, 0.0), 2: (1, 0.0)})]
    joined = link(twins, 0.5)
    assert joined[0, 1] != joined[0, 2]


def test_nobody_is_joined_above_their_likeness() -> None:
    assert len(set(link(PERFECT, 0.9999).values())) == 3, "those who are exactly alike are joined"


def test_rank_1_asks_in_the_other_cameras_only() -> None:
    truth = true_identities(PERFECT)
    assert retrieval(PERFECT, truth) == (100, 100, 4)
    swapped = [PERFECT[0], camera({8: 0, 7: 1}, {1: (0, 0.0), 2: (1, 1.5)})]
    assert retrieval(swapped, true_identities(swapped)) == (0, 50, 4)


def test_a_track_of_nobody_has_no_identity() -> None:
    ghost = [camera({7: 0}, {1: (0, 0.0), 2: (5, 1.0)})]
    assert true_identities(ghost) == {(0, 1): 7}
    assert idf1(ghost, {}) == pytest.approx(200 / 3)

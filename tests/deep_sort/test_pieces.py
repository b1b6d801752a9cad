"""Pieces of tracks and their sums of features, kept while a video is read."""

from __future__ import annotations

import numpy as np
import pytest

from deep_sort.pieces import FeatureSums, PieceCutter, split_gap_s


def test_a_track_stays_one_piece_up_to_the_gap() -> None:
    cutter = PieceCutter(0.5)
    seen = [(0.0, [7, 8]), (0.1, [8]), (0.5, [7]), (0.75, [8]), (1.25, [8, 7])]
    pieces = [cutter.step(np.array(numbers), time_s).tolist() for time_s, numbers in seen]
    assert pieces == [[0, 1], [1], [0], [2], [2, 3]]


def test_frames_without_tracks_change_nothing() -> None:
    cutter = PieceCutter(0.5)
    assert cutter.step(np.array([4]), 0.0).tolist() == [0]
    assert cutter.step(np.zeros(0, np.int64), 0.3).tolist() == []
    assert cutter.step(np.array([4]), 0.5).tolist() == [0]


@pytest.mark.parametrize(("frame_rate", "gap_s"), [(25, 0.35), (7, 2.5 / 7), (2, 1.25)])
def test_two_missed_frames_never_split_a_track(frame_rate: float, gap_s: float) -> None:
    assert split_gap_s(frame_rate) == pytest.approx(gap_s)


def test_sums_weigh_features_by_score_and_pass_over_unusable_ones() -> None:
    sums = FeatureSums()
    features = np.array([[2.0, 0], [0, 3], [0, 0], [np.nan, 1], [np.inf, 1], [1, 0]])
    sums.add(np.array([1, 1, 1, 1, 1, 1]), features, np.array([0.9, 0.5, 0.9, 0.9, 0.9, 0.2]))
    total, weight = sums.of(1)
    np.testing.assert_allclose(total, [1, 0.5], atol=1e-6)
    assert weight == pytest.approx(1.5)


def test_features_may_come_late_and_in_any_order() -> None:
    rng = np.random.default_rng(1)
    pieces, features, scores = rng.integers(0, 300, 1000), rng.normal(size=(1000, 5)), rng.uniform(0.2, 1, 1000)
    at_once, bit_by_bit = FeatureSums(), FeatureSums()
    at_once.add(pieces, features, scores)
    for rows in np.array_split(rng.permutation(1000), 30):
        bit_by_bit.add(pieces[rows], features[rows], scores[rows])
    for piece in range(300):
        for one, other in zip(at_once.of(piece), bit_by_bit.of(piece), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_piece_without_features_has_no_weight() -> None:
    sums = FeatureSums()
    assert sums.of(3)[1] == 0
    sums.add(np.array([0]), np.ones((1, 2)), np.ones(1))
    assert sums.of(1000)[1] == 0
    assert sums.of(1000)[0].tolist() == [0, 0]


def test_bad_input_is_refused() -> None:
    sums = FeatureSums()
    sums.add(np.array([0]), np.ones((1, 2)), np.ones(1))
    for features, scores in (
        (np.ones((2, 2)), np.ones(1)),
        (np.ones((1, 2)), np.ones(2)),
        (np.ones((1, 3)), np.ones(1)),
    ):
        with pytest.raises(ValueError, match="features"):
            sums.add(np.array([0]), features, scores)
    for value in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            PieceCutter(value)
        with pytest.raises(ValueError, match="above 0"):
            split_gap_s(value)

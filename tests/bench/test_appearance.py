from __future__ import annotations

import numpy as np
import pytest

from bench.appearance import RealCrops, _is_clear, area_under_roc, separation, stretch_distances


def test_area_under_roc_is_the_share_of_pairs_in_order_ties_counting_half() -> None:
    rng = np.random.default_rng(0)
    scores, is_same = rng.integers(0, 6, 60).astype(np.float32), rng.random(60) < 0.4
    plain = np.mean([(a > b) + 0.5 * (a == b) for a in scores[is_same] for b in scores[~is_same]])
    assert area_under_roc(scores, is_same) == pytest.approx(plain)


def test_pictures_close_in_time_are_no_answers() -> None:
    # Identity 1 looks like itself 10 frames later; 100 frames later 2 looks more like it.
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.8, 0.6]], np.float32)
    crops = RealCrops([], np.array([1, 1, 1, 2]), np.array([0, 10, 100, 110]))
    found = separation(vectors, crops)
    assert found.rank_1 == pytest.approx(
        1 / 3
    )  # the crop at 100 alone, whose only stranger is too near, finds its own first
    assert found.mean_average_precision == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_people_behind_others_and_cut_off_ones_are_left_out() -> None:
    boxes = np.array([[10, 10, 40, 90], [20, 20, 50, 100], [-30, 10, 10, 90], [60, 10, 68, 90]], np.float32)
    assert _is_clear(boxes, 200, 200).tolist() == [False, True, False, False]


def test_stretches_of_one_person_are_near() -> None:
    vectors = np.repeat(np.eye(2, dtype=np.float32), 8, axis=0)
    crops = RealCrops([], np.repeat([1, 2], 8), np.arange(16))
    one, two = stretch_distances(vectors, crops)
    assert one == pytest.approx([0, 0], abs=1e-6)
    assert two == pytest.approx([1, 1, 1, 1])

from __future__ import annotations

import numpy as np
import pytest

from deep_sort.detection import checked_boxes, checked_features, xyah_to_xyxy, xyxy_to_xyah
from tests.deep_sort.plain_deep_sort import to_xyah

GOOD = [10, 10, 50, 90]


def test_boxes_become_centre_aspect_and_height_and_come_back() -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(-100, 2000, (20, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.5, 300, (20, 2))], axis=1)
    xyah = xyxy_to_xyah(boxes)
    np.testing.assert_allclose(xyah, [to_xyah(box) for box in boxes])
    np.testing.assert_allclose(xyah_to_xyxy(xyah), boxes, atol=1e-9)


def test_no_boxes_stay_no_boxes() -> None:
    none = np.zeros((0, 4))
    assert xyxy_to_xyah(none).shape == (0, 4)
    assert xyah_to_xyxy(none).shape == (0, 4)
    assert checked_boxes(none.astype(np.float32), np.zeros(0, np.float32)).shape == (0, 4)
    assert checked_features(np.zeros((0, 5), np.float32), 0, 7).shape == (0, 5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_a_box_that_is_not_finite_is_refused_by_row(bad: float, column: int) -> None:
    boxes = np.array([GOOD, GOOD], np.float32)
    boxes[1, column] = bad
    with pytest.raises(ValueError, match="box 1 is not finite"):
        checked_boxes(boxes, np.ones(2, np.float32))


def test_a_score_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match=r"box 0 is not finite: .*score nan"):
        checked_boxes(np.array([GOOD], np.float32), np.array([np.nan], np.float32))


def test_a_box_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="box 1 ends before it starts"):
        checked_boxes(np.array([GOOD, [50, 10, 10, 90]], np.float32), np.ones(2, np.float32))


@pytest.mark.parametrize("shape", [(4,), (2, 5), (2, 4, 1), (0,)])
def test_boxes_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"boxes_xyxy must have shape \(N, 4\), not"):
        checked_boxes(np.ones(shape, np.float32), np.ones(2, np.float32))


def test_as_many_scores_as_boxes_are_wanted() -> None:
    with pytest.raises(ValueError, match=r"scores must have shape \(1,\), not \(2,\)"):
        checked_boxes(np.array([GOOD], np.float32), np.ones(2, np.float32))


@pytest.mark.parametrize("shape", [(1, 8), (3, 8), (2,), (2, 2, 2)])
def test_as_many_features_as_boxes_are_wanted(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"features must have shape \(2, D\), not"):
        checked_features(np.ones(shape, np.float32), 2, None)


def test_features_of_another_dimension_are_refused() -> None:
    with pytest.raises(ValueError, match="features have 9 dimensions, those of the frames before had 8"):
        checked_features(np.ones((2, 9), np.float32), 2, 8)

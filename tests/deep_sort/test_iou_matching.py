from __future__ import annotations

import numpy as np
import pytest

from deep_sort.iou_matching import iou_costs
from tests.deep_sort.plain_deep_sort import overlap


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corners = rng.uniform(0, 50, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, 50, (count, 2))], axis=1)


@pytest.mark.parametrize(("height", "width"), [(0, 0), (0, 2), (3, 0), (6, 9)])
def test_costs_agree_with_one_pair_at_a_time(height: int, width: int) -> None:
    rng = np.random.default_rng(1)
    a, b = random_boxes(rng, height), random_boxes(rng, width)
    costs = iou_costs(a, b)
    assert costs.shape == (height, width)
    for row in range(height):
        for column in range(width):
            assert costs[row, column] == pytest.approx(1 - overlap(a[row], b[column]), abs=1e-12)


def test_the_same_box_costs_nothing_and_a_touching_one_everything() -> None:
    boxes = np.array([[0, 0, 10, 10], [10, 0, 20, 10]], float)
    np.testing.assert_array_equal(iou_costs(boxes, boxes), [[0, 1], [1, 0]])


def test_boxes_without_area_cost_everything_even_against_themselves() -> None:
    empty = np.array([[5, 5, 5, 5], [8, 8, 2, 2]], float)
    np.testing.assert_array_equal(iou_costs(empty, empty), np.ones((2, 2)))

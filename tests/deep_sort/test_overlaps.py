"""How boxes overlap."""

from __future__ import annotations

import numpy as np

from deep_sort.overlaps import hidden_shares, paired_iou, pairwise_iou, shared_areas


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corners = rng.uniform(0, 50, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, 40, (count, 2))], axis=1)


def plain_shared(a: np.ndarray, b: np.ndarray) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def test_overlaps_equal_the_plain_way() -> None:
    rng = np.random.default_rng(1)
    a, b = random_boxes(rng, 9), random_boxes(rng, 7)
    shared = np.array([[plain_shared(x, y) for y in b] for x in a])
    ious = np.array([[plain_shared(x, y) / (area(x) + area(y) - plain_shared(x, y)) for y in b] for x in a])
    np.testing.assert_allclose(shared_areas(a, b), shared)
    np.testing.assert_allclose(pairwise_iou(a, b), ious)
    np.testing.assert_allclose(paired_iou(a[:7], b), np.diag(ious))


def test_the_box_whose_bottom_is_lower_hides_the_other() -> None:
    boxes = np.array([[0.0, 0, 10, 20], [5, 5, 15, 25], [100, 0, 110, 20]])
    np.testing.assert_allclose(hidden_shares(boxes), [75 / 200, 0, 0])


def test_a_box_is_hidden_by_the_one_that_covers_most_and_never_by_more_than_all() -> None:
    boxes = np.array([[2.0, 2, 8, 18], [0, 0, 10, 20], [7, 0, 12, 30]])
    np.testing.assert_allclose(hidden_shares(boxes), [1, 3 * 20 / 200, 0])


def test_equal_boxes_do_not_hide_each_other() -> None:
    assert hidden_shares(np.array([[0.0, 0, 10, 20]] * 2)).tolist() == [0, 0]


def test_few_and_flat_boxes() -> None:
    assert hidden_shares(np.zeros((0, 4))).shape == (0,)
    assert hidden_shares(np.array([[0.0, 0, 5, 5]])).tolist() == [0]
    assert np.isfinite(hidden_shares(np.array([[0.0, 0, 0, 5], [0, 0, 5, 9]]))).all()
    assert pairwise_iou(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)
    assert pairwise_iou(np.zeros((1, 4)), np.zeros((1, 4)))[0, 0] == 0

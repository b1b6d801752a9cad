"""Box geometry against versions that work a box at a time."""

from __future__ import annotations

import numpy as np
import pytest

import boxes as geometry


def random_boxes(rng: np.random.Generator, count: int, side: float = 60) -> np.ndarray:
    corners = rng.uniform(0, 100, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, side, (count, 2))], axis=1).astype(np.float32)


def plain_intersection(a: np.ndarray, b: np.ndarray) -> float:
    width = min(float(a[2]), float(b[2])) - max(float(a[0]), float(b[0]))
    height = min(float(a[3]), float(b[3])) - max(float(a[1]), float(b[1]))
    return width * height if width > 0 and height > 0 else 0.0


def plain_area(box: np.ndarray) -> float:
    return max(float(box[2] - box[0]), 0) * max(float(box[3] - box[1]), 0)


def plain_iou(a: np.ndarray, b: np.ndarray) -> float:
    shared = plain_intersection(a, b)
    union = plain_area(a) + plain_area(b) - shared
    return shared / union if union > 0 else 0.0


def plain_suppression(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, max_iou: float) -> list[int]:
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        rivals = [other for other in kept if classes[other] == classes[index]]
        if all(plain_iou(boxes[other], boxes[index]) <= max_iou for other in rivals):
            kept.append(index)
    return kept


def test_left_top_width_height_comes_back_to_the_same_boxes() -> None:
    boxes = random_boxes(np.random.default_rng(1), 30)
    tlwh = geometry.xyxy_to_tlwh(boxes)
    for box, (left, top, width, height) in zip(boxes, tlwh, strict=True):
        assert (left, top) == (box[0], box[1])
        assert (width, height) == (box[2] - box[0], box[3] - box[1])
    np.testing.assert_allclose(geometry.tlwh_to_xyxy(tlwh), boxes, rtol=1e-6)


def test_conversions_leave_the_input_alone_and_give_float32() -> None:
    boxes = np.array([[1, 2, 11, 22]], np.float32)
    for convert in (geometry.xyxy_to_tlwh, geometry.tlwh_to_xyxy):
        converted = convert(boxes)
        assert converted.dtype == np.float32
        assert boxes.tolist() == [[1, 2, 11, 22]]


def test_no_boxes_stay_no_boxes_everywhere() -> None:
    none = np.zeros((0, 4), np.float32)
    assert geometry.xyxy_to_tlwh(none).shape == (0, 4)
    assert geometry.tlwh_to_xyxy(none).shape == (0, 4)
    assert geometry.clip_to_frame(none, 10, 10).shape == (0, 4)
    assert geometry.areas(none).shape == (0,)
    assert geometry.iou(none, random_boxes(np.random.default_rng(1), 3)).shape == (0, 3)
    assert geometry.iou(random_boxes(np.random.default_rng(1), 3), none).shape == (3, 0)
    chosen = geometry.non_maximum_suppression(none, np.zeros(0, np.float32), np.zeros(0, np.int64), 0.5)
    assert (chosen.shape, chosen.dtype) == ((0,), np.int64)


def test_boxes_are_cut_off_at_every_border() -> None:
    boxes = np.array([[-5, -6, 30, 40], [90, 70, 130, 110], [10, 10, 20, 20], [-50, 200, -10, 300]], np.float32)
    clipped = geometry.clip_to_frame(boxes, 100, 80)
    assert clipped.tolist() == [[0, 0, 30, 40], [90, 70, 100, 80], [10, 10, 20, 20], [0, 80, 0, 80]]
    assert clipped.dtype == np.float32
    assert boxes[0, 0] == -5


def test_areas_and_intersections_agree_with_one_box_at_a_time() -> None:
    rng = np.random.default_rng(2)
    a, b = random_boxes(rng, 12), random_boxes(rng, 9)
    np.testing.assert_allclose(geometry.areas(a), [plain_area(box) for box in a], rtol=1e-5)
    expected = [[plain_intersection(one, other) for other in b] for one in a]
    np.testing.assert_allclose(geometry.intersections(a, b), expected, rtol=1e-4, atol=1e-2)


def test_overlaps_agree_with_one_pair_at_a_time() -> None:
    rng = np.random.default_rng(3)
    a, b = random_boxes(rng, 12), random_boxes(rng, 9)
    overlaps = geometry.iou(a, b)
    assert overlaps.dtype == np.float32
    np.testing.assert_allclose(overlaps, [[plain_iou(one, other) for other in b] for one in a], atol=1e-5)


def test_inside_out_boxes_have_no_area_and_overlap_nothing() -> None:
    boxes = np.array([[10, 10, 5, 20], [10, 10, 5, 5], [7, 7, 7, 7], [0, 0, 20, 20]], np.float32)
    assert geometry.areas(boxes).tolist() == [0, 0, 0, 400]
    assert geometry.iou(boxes, boxes).tolist() == [[0] * 4, [0] * 4, [0] * 4, [0, 0, 0, 1]]


def test_touching_boxes_do_not_overlap() -> None:
    a, b = np.array([[0, 0, 10, 10]], np.float32), np.array([[10, 0, 20, 10], [0, 10, 10, 20]], np.float32)
    assert geometry.iou(a, b).tolist() == [[0, 0]]


@pytest.mark.parametrize("max_iou", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("count", [1, 2, 60])
def test_suppression_agrees_with_one_box_at_a_time(count: int, max_iou: float) -> None:
    rng = np.random.default_rng(count)
    boxes, classes = random_boxes(rng, count), rng.integers(0, 3, count)
    scores = (rng.integers(0, 20, count) / 20).astype(np.float32)
    chosen = geometry.non_maximum_suppression(boxes, scores, classes, max_iou)
    assert chosen.tolist() == plain_suppression(boxes, scores, classes, max_iou)


def test_suppression_spares_boxes_of_another_class() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)
    scores = np.array([0.5, 0.9, 0.7], np.float32)
    chosen = geometry.non_maximum_suppression(boxes, scores, np.array([0, 0, 1]), 0.5)
    assert chosen.tolist() == [1, 2]


def test_of_equal_scores_the_first_box_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 4, np.float32)
    chosen = geometry.non_maximum_suppression(boxes, np.full(4, 0.5, np.float32), np.zeros(4, np.int64), 0.5)
    assert chosen.tolist() == [0]


def test_a_suppressed_box_suppresses_nothing() -> None:
    chain = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    chosen = geometry.non_maximum_suppression(chain, scores, np.zeros(3, np.int64), 0.3)
    assert chosen.tolist() == [0, 2]

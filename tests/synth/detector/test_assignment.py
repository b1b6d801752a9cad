"""Which cells answer for which box, against a slow and obvious version."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from boxes import iou
from synth.detector.assignment import Truth, assign, generalized_iou, pair_iou
from synth.detector.network import cells, decode


def truth_of(boxes: list[list[float]], classes: list[int] | None = None, ignored: tuple[int, ...] = ()) -> Truth:
    count = len(boxes)
    flags = torch.zeros(1, count, dtype=torch.bool)
    flags[0, list(ignored)] = True
    return Truth(
        torch.tensor([boxes]).float().reshape(1, count, 4),
        torch.tensor([classes or [0] * count]),
        torch.ones(1, count, dtype=torch.bool),
        flags,
    )


def answers(seed: int = 0, side: int = 96) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    middles, strides = cells(side, side)
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randn(1, len(middles), 4 + 2, generator=generator)
    return decode(raw, middles, strides), raw[..., 4:].sigmoid(), middles, strides


def test_overlaps_are_those_of_boxes() -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 50, (12, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 40, (12, 2))], axis=1).astype(np.float32)
    ours = pair_iou(torch.from_numpy(boxes)[:, None], torch.from_numpy(boxes)[None]).numpy()
    assert np.allclose(ours, iou(boxes, boxes), atol=1e-6)


def test_generalized_iou_by_hand() -> None:
    a, b = torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[3.0, 0, 5, 2]])
    assert float(generalized_iou(a, a)) == 1
    assert float(generalized_iou(a, b)) == pytest.approx(-(10 - 8) / 10)


def slow_positives(
    boxes: torch.Tensor, scores: torch.Tensor, middles: torch.Tensor, strides: torch.Tensor, truth: Truth
) -> dict[int, int]:
    """Return the owner of each positive cell, by loops."""
    wishes: dict[int, list[tuple[float, int]]] = {}
    for number, (x1, y1, x2, y2) in enumerate(truth.boxes_xyxy[0].tolist()):
        if truth.is_ignored[0, number]:
            continue
        ranked = []
        for cell, ((x, y), stride) in enumerate(zip(middles.tolist(), strides.tolist(), strict=True)):
            far = max(abs((x1 + x2) / 2 - x), abs((y1 + y2) / 2 - y)) / stride
            is_inside = x1 < x < x2 and y1 < y < y2
            size = max(x2 - x1, y2 - y1)
            if ((is_inside and far < 5) or far < 1.5) and 0.9 * stride < size < 22 * stride:
                overlap = float(pair_iou(boxes[0, cell], truth.boxes_xyxy[0, number]))
                score = float(scores[0, cell, truth.classes[0, number]])
                ranked.append((max(score, 1e-4) * max(overlap, 1e-3) ** 4, cell, overlap))
        for _, cell, overlap in sorted(ranked, reverse=True)[:9]:
            wishes.setdefault(cell, []).append((overlap, number))
    return {cell: max(wanted)[1] for cell, wanted in wishes.items()}


@pytest.mark.parametrize("seed", range(4))
def test_positive_cells_are_those_of_the_slow_version(seed: int) -> None:
    boxes, scores, middles, strides = answers(seed)
    truth = truth_of([[10, 10, 30, 60], [22, 14, 44, 70], [60, 50, 66, 58], [0, 0, 90, 90]], [0, 1, 0, 1], ignored=(3,))
    targets = assign(boxes, scores, middles, strides, truth)
    expected = slow_positives(boxes, scores, middles, strides, truth)
    positive = torch.nonzero(targets.is_positive[0]).flatten().tolist()
    assert positive == sorted(expected)
    for cell in positive:
        assert targets.boxes_xyxy[0, cell].tolist() == truth.boxes_xyxy[0, expected[cell]].tolist()


def test_the_best_cell_of_a_box_is_told_its_best_iou() -> None:
    boxes, scores, middles, strides = answers(2)
    truth = truth_of([[10, 10, 40, 80]], [1])
    targets = assign(boxes, scores, middles, strides, truth)
    overlaps = pair_iou(boxes[0], truth.boxes_xyxy[0, 0])
    assert float(targets.scores[0, :, 1].max()) == pytest.approx(
        float(overlaps[targets.is_positive[0]].max()), abs=1e-4
    )
    assert float(targets.scores[0, :, 0].max()) == 0


def test_a_picture_without_boxes_has_no_positive_cell() -> None:
    boxes, scores, middles, strides = answers()
    truth = Truth(torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.int64), *(torch.zeros(1, 1).bool(),) * 2)
    targets = assign(boxes, scores, middles, strides, truth)
    assert not targets.is_positive.any()
    assert targets.is_counted.all()


def test_cells_within_an_ignored_box_are_not_blamed() -> None:
    boxes, scores, middles, strides = answers()
    targets = assign(boxes, scores, middles, strides, truth_of([[16, 16, 64, 80]], ignored=(0,)))
    inside = ((middles > torch.tensor([16, 16])) & (middles < torch.tensor([64, 80]))).all(1)
    assert (targets.is_counted[0] == ~inside).all()
    assert not targets.is_positive.any()


def test_a_tiny_box_between_the_cells_still_has_one() -> None:
    boxes, scores, middles, strides = answers()
    assert assign(boxes, scores, middles, strides, truth_of([[29, 26, 34, 36]])).is_positive.any()

"""How boxes overlap: shared areas, intersection over union, and how much of a box others hide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALLEST_AREA = 1e-9


def shared_areas(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """Return the (N, M) areas that boxes of ``a_xyxy`` (N, 4) share with boxes of ``b_xyxy`` (M, 4)."""
    width = np.minimum(a_xyxy[:, None, 2], b_xyxy[:, 2]) - np.maximum(a_xyxy[:, None, 0], b_xyxy[:, 0])
    height = np.minimum(a_xyxy[:, None, 3], b_xyxy[:, 3]) - np.maximum(a_xyxy[:, None, 1], b_xyxy[:, 1])
    areas: Floats = np.maximum(width, 0) * np.maximum(height, 0)
    return areas


def pairwise_iou(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """Return the (N, M) intersections over unions of ``a_xyxy`` (N, 4) and ``b_xyxy`` (M, 4); 0 without an area."""
    shared = shared_areas(a_xyxy, b_xyxy)
    ratios: Floats = shared / (_areas(a_xyxy)[:, None] + _areas(b_xyxy) - shared)
    return ratios


def paired_iou(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """Return the (N,) intersections over unions of row k of ``a_xyxy`` (N, 4) with row k of ``b_xyxy`` (N, 4)."""
    sides = np.minimum(a_xyxy[:, 2:], b_xyxy[:, 2:]) - np.maximum(a_xyxy[:, :2], b_xyxy[:, :2])
    shared = np.maximum(sides[:, 0], 0) * np.maximum(sides[:, 1], 0)
    ratios: Floats = shared / (_areas(a_xyxy) + _areas(b_xyxy) - shared)
    return ratios


def hidden_shares(boxes_xyxy: Floats) -> Floats:
    """Return for each box the largest share of its area that one box in front of it covers.

    Of two people on one floor, the one whose box ends lower in the picture is nearer to the camera.

    Parameters
    ----------
    boxes_xyxy : (N, 4) pixels, all boxes of one frame; N may be 0.

    Returns
    -------
    (N,) float64, 0 (nobody in front) to 1.
    """
    if len(boxes_xyxy) < 2:
        return np.zeros(len(boxes_xyxy))
    boxes = np.asarray(boxes_xyxy, np.float64)
    in_front = boxes[:, 3] > boxes[:, None, 3]
    shares: Floats = np.minimum((shared_areas(boxes, boxes) * in_front).max(axis=1) / _areas(boxes), 1.0)
    return shares


def _areas(boxes_xyxy: Floats) -> Floats:
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    areas: Floats = np.maximum(sides[:, 0] * sides[:, 1], _SMALLEST_AREA)
    return areas

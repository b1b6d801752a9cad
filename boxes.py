"""Box geometry. Boxes are float32, half-open, in pixels; formats are named in full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from records import FloatArray, IntArray


def xyxy_to_tlwh(boxes_xyxy: FloatArray) -> FloatArray:
    """Return (N, 4) boxes as left, top, width, height."""
    tlwh = np.array(boxes_xyxy, dtype=np.float32).reshape(-1, 4)
    tlwh[:, 2:] -= tlwh[:, :2]
    return tlwh


def tlwh_to_xyxy(boxes_tlwh: FloatArray) -> FloatArray:
    """Return (N, 4) boxes as left, top, right, bottom."""
    xyxy = np.array(boxes_tlwh, dtype=np.float32).reshape(-1, 4)
    xyxy[:, 2:] += xyxy[:, :2]
    return xyxy


def clip_to_frame(boxes_xyxy: FloatArray, width: int, height: int) -> FloatArray:
    """Return (N, 4) boxes cut off at the borders of a ``width`` × ``height`` frame."""
    limit = np.array([width, height, width, height], np.float32)
    clipped: FloatArray = np.clip(boxes_xyxy, np.float32(0), limit).astype(np.float32)
    return clipped


def areas(boxes_xyxy: FloatArray) -> FloatArray:
    """Return (N,) areas in square pixels; inside-out boxes have none."""
    sides = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    products: FloatArray = (sides[:, 0] * sides[:, 1]).astype(np.float32)
    return products


def intersections(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Return the (N, M) areas that boxes of ``a`` (N, 4) and ``b`` (M, 4) share."""
    top_left = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    bottom_right = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    sides = np.maximum(bottom_right - top_left, 0)
    products: FloatArray = (sides[..., 0] * sides[..., 1]).astype(np.float32)
    return products


def iou(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Return the (N, M) intersections over unions; 0 where both boxes are empty."""
    shared = intersections(a_xyxy, b_xyxy)
    union = areas(a_xyxy)[:, None] + areas(b_xyxy)[None, :] - shared
    ratios: FloatArray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratios


def non_maximum_suppression(
    boxes_xyxy: FloatArray, scores: FloatArray, class_ids: IntArray, max_iou: float
) -> NDArray[np.int64]:
    """Choose boxes greedily by score, none overlapping a better one of its class.

    Parameters
    ----------
    boxes_xyxy : (N, 4) float32 pixels; N may be 0.
    max_iou : boxes of one class with a larger IoU are suppressed.

    Returns
    -------
    (K,) indices into the input, best score first; ties keep the input's order.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, classes = boxes_xyxy[order], class_ids[order]
    alive = np.ones(len(order), bool)
    for position in range(len(order)):
        if not alive[position]:
            continue
        rest = position + 1 + np.flatnonzero(alive[position + 1 :] & (classes[position + 1 :] == classes[position]))
        overlaps = iou(boxes[position : position + 1], boxes[rest])[0]
        alive[rest[overlaps > max_iou]] = False
    return order[alive].astype(np.int64)

"""The detections of one frame, checked once, and the two forms of a box that the tracker needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def checked_boxes(boxes_xyxy: NDArray[Any], scores: NDArray[Any]) -> Floats:
    """Return the boxes as (N, 4) float64.

    Parameters
    ----------
    boxes_xyxy : (N, 4) pixels; N may be 0.
    scores : (N,); the tracker does not weigh boxes by them, they must only be numbers.

    Raises
    ------
    ValueError
        for wrong shapes, for values that are not finite and for boxes that are inside out.
    """
    boxes = np.asarray(boxes_xyxy, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes_xyxy must have shape (N, 4), not {boxes.shape}")
    if np.shape(scores) != (len(boxes),):
        raise ValueError(f"scores must have shape ({len(boxes)},), not {np.shape(scores)}")
    finite = np.isfinite(boxes).all(axis=1) & np.isfinite(scores)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(f"box {row} is not finite: {boxes[row].tolist()}, score {scores[row]}")
    inside_out = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    if inside_out.any():
        row = int(np.argmax(inside_out))
        raise ValueError(f"box {row} ends before it starts: {boxes[row].tolist()}; x1, y1, x2, y2 wanted")
    return boxes


def checked_features(features: NDArray[Any], count: int, dimension: int | None) -> NDArray[np.float32]:
    """Return the features as (N, D) float32.

    Parameters
    ----------
    features : (N, D); a row that is zero or not finite stands for "no appearance known".
    count : N, the number of boxes.
    dimension : D of the frames before; None before the first features.

    Raises
    ------
    ValueError
        for wrong shapes and for a D other than ``dimension``.
    """
    rows = np.asarray(features)
    if rows.ndim != 2 or len(rows) != count:
        raise ValueError(f"features must have shape ({count}, D), not {rows.shape}")
    if count and dimension is not None and rows.shape[1] != dimension:
        raise ValueError(f"features have {rows.shape[1]} dimensions, those of the frames before had {dimension}")
    with np.errstate(over="ignore"):  # float64 beyond float32 becomes inf, which never matches
        return rows.astype(np.float32, copy=False)


def xyxy_to_xyah(boxes_xyxy: Floats) -> Floats:
    """Return (N, 4) boxes as centre x, centre y, aspect (width over height) and height.

    Boxes without height are not allowed.
    """
    sizes = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    xyah = np.empty_like(boxes_xyxy)
    xyah[:, :2] = boxes_xyxy[:, :2] + sizes / 2
    xyah[:, 2] = sizes[:, 0] / sizes[:, 1]
    xyah[:, 3] = sizes[:, 1]
    return xyah


def xyah_to_xyxy(boxes_xyah: Floats) -> Floats:
    """Return (N, 4) boxes as left, top, right, bottom."""
    xyxy = np.empty_like(boxes_xyah)
    half_sizes = boxes_xyah[:, 2:] / 2
    half_sizes[:, 0] *= boxes_xyah[:, 3]
    np.subtract(boxes_xyah[:, :2], half_sizes, out=xyxy[:, :2])
    np.add(boxes_xyah[:, :2], half_sizes, out=xyxy[:, 2:])
    return xyxy

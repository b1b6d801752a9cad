"""The cost of a pair by its overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def iou_costs(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """Return the (N, M) values 1 − intersection over union.

    Parameters
    ----------
    a_xyxy : (N, 4) float64 pixels; N may be 0.
    b_xyxy : (M, 4) float64 pixels; M may be 0.

    Returns
    -------
    (N, M) float64 in [0, 1]; 1 where a box has no area.
    """
    top_left = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    bottom_right = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    sides = np.maximum(bottom_right - top_left, 0)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(a_xyxy)[:, None] + _areas(b_xyxy)[None] - shared
    costs: Floats = 1 - np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return costs


def _areas(boxes_xyxy: Floats) -> Floats:
    sides = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    areas: Floats = sides[:, 0] * sides[:, 1]
    return areas

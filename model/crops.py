"""Cutting boxes out of a picture."""

from __future__ import annotations

import numpy as np

from records import FloatArray, Image


def cut_crops(image_bgr: Image, boxes_xyxy: FloatArray) -> list[Image]:
    """Return the part of the picture inside each box.

    Parameters
    ----------
    image_bgr : (H, W, 3) uint8, H and W at least 1.
    boxes_xyxy : (N, 4) float32 pixels; may reach over the borders; N may be 0.

    Returns
    -------
    N views (h, w, 3) into the picture, clipped to it, every pixel that a box
    touches included. A box that is empty, inside out or wholly outside gives
    the nearest single pixel, so that a crop is never empty.

    Raises
    ------
    ValueError
        for a box with a coordinate that is not a number.
    """
    if not np.isfinite(boxes_xyxy).all():
        raise ValueError("boxes_xyxy must be finite")
    height, width = image_bgr.shape[:2]
    size = np.array([width, height])
    starts = np.clip(np.floor(boxes_xyxy[:, :2]), 0, size - 1).astype(np.int64)
    ends = np.clip(np.ceil(boxes_xyxy[:, 2:]), starts + 1, size).astype(np.int64)
    return [image_bgr[y1:y2, x1:x2] for (x1, y1), (x2, y2) in zip(starts.tolist(), ends.tolist(), strict=True)]

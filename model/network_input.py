"""Making a network's input out of crops."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from model.embedding_spec import COVER, Preprocessing
from records import FloatArray, Image


def prepare_crops(crops_bgr: Sequence[Image], preprocessing: Preprocessing) -> FloatArray:
    """Return (N, 3, H, W) float32 RGB, normalised, for N ≥ 1 crops (h, w, 3) uint8 BGR of any sizes."""
    width, height = preprocessing.sizes_wh[-1]
    pixels = np.empty((len(crops_bgr), height, width, 3), np.uint8)
    for row, crop in enumerate(crops_bgr):
        pixels[row] = _cover(crop, width, height) if preprocessing.fit == COVER else _stretch(crop, preprocessing)
    return normalise_pixels(pixels, preprocessing)


def normalise_pixels(pixels_bgr: Image, preprocessing: Preprocessing) -> FloatArray:
    """Return (N, 3, H, W) float32: RGB, /255, minus mean, over std.

    Parameters
    ----------
    pixels_bgr : (N, H, W, 3) uint8, of the input's size already.
    """
    rgb = pixels_bgr[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    std = np.array(preprocessing.std, np.float32).reshape(3, 1, 1)
    mean = np.array(preprocessing.mean, np.float32).reshape(3, 1, 1)
    rgb /= np.float32(255)
    rgb -= mean
    rgb /= std
    normalised: FloatArray = np.ascontiguousarray(rgb)
    return normalised


def _stretch(crop_bgr: Image, preprocessing: Preprocessing) -> Image:
    for size_wh in preprocessing.sizes_wh:
        crop_bgr = cv2.resize(crop_bgr, size_wh, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]  # uint8 stays
    return crop_bgr


def _cover(crop_bgr: Image, width: int, height: int) -> Image:
    """Return the middle of the crop, resized in its own proportions so that it just covers the input."""
    crop_height, crop_width = crop_bgr.shape[:2]
    scale = max(width / crop_width, height / crop_height)
    size_wh = (max(width, round(crop_width * scale)), max(height, round(crop_height * scale)))
    resized = cv2.resize(crop_bgr, size_wh, interpolation=cv2.INTER_LINEAR)
    left, top = (size_wh[0] - width) // 2, (size_wh[1] - height) // 2
    middle: Image = resized[top : top + height, left : left + width]  # type: ignore[assignment]  # uint8 stays
    return middle

"""Choose the picture that shows a track best.

A crop is good when it is large, sharp, whole and free of others:
quality = size × completeness × isolation × score × sharpness, each in (0, 1].
"""

from __future__ import annotations

import cv2
import numpy as np

from boxes import areas, intersections
from records import FloatArray, Image

FULL_SIZE_PX = 181.0
"""Side of a square as large as a 128×256 crop; more pixels than that do not make a crop better."""
CUT_FACTOR = 0.3
"""What a box that touches the border of the frame is worth: feet or head are probably missing."""
LEAST_ISOLATION = 0.05
REPLACE_FACTOR = 1.1
"""How much better a crop must be to replace the one kept: spares encoding each of many near-equal ones."""
MAX_CROP_SIDE = 512
_BORDER_PX = 2.0
_SHARPNESS_SIDE = 96
_HALF_SHARP = 100.0
_JPEG_QUALITY = 90


def rate_boxes(boxes_xyxy: FloatArray, scores: FloatArray, width: int, height: int) -> FloatArray:
    """Rate all boxes of a frame by everything but sharpness.

    Parameters
    ----------
    boxes_xyxy : (N, 4) float32 pixels, clipped to the frame; N may be 0.
    scores : (N,) detection scores, 0 to 1.
    width, height : of the frame.

    Returns
    -------
    (N,) float32 in (0, 1].
    """
    if not len(boxes_xyxy):
        return np.zeros(0, np.float32)
    own = np.maximum(areas(boxes_xyxy), 1.0)
    size = np.minimum(np.sqrt(own) / FULL_SIZE_PX, 1.0)
    is_cut = (boxes_xyxy[:, :2] <= _BORDER_PX).any(axis=1) | (
        boxes_xyxy[:, 2:] >= np.array([width, height], np.float32) - _BORDER_PX
    ).any(axis=1)
    shared = intersections(boxes_xyxy, boxes_xyxy)
    np.fill_diagonal(shared, 0.0)
    isolation = np.maximum(1.0 - shared.max(axis=1) / own, LEAST_ISOLATION)
    ratings: FloatArray = (size * np.where(is_cut, CUT_FACTOR, 1.0) * isolation * np.maximum(scores, 0.01)).astype(
        np.float32
    )
    return ratings


def sharpness(crop_bgr: Image) -> float:
    """Return how sharp a crop is, in (0, 1): v / (v + 100), v the variance of its Laplacian at one scale."""
    height, width = crop_bgr.shape[:2]
    scale = min(1.0, _SHARPNESS_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = cv2.cvtColor(cv2.resize(crop_bgr, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return max(variance / (variance + _HALF_SHARP), 1e-3)


class BestCrop:
    """The best crop of one track so far, kept as a JPEG.

    Attributes
    ----------
    jpeg : at most `MAX_CROP_SIDE` pixels on the long side; empty before the first offer.
    frame : index of its frame.
    """

    __slots__ = ("_quality", "frame", "jpeg")

    def __init__(self) -> None:
        self._quality = 0.0
        self.jpeg = b""
        self.frame = -1

    def offer(self, crop_bgr: Image, rating: float, frame: int) -> None:
        """Keep ``crop_bgr`` if it is clearly better than the one kept.

        Parameters
        ----------
        crop_bgr : (H, W, 3) uint8, at least 1×1.
        rating : from `rate_boxes`, in (0, 1].
        """
        wanted = self._quality * REPLACE_FACTOR
        if rating <= wanted:  # sharpness is below 1: it cannot win, so do not measure it
            return
        quality = rating * sharpness(crop_bgr)
        if quality > wanted:
            self._quality, self.frame, self.jpeg = quality, frame, _encode_jpeg(crop_bgr)


def _encode_jpeg(crop_bgr: Image) -> bytes:
    height, width = crop_bgr.shape[:2]
    scale = MAX_CROP_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        crop_bgr = cv2.resize(crop_bgr, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    is_done, buffer = cv2.imencode(".jpg", crop_bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not is_done:
        raise RuntimeError(f"OpenCV cannot encode a crop of shape {crop_bgr.shape}")
    return buffer.tobytes()

"""Choose the picture that shows a track best.

A crop is good when it is large, sharp, whole and free of others:
quality = size × completeness × isolation × score × sharpness, each in (0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass

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
"""How much better a crop must be to replace the one kept: spares copying each of many near-equal ones."""
MAX_CROP_SIDE = 512
FIRST_SLOT_S = 1.0
"""Crops of one person within a second show the same."""
_BORDER_PX = 2.0
_SHARPNESS_SIDE = 96
_HALF_SHARP = 100.0
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
"""Networks look at it, too: colours are kept in full, which costs little at this size."""


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


@dataclass(frozen=True, eq=False)
class RatedCrop:
    """A crop that was worth keeping.

    Attributes
    ----------
    image_bgr : (H, W, 3) uint8 of its own, at most `MAX_CROP_SIDE` pixels on the long side.
    detection : row of its box in all detections of the video.
    """

    image_bgr: Image
    quality: float
    frame: int
    detection: int


class CropSlots:
    """The best crops of one piece of a track, spread over its time.

    Time is cut into slots, and each slot keeps its best crop. When there are more slots than ``count``, they get
    twice as long and neighbours join.
    """

    __slots__ = ("_begin_s", "_count", "_slot_s", "_slots")

    def __init__(self, count: int, begin_s: float) -> None:
        if count < 1:
            raise ValueError(f"count is {count}; at least 1 crop is wanted")
        self._count = count
        self._begin_s = begin_s
        self._slot_s = FIRST_SLOT_S
        self._slots: dict[int, RatedCrop] = {}

    def offer(self, crop_bgr: Image, rating: float, pts_s: float, *, frame: int, detection: int) -> None:
        """Keep ``crop_bgr`` if it is clearly better than the one of its slot.

        Parameters
        ----------
        crop_bgr : (H, W, 3) uint8, at least 1×1; not kept itself.
        rating : from `rate_boxes`, in (0, 1].
        """
        slot = self._slot_of(pts_s)
        kept = self._slots.get(slot)
        wanted = kept.quality * REPLACE_FACTOR if kept else 0.0
        if rating <= wanted:  # sharpness is below 1: it cannot win, so do not measure it
            return
        quality = rating * sharpness(crop_bgr)
        if quality > wanted:
            self._slots[slot] = RatedCrop(shrunk(crop_bgr), quality, frame, detection)

    def crops(self) -> tuple[RatedCrop, ...]:
        """Return the crops in order of time."""
        return tuple(self._slots[slot] for slot in sorted(self._slots))

    def _slot_of(self, pts_s: float) -> int:
        if self._count == 1:
            return 0
        slot = int((pts_s - self._begin_s) / self._slot_s)
        while slot >= self._count:
            slot //= 2
            self._slot_s *= 2
            joined: dict[int, RatedCrop] = {}
            for old, crop in self._slots.items():
                other = joined.get(old // 2)
                if other is None or crop.quality > other.quality:
                    joined[old // 2] = crop
            self._slots = joined
        return slot


def shrunk(crop_bgr: Image) -> Image:
    """Return a copy of a crop, at most `MAX_CROP_SIDE` pixels on the long side."""
    height, width = crop_bgr.shape[:2]
    scale = MAX_CROP_SIDE / max(height, width)
    if scale >= 1:
        return np.array(crop_bgr)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(crop_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode_jpeg(image_bgr: Image) -> bytes:
    """Return a crop as JPEG."""
    is_done, buffer = cv2.imencode(".jpg", image_bgr, _JPEG)
    if not is_done:
        raise RuntimeError(f"OpenCV cannot encode a crop of shape {image_bgr.shape}")
    return buffer.tobytes()

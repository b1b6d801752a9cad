"""The appearance descriptor that needs no weights: HSV histograms of horizontal stripes.

The colours of a standing person's clothes change from top to bottom, so the
crop is cut into stripes, and each stripe is described by histograms of hue,
saturation and value. The square root of a histogram turns the dot product of
two of them into the Bhattacharyya coefficient (Hellinger kernel), which is
less ruled by a few large bins than the plain product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from records import DistanceScale, FloatArray, Image, ModelInfo

_WIDTH, _HEIGHT, _STRIPES = 32, 64, 8
_BINS = (24, 16, 16)
_RANGES = (180, 256, 256)
_CENTRE_SIGMA = 0.2
_MAX_BATCH = 256
_DISTANCES = DistanceScale(usual_same=0.11, spread_same=0.05, usual_other=0.34, spread_other=0.09)


class HsvStripes:
    """Describe crops by the colours of eight horizontal stripes.

    Pixels near the vertical axis of the crop count most (Gaussian weight,
    sigma 0.2 of the width), since the sides show background. In the hue
    histogram a pixel counts as much as it is saturated: the hue of grey is
    noise.
    """

    dimension = _STRIPES * sum(_BINS)
    max_cosine_distance = 0.13

    def __init__(self, *, info: ModelInfo | None = None) -> None:
        self.info = replace(info or ModelInfo("hsv_stripes"), distances=_DISTANCES)
        across = (np.arange(_WIDTH) + 0.5) / _WIDTH - 0.5
        self._weights = np.exp(-0.5 * (across / _CENTRE_SIGMA) ** 2).astype(np.float32)
        self._bin_of_level = [
            np.minimum(np.arange(256) * bins // levels, bins - 1) for bins, levels in zip(_BINS, _RANGES, strict=True)
        ]
        self._stripe_of_row = np.arange(_HEIGHT) * _STRIPES // _HEIGHT

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        """Return (N, 448) float32 descriptors of unit length; see `Embedder.embed`."""
        parts = [
            self._describe(crops_bgr[start : start + _MAX_BATCH]) for start in range(0, len(crops_bgr), _MAX_BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def _describe(self, crops_bgr: Sequence[Image]) -> FloatArray:
        small = np.stack([cv2.resize(crop, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA) for crop in crops_bgr])
        hsv = cv2.cvtColor(small.reshape(-1, _WIDTH, 3), cv2.COLOR_BGR2HSV).reshape(small.shape)
        weights = np.broadcast_to(self._weights, hsv.shape[:3])
        by_saturation = weights * hsv[..., 1]
        histograms = [
            self._stripe_histograms(hsv[..., 0], 0, by_saturation),
            self._stripe_histograms(hsv[..., 1], 1, weights),
            self._stripe_histograms(hsv[..., 2], 2, weights),
        ]
        roots = np.sqrt(np.concatenate(histograms, axis=2).reshape(len(crops_bgr), -1))
        unit: FloatArray = (roots / np.linalg.norm(roots, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _stripe_histograms(
        self, channel: NDArray[Any], channel_index: int, weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return (N, stripes, bins), each stripe's histogram summing to 1, or all 0 where every weight is 0."""
        count, bins = len(channel), _BINS[channel_index]
        row_offsets = (np.arange(count)[:, None] * _STRIPES + self._stripe_of_row)[..., None] * bins
        flat = (self._bin_of_level[channel_index][channel] + row_offsets).ravel()
        sums = np.bincount(flat, weights.ravel(), count * _STRIPES * bins).reshape(count, _STRIPES, bins)
        totals = sums.sum(axis=2, keepdims=True)
        result: NDArray[np.float64] = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
        return result

"""The tracks that a fusion tracker follows: where they are, what they look like, since when they are lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deep_sort.axis_filter import AxisFilter, cxcywh_to_xyxy
from deep_sort.fusion_options import FusionOptions

Floats = NDArray[np.float64]
Features = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

NOT_SEEN = -1
_COLUMNS = ("features", "has_feature", "numbers", "hits", "lost", "is_confirmed", "detections")


@dataclass(frozen=True, eq=False)
class FusionInput:
    """The N boxes of one frame that have an area.

    Attributes
    ----------
    boxes_xyxy, boxes_cxcywh : (N, 4) float64 pixels.
    scores : (N,) float64.
    features : (N, D) float32 of unit length, zero where there is none.
    trust : (N,) float64, how far a feature tells about the person: 0 (not at all) to 1 (nobody stands in front).
    input_indices : (N,) int64 rows of the caller's arrays.
    """

    boxes_xyxy: Floats
    boxes_cxcywh: Floats
    scores: Floats
    features: Features
    trust: Floats
    input_indices: Indices


class FusedTracks:
    """Columns of T tracks, in the order in which they began.

    Attributes
    ----------
    motion : the Kalman filters.
    features : (T, D) float32 of unit length; has_feature : (T,) bool, whether there is one.
    numbers : (T,) int64. hits : (T,) int64 boxes so far.
    lost : (T,) int64 frames since the last box, counting this one until it is matched.
    is_confirmed : (T,) bool. detections : (T,) int64 row of the frame's `FusionInput`, or `NOT_SEEN`.
    """

    features: Features
    has_feature: Mask
    numbers: Indices
    hits: Indices
    lost: Indices
    is_confirmed: Mask
    detections: Indices

    def __init__(self, options: FusionOptions, numbers: Iterator[int]) -> None:
        self._options = options
        self._next_numbers = numbers
        self._frame_s = 1 / options.frame_rate
        self._learning_rate = 1 - math.exp(-self._frame_s / options.memory_s)
        self.motion = AxisFilter(options.noise)
        self.features = np.zeros((0, 0), np.float32)
        self.has_feature, self.is_confirmed = np.zeros(0, bool), np.zeros(0, bool)
        self.numbers, self.hits, self.lost, self.detections = (np.zeros(0, np.int64) for _ in range(4))

    def __len__(self) -> int:
        return len(self.numbers)

    def set_dimension(self, dimension: int) -> None:
        """Make room for features of D numbers; only while no track has one."""
        self.features = np.zeros((len(self), dimension), np.float32)

    def predict(self, camera_affine: Floats | None) -> None:
        """Move on by one frame; ``camera_affine`` (2, 3) carries points of the last frame to this one."""
        if camera_affine is not None:
            self.motion.warp(camera_affine)
        self.motion.predict(self._frame_s, self.lost > 0)
        self.lost += 1
        self.detections[:] = NOT_SEEN

    def update(self, rows: Indices, columns: Indices, frame: FusionInput) -> None:
        """Give the K tracks of ``rows`` the boxes ``columns`` of the frame."""
        self.motion.update(rows, frame.boxes_cxcywh[columns])
        self.hits[rows] += 1
        self.lost[rows] = 0
        self.detections[rows] = columns
        self.is_confirmed[rows] |= self.hits[rows] >= self._options.n_init

    def learn(self, rows: Indices, columns: Indices, frame: FusionInput) -> None:
        """Blend features in: a mean at first, later one that forgets; what is hidden counts less.

        The moving average is that of JDE and StrongSORT; here its rate depends on time and on how much is seen.
        """
        max_hidden = self._options.max_hidden
        worth = np.clip((frame.trust[columns] - (1 - max_hidden)) / max_hidden, 0, 1)
        is_worth = worth > 0
        if not is_worth.any():
            return
        rows, columns, worth = rows[is_worth], columns[is_worth], worth[is_worth]
        rates = worth * np.maximum(self._learning_rate, 1 / (self.hits[rows] + 1))
        rates = np.where(self.has_feature[rows], rates, 1.0).astype(np.float32)
        mixed = self.features[rows] + rates[:, None] * (frame.features[columns] - self.features[rows])
        lengths = np.sqrt(np.einsum("nd,nd->n", mixed, mixed))
        self.features[rows] = mixed / np.maximum(lengths, 1e-12)[:, None]
        self.has_feature[rows] = True

    def drop_lost(self) -> None:
        """End tracks that were lost for too long, and unconfirmed ones at their first miss."""
        max_lost = self._options.max_lost_s * self._options.frame_rate
        kept = (self.lost <= max_lost) & (self.is_confirmed | (self.lost == 0))
        if not kept.all():
            self.motion.keep(kept)
            for name in _COLUMNS:
                setattr(self, name, getattr(self, name)[kept])

    def start(self, columns: Indices, frame: FusionInput) -> None:
        """Begin a track at each of the boxes ``columns`` (K,)."""
        count = len(columns)
        if not count:
            return
        self.motion.start(frame.boxes_cxcywh[columns])
        begun = {
            "features": frame.features[columns],
            "has_feature": frame.trust[columns] > 0,
            "numbers": np.array([next(self._next_numbers) for _ in range(count)], np.int64),
            "hits": np.ones(count, np.int64),
            "lost": np.zeros(count, np.int64),
            "is_confirmed": np.full(count, self._options.n_init <= 1),
            "detections": columns,
        }
        for name in _COLUMNS:
            setattr(self, name, np.concatenate([getattr(self, name), begun[name]]))

    def boxes_xyxy(self) -> Floats:
        """Return the (T, 4) filtered boxes."""
        return cxcywh_to_xyxy(self.motion.z)

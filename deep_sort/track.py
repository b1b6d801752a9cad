"""All tracks of one tracker, a row each, in arrays.

A track begins *tentative*; after ``n_init`` detections in a row it is
*confirmed* and gets its number. A tentative track ends with its first frame
without a detection, a confirmed one after more than ``max_age`` of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deep_sort import kalman_filter
from deep_sort.detection import xyah_to_xyxy

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

NOT_SEEN = -1


class Tracks:
    """The rows of all living tracks, oldest first.

    Attributes
    ----------
    means : (T, 8) float64, covariances : (T, 8, 8) float64; see `kalman_filter`.
    keys : (T,) int64, one a track, never used again.
    numbers : (T,) int64, as shown to users; 0 while tentative.
    is_confirmed : (T,) bool.
    hits : (T,) int64 detections so far.
    ages : (T,) int64 frames since the last detection; 0 for tracks seen in this frame.
    detection_indices : (T,) int64 the row that updated the track in this frame, or `NOT_SEEN`.
    """

    def __init__(self, *, n_init: int, max_age: int, numbers: Iterator[int]) -> None:
        self._n_init = n_init
        self._max_age = max_age
        self._numbers = numbers
        self._next_key = 0
        self.means: Floats = np.zeros((0, 8))
        self.covariances: Floats = np.zeros((0, 8, 8))
        self.keys: Indices = np.zeros(0, np.int64)
        self.numbers: Indices = np.zeros(0, np.int64)
        self.is_confirmed: Mask = np.zeros(0, bool)
        self.hits: Indices = np.zeros(0, np.int64)
        self.ages: Indices = np.zeros(0, np.int64)
        self.detection_indices: Indices = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.keys)

    def boxes_xyxy(self, rows: Indices) -> Floats:
        """Return the (K, 4) boxes, float64 pixels, where the tracks of these rows are believed to be."""
        return xyah_to_xyxy(self.means[rows, :4])

    def predict(self) -> None:
        """Move all tracks one frame on."""
        self.means, self.covariances = kalman_filter.predict(self.means, self.covariances)
        self.ages += 1
        self.detection_indices[:] = NOT_SEEN

    def update(self, rows: Indices, measurements: Floats, detection_indices: Indices) -> None:
        """Correct tracks by the detections that are theirs.

        Parameters
        ----------
        rows : (K,) tracks, each at most once.
        measurements : (K, 4) float64 ``x, y, a, h``.
        detection_indices : (K,) their rows in the caller's input.
        """
        if not len(rows):
            return
        self.means[rows], self.covariances[rows] = kalman_filter.update(
            self.means[rows], self.covariances[rows], measurements
        )
        self.hits[rows] += 1
        self.ages[rows] = 0
        self.detection_indices[rows] = detection_indices

    def start(self, measurements: Floats, detection_indices: Indices) -> None:
        """Begin a track for each of the (N, 4) measurements, ``x, y, a, h``."""
        count = len(measurements)
        if not count:
            return
        means, covariances = kalman_filter.initiate(measurements)
        self.means = np.concatenate([self.means, means])
        self.covariances = np.concatenate([self.covariances, covariances])
        self.keys = np.concatenate([self.keys, np.arange(self._next_key, self._next_key + count)])
        self._next_key += count
        self.numbers = np.concatenate([self.numbers, np.zeros(count, np.int64)])
        self.is_confirmed = np.concatenate([self.is_confirmed, np.zeros(count, bool)])
        self.hits = np.concatenate([self.hits, np.ones(count, np.int64)])
        self.ages = np.concatenate([self.ages, np.zeros(count, np.int64)])
        self.detection_indices = np.concatenate([self.detection_indices, detection_indices])

    def confirm(self) -> None:
        """Give numbers to tentative tracks that have been detected often enough, oldest first."""
        for row in (~self.is_confirmed & (self.hits >= self._n_init)).nonzero()[0]:
            self.is_confirmed[row] = True
            self.numbers[row] = next(self._numbers)

    def remove_lost(self) -> Indices:
        """Remove tracks that have ended; return their keys."""
        is_lost = self.ages > np.where(self.is_confirmed, self._max_age, 0)
        if not is_lost.any():
            return np.zeros(0, np.int64)
        lost, kept = self.keys[is_lost], ~is_lost
        self.means, self.covariances = self.means[kept], self.covariances[kept]
        self.keys, self.numbers, self.is_confirmed = self.keys[kept], self.numbers[kept], self.is_confirmed[kept]
        self.hits, self.ages = self.hits[kept], self.ages[kept]
        self.detection_indices = self.detection_indices[kept]
        return lost

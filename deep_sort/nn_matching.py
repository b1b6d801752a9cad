"""How unlike a detection is to the nearest of a track's latest appearances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Features = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_FIRST_CAPACITY = 4


class _Samples:
    """The latest features of one track: a ring that grows up to the budget."""

    def __init__(self, dimension: int, budget: int | None) -> None:
        self._budget = budget
        self._rows = np.empty((min(_FIRST_CAPACITY, budget or _FIRST_CAPACITY), dimension), np.float32)
        self._added = 0

    def add(self, feature: Features) -> None:
        if self._added == len(self._rows) and (self._budget is None or self._added < self._budget):
            capacity = 2 * self._added if self._budget is None else min(2 * self._added, self._budget)
            grown = np.empty((capacity, self._rows.shape[1]), np.float32)
            grown[: self._added] = self._rows
            self._rows = grown
        self._rows[self._added % len(self._rows)] = feature
        self._added += 1

    @property
    def rows(self) -> Features:
        """(K, D), in no particular order."""
        return self._rows[: self._added]


class NearestNeighbourMetric:
    """Keeps each track's latest features and measures new ones against them.

    Parameters
    ----------
    kind : ``cosine`` (1 − cosine of the angle, 0 to 2) or ``euclidean`` (squared Euclidean distance).
    budget : features kept a track, the oldest leave first; None keeps all.
    """

    def __init__(self, kind: Literal["cosine", "euclidean"] = "cosine", *, budget: int | None = None) -> None:
        if kind not in ("cosine", "euclidean"):
            raise ValueError(f"kind must be cosine or euclidean, not {kind!r}")
        if budget is not None and budget < 1:
            raise ValueError(f"budget must be 1 or more, or None, not {budget}")
        self._kind = kind
        self._budget = budget
        self._samples: dict[int, _Samples] = {}

    def prepare(self, features: Features) -> tuple[Features, Mask]:
        """Return the features as they are compared, and which of them can be compared at all.

        Parameters
        ----------
        features : (N, D) float32; N may be 0.

        Returns
        -------
        (N, D) float32, of unit length for the cosine; and (N,) bool, False for rows that are zero or not finite.
        """
        lengths = np.sqrt(np.einsum("nd,nd->n", features, features, dtype=np.float64))
        is_usable = np.isfinite(lengths) & (lengths > 0)
        if self._kind == "euclidean":
            return features, is_usable
        lengths[~is_usable] = 1
        return (features / lengths[:, None]).astype(np.float32), is_usable

    def add(self, keys: Iterable[int], prepared: Features) -> None:
        """Keep one feature, a row of ``prepared`` (K, D), for each of the K tracks."""
        for key, feature in zip(keys, prepared, strict=True):
            samples = self._samples.get(key)
            if samples is None:
                samples = self._samples[key] = _Samples(len(feature), self._budget)
            samples.add(feature)

    def forget(self, keys: Iterable[int]) -> None:
        """Free the features of tracks; keys without any are fine."""
        for key in keys:
            self._samples.pop(key, None)

    def samples(self, key: int) -> Features:
        """Return the (K, D) features kept for a track, in no particular order; K may be 0."""
        samples = self._samples.get(key)
        return np.zeros((0, 0), np.float32) if samples is None else samples.rows

    def distances(self, keys: Iterable[int], prepared: Features, admissible: Mask) -> NDArray[Any]:
        """Return the distance of each detection to the nearest sample of each track.

        One product a track, of its own samples and the detections that its
        gate lets through: stacking all tracks' samples would copy megabytes
        a frame.

        Parameters
        ----------
        keys : T of them.
        prepared : (N, D) float32 from `prepare`.
        admissible : (T, N) bool; no other pairs are measured.

        Returns
        -------
        (T, N) float32, 0 or more; infinite where not admissible and for tracks without samples.
        """
        costs = np.full(admissible.shape, np.inf, np.float32)
        for row, key in enumerate(keys):
            samples = self._samples.get(key)
            columns = admissible[row].nonzero()[0]
            if samples is not None and len(columns):
                costs[row, columns] = self._nearest(samples.rows, prepared[columns])
        return np.maximum(costs, 0, out=costs)

    def _nearest(self, samples: Features, features: Features) -> NDArray[Any]:
        nearest: NDArray[Any]
        if self._kind == "cosine":
            nearest = 1 - (samples @ features.T).max(axis=0)
        else:
            nearest = cdist(samples, features, "sqeuclidean").min(axis=0)
        return nearest

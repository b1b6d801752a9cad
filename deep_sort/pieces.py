"""Pieces of tracks: stretches without a gap, each with the sum of its features; kept while a video is read.

A tracker that bridges gaps is sometimes wrong about it. `refine` therefore
takes every longer gap apart and decides anew, with the whole video known. What
it needs of the appearances is one sum a piece, not one feature a box, so that
memory does not grow with the boxes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_SPLIT_GAP_S = 0.35
_SPLIT_FRAMES = 2.5
_LEARN_SCORES = (0.3, 0.7)


def split_gap_s(frame_rate: float) -> float:
    """Return the gap, in seconds, from which a track is taken apart: 0.35 s, but never for two missed frames.

    Raises
    ------
    ValueError
        for a frame rate that is not above 0.
    """
    if not (math.isfinite(frame_rate) and frame_rate > 0):
        raise ValueError(f"frame_rate must be above 0, not {frame_rate}")
    return max(_SPLIT_GAP_S, _SPLIT_FRAMES / frame_rate)


class PieceCutter:
    """Numbers the pieces of all tracks of a video, 0, 1, …, while it is read.

    Parameters
    ----------
    max_gap_s : a track not seen for longer goes on as a new piece; see `split_gap_s`.
    """

    def __init__(self, max_gap_s: float) -> None:
        if not (math.isfinite(max_gap_s) and max_gap_s > 0):
            raise ValueError(f"max_gap_s must be above 0, not {max_gap_s}")
        self._max_gap_s = max_gap_s
        self._open: dict[int, tuple[int, float]] = {}  # by track number: its piece, and when it was last seen
        self._count = 0

    def step(self, track_numbers: NDArray[Any], time_s: float) -> Indices:
        """Take in the tracks seen in one frame; call it in order of time.

        Parameters
        ----------
        track_numbers : (M,) integers, each once; M may be 0.
        time_s : of the frame.

        Returns
        -------
        (M,) int64 the piece that each track is in.
        """
        oldest_s = time_s - self._max_gap_s
        if any(seen_s < oldest_s for _, seen_s in self._open.values()):
            self._open = {number: entry for number, entry in self._open.items() if entry[1] >= oldest_s}
        pieces = np.empty(len(track_numbers), np.int64)
        for position, number in enumerate(track_numbers.tolist()):
            known = self._open.get(number)
            if known is None:
                known = (self._count, time_s)
                self._count += 1
            pieces[position] = known[0]
            self._open[number] = (known[0], time_s)
        return pieces


class FeatureSums:
    """The sum of the features of each piece, weighted by how well a box shows its person.

    Features may come in any order and long after their frame, so an embedder may work in batches.
    """

    def __init__(self) -> None:
        self._sums = np.zeros((0, 0), np.float32)
        self._weights = np.zeros(0)

    def add(self, pieces: NDArray[Any], features: NDArray[Any], scores: NDArray[Any]) -> None:
        """Add N features.

        Parameters
        ----------
        pieces : (N,) integers from `PieceCutter.step`; a piece may come more than once.
        features : (N, D); a row that is zero or not finite is passed over.
        scores : (N,) of the boxes: below .3 a box counts for nothing, from .7 on fully.

        Raises
        ------
        ValueError
            for wrong shapes and for a D that differs from before.
        """
        count = len(pieces)
        rows = np.asarray(features, np.float32)
        if rows.ndim != 2 or len(rows) != count or np.shape(scores) != (count,):
            shapes = f"{rows.shape} and {np.shape(scores)}"
            raise ValueError(f"features and scores must have shapes ({count}, D) and ({count},), not {shapes}")
        if not count:
            return
        if self._sums.size and rows.shape[1] != self._sums.shape[1]:
            raise ValueError(f"features have {rows.shape[1]} dimensions, those before had {self._sums.shape[1]}")
        self._grow(int(np.max(pieces)) + 1, rows.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
        low, high = _LEARN_SCORES
        weights = np.clip((np.asarray(scores, np.float64) - low) / (high - low), 0, 1)
        chosen = np.flatnonzero(np.isfinite(lengths) & (lengths > 0) & (weights > 0))
        shares = (weights[chosen] / lengths[chosen])[:, None]
        np.add.at(self._sums, pieces[chosen], (rows[chosen] * shares).astype(np.float32))
        np.add.at(self._weights, pieces[chosen], weights[chosen])

    def of(self, piece: int) -> tuple[Floats, float]:
        """Return the (D,) float64 sum of the features of a piece and the sum of their weights, 0 without any."""
        if piece >= len(self._weights):
            return np.zeros(self._sums.shape[1]), 0.0
        return self._sums[piece].astype(np.float64), float(self._weights[piece])

    def _grow(self, count: int, dimension: int) -> None:
        if count > len(self._weights):
            capacity = max(count, 2 * len(self._weights), 64)
            sums, weights = np.zeros((capacity, dimension), np.float32), np.zeros(capacity)
            if self._sums.size:
                sums[: len(self._sums)], weights[: len(self._weights)] = self._sums, self._weights
            self._sums, self._weights = sums, weights

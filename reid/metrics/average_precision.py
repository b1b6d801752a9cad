"""What one query's ranking is worth, from the ranks of the pictures that were to be found.

``ranks`` are (M,) int64, M ≥ 1, rising, 1 for the first place.
"""

from __future__ import annotations

import numpy as np

from records import IntArray


def step_precision(ranks: IntArray) -> float:
    """Return the average precision as torchreid and fast-reid have it: the mean of j / rank of the j-th."""
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


def triangle_precision(ranks: IntArray) -> float:
    """Return the average precision of Market-1501's own evaluation.

    The area below the curve of precision over recall by trapezes: each step
    takes the mean of the precision at a hit and just before it, which is 1 before
    the first place.
    """
    found = np.arange(1, len(ranks) + 1)
    before = np.ones(len(ranks))
    np.divide(found - 1, ranks - 1, out=before, where=ranks > 1)
    return float(np.mean((found / ranks + before) / 2))


def inverse_negative_penalty(ranks: IntArray) -> float:
    """Return M / rank of the last one found; its mean over queries is mINP."""
    return float(len(ranks) / ranks[-1])

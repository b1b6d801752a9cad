"""Distances between embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errors import ModelError
from reid.distance_blocks import METRICS, row_blocks


def calculate_distance_matrix(
    features1: ArrayLike, features2: ArrayLike, metric: str = "cosine"
) -> NDArray[np.floating[Any]]:
    """Return the distance of each of one set of embeddings to each of another.

    Computed in float64, a block of rows at a time; for huge sets of which only
    the nearest matter, `distance_blocks` keeps less.

    Parameters
    ----------
    features1, features2 : (N, D) and (M, D); N and M may be 0.
    metric : ``cosine``, 1 − aᵀb / (‖a‖ ‖b‖), where a vector of zeros is at 1 from
        everything; or ``euclidean``, ‖a − b‖.

    Returns
    -------
    (N, M) float32, or float64 where both are.

    Raises
    ------
    ValueError
        when the dimensions differ or the arrays are not two-dimensional.
    ModelError
        for an unknown metric.
    """
    a, b = np.asarray(features1), np.asarray(features2)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"embeddings must have shape (N, D), not {a.shape} and {b.shape}")
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"embeddings of {a.shape[1]} and of {b.shape[1]} values cannot be compared; take those of one model"
        )
    if metric not in METRICS:
        raise ModelError("model.unknown", what="distance", name=metric, choices=", ".join(METRICS))
    is_double = a.dtype == b.dtype == np.float64
    distances = np.empty((len(a), len(b)), np.float64 if is_double else np.float32)
    right = b.astype(np.float64)
    if metric == "cosine":
        right = _unit_length(right)
    for rows in row_blocks(len(a), 8 * max(len(b), a.shape[1])):
        left = a[rows].astype(np.float64)
        distances[rows] = _cosine(left, right) if metric == "cosine" else _euclidean(left, right)
    return distances


def _cosine(left: NDArray[np.float64], unit_right: NDArray[np.float64]) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.clip(1 - _unit_length(left) @ unit_right.T, 0, 2)
    return distances


def _euclidean(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    squared = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * left @ right.T
    roots: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
    return roots


def _unit_length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled

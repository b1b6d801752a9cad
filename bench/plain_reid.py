"""Evaluation and re-ranking written plainly: whole matrices, full sorting, loops over queries.

What the field's own scripts do, put down from the definitions. Slow and hungry;
the tests compare the library with it, and `bench.evaluation` measures beside it.
Among equal distances the wrong pictures come first, as in the library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class PlainEvaluation:
    """The figures of one evaluation."""

    cmc: Array
    mean_ap: float
    mean_ap_triangle: float
    mean_inp: float
    judged_queries: int


def plain_squared_distances(first: Array, second: Array) -> Array:
    """Return all ‖a − b‖² at once."""
    products = first @ second.T
    distances = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * products
    return np.clip(distances, 0, None)


def plain_evaluate(
    distances: Array, query_ids: Array, gallery_ids: Array, query_cameras: Array, gallery_cameras: Array, max_rank: int
) -> PlainEvaluation:
    """Judge a whole matrix of distances by Market's rule."""
    order = np.argsort(distances, axis=1)
    matches = gallery_ids[order] == query_ids[:, None]
    curves, precisions, triangles, penalties = [], [], [], []
    for row in range(len(query_ids)):
        ranked = order[row]
        is_junk = (gallery_ids[ranked] == query_ids[row]) & (gallery_cameras[ranked] == query_cameras[row])
        keep = ~is_junk & (gallery_ids[ranked] != -1)
        hit = matches[row][keep]
        line = distances[row][ranked][keep]
        hit = hit[np.lexsort((hit, line))]  # equal distances: wrong ones first
        if not hit.any():
            continue
        curve = hit.cumsum()
        curves.append((curve[:max_rank] > 0).astype(float))
        places = np.flatnonzero(hit)
        penalties.append(curve[places[-1]] / (places[-1] + 1))
        precision = curve / (np.arange(len(hit)) + 1)
        precisions.append((precision * hit).sum() / hit.sum())
        area, old_recall, old_precision, good = 0.0, 0.0, 1.0, 0
        for place, is_hit in enumerate(hit[: places[-1] + 1]):
            good += int(is_hit)
            recall, new_precision = good / len(places), good / (place + 1)
            area += (recall - old_recall) * (old_precision + new_precision) / 2
            old_recall, old_precision = recall, new_precision
        triangles.append(area)
    return PlainEvaluation(
        np.mean(curves, axis=0),
        float(np.mean(precisions)),
        float(np.mean(triangles)),
        float(np.mean(penalties)),
        len(precisions),
    )


def plain_rerank(query: Array, gallery: Array, k1: int = 20, k2: int = 6, lambda_value: float = 0.3) -> Array:
    """Return (Q, G) re-ranked distances by k-reciprocal encoding (Zhong et al., 2017), from whole matrices."""
    everyone = np.concatenate([query, gallery])
    original = plain_squared_distances(everyone, everyone)
    np.fill_diagonal(original, 0)
    original = (original / original.max(axis=0)).T.astype(np.float32)
    order = np.argsort(original, axis=1, kind="stable")
    count, half = len(everyone), int(np.around(k1 / 2))
    weights = np.zeros_like(original)

    def reciprocal(row: int, k: int) -> Array:
        forward = order[row, : k + 1]
        backward = order[forward, : k + 1]
        return forward[np.where(backward == row)[0]]

    for row in range(count):
        mutual = reciprocal(row, k1)
        expanded = mutual
        for candidate in mutual:
            candidates = reciprocal(int(candidate), half)
            if len(np.intersect1d(candidates, mutual)) > 2 / 3 * len(candidates):
                expanded = np.append(expanded, candidates)
        expanded = np.unique(expanded)
        closeness = np.exp(-original[row, expanded])
        weights[row, expanded] = closeness / closeness.sum()
    if k2 != 1:
        weights = np.stack([weights[order[row, :k2]].mean(axis=0) for row in range(count)])
    holders = [np.where(weights[:, column] != 0)[0] for column in range(count)]
    jaccard = np.zeros((len(query), count), np.float32)
    for row in range(len(query)):
        shared = np.zeros(count, np.float32)
        for column in np.where(weights[row] != 0)[0]:
            rows = holders[column]
            shared[rows] += np.minimum(weights[row, column], weights[rows, column])
        jaccard[row] = 1 - shared / (2 - shared)
    final = jaccard * (1 - lambda_value) + original[: len(query)] * lambda_value
    return final[:, len(query) :]

"""Who belongs to whom at the lowest cost: one assignment, and the cascade of them by age."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_UNMATCHED_EXTRA = 1e-5  # leaving a pair unmatched costs this much more than the dearest pair allowed


def min_cost_matching(costs: NDArray[Any], max_cost: float) -> tuple[Indices, Indices]:
    """Match rows with columns so that the sum of costs is lowest.

    Parameters
    ----------
    costs : (T, N) floats; pairs of infinite or NaN cost never match. T and N may be 0.
    max_cost : dearer pairs never match; a pair left unmatched costs a little more than this.

    Returns
    -------
    (K,) rows, rising, and their (K,) columns.
    """
    allowed = costs <= max_cost
    if not allowed.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    rows, columns = linear_sum_assignment(np.where(allowed, costs, max_cost + _UNMATCHED_EXTRA))
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]


def matching_cascade(
    costs_of: Callable[[Indices, Indices, Mask], NDArray[Any]],
    max_cost: float,
    ages: Indices,
    admissible: Mask,
) -> tuple[Indices, Indices]:
    """Match tracks with detections, those seen last first (algorithm 1 of the paper).

    A track that has coasted for long is so uncertain that it would win
    detections from tracks that were seen a moment ago.

    Parameters
    ----------
    costs_of : called with rows (R,), columns (C,) and their part of ``admissible`` (R, C); returns (R, C) costs,
        infinite where a pair is not admissible. Costs are asked only for ages that have admissible pairs left.
    max_cost : dearer pairs never match.
    ages : (T,) frames since each track was last seen.
    admissible : (T, N) pairs that the gate lets through.

    Returns
    -------
    (K,) rows and their (K,) columns, in the order of the cascade.
    """
    matched_rows: list[Indices] = []
    matched_columns: list[Indices] = []
    is_free = np.ones(admissible.shape[1], bool)
    for age in sorted(set(ages[admissible.any(axis=1)].tolist())):
        columns = is_free.nonzero()[0]
        if not len(columns):
            break
        rows = (ages == age).nonzero()[0]
        allowed = admissible[rows[:, None], columns]
        if not allowed.any():
            continue
        chosen_rows, chosen_columns = min_cost_matching(costs_of(rows, columns, allowed), max_cost)
        matched_rows.append(rows[chosen_rows])
        matched_columns.append(columns[chosen_columns])
        is_free[columns[chosen_columns]] = False
    if not matched_rows:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(matched_rows), np.concatenate(matched_columns)

from __future__ import annotations

import numpy as np
import pytest

from deep_sort.linear_assignment import matching_cascade, min_cost_matching
from tests.deep_sort.plain_deep_sort import best_matching


def pairs(matching: tuple[np.ndarray, np.ndarray]) -> list[tuple[int, int]]:
    return sorted(zip(*(indices.tolist() for indices in matching), strict=True))


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (5, 2), (4, 4), (5, 5), (6, 3)])
def test_matching_is_the_cheapest_of_all_possible_ones(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(shape))
    for _ in range(40):
        costs = rng.uniform(0, 1, shape)
        costs[rng.uniform(size=shape) < 0.2] = np.inf
        assert pairs(min_cost_matching(costs, 0.6)) == best_matching(costs.tolist(), 0.6)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_match_gives_no_pairs(shape: tuple[int, int]) -> None:
    assert pairs(min_cost_matching(np.zeros(shape), 1)) == []


def test_pairs_of_infinite_or_nan_cost_never_match() -> None:
    assert pairs(min_cost_matching(np.array([[np.nan, np.inf], [np.inf, np.nan]]), 1e9)) == []
    assert pairs(min_cost_matching(np.array([[np.nan, 5], [np.inf, 1]]), 9)) == [(1, 1)]


def test_the_dearest_cost_allowed_still_matches() -> None:
    assert pairs(min_cost_matching(np.array([[0.7]]), 0.7)) == [(0, 0)]
    assert pairs(min_cost_matching(np.array([[0.7001]]), 0.7)) == []


def test_matching_beats_the_greedy_choice() -> None:
    assert pairs(min_cost_matching(np.array([[0.1, 0.2], [0.15, 0.9]]), 1)) == [(0, 1), (1, 0)]


def cascade(costs: list[list[float]], ages: list[int], max_cost: float = 0.5) -> list[tuple[int, int]]:
    table = np.array(costs, float)
    matching = matching_cascade(
        lambda rows, columns, allowed: np.where(allowed, table[rows[:, None], columns], np.inf),
        max_cost,
        np.array(ages, np.int64),
        np.isfinite(table),
    )
    return pairs(matching)


def test_cascade_prefers_the_track_seen_last_though_another_is_more_alike() -> None:
    assert cascade([[0.01], [0.4]], ages=[9, 1]) == [(1, 0)]
    assert cascade([[0.01], [0.4]], ages=[1, 1]) == [(0, 0)]


def test_cascade_leaves_to_older_tracks_what_younger_ones_cannot_take() -> None:
    assert cascade([[0.1, 0.2], [np.inf, 0.3]], ages=[5, 1]) == [(0, 0), (1, 1)]
    assert cascade([[0.1], [0.6]], ages=[5, 1]) == [(0, 0)]


def test_cascade_assigns_each_age_as_a_whole() -> None:
    assert cascade([[0.1, 0.2], [0.15, 0.49], [0.0, 0.0]], ages=[2, 2, 3]) == [(0, 1), (1, 0)]


def test_cascade_asks_for_costs_only_where_they_can_matter() -> None:
    asked: list[list[int]] = []

    def costs_of(rows: np.ndarray, columns: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        asked.append(rows.tolist())
        assert allowed.shape == (len(rows), len(columns))
        return np.where(allowed, 0.1, np.inf)

    admissible = np.array([[True, False], [False, False], [True, True], [True, True]])
    matching = matching_cascade(costs_of, 0.5, np.array([1, 2, 3, 4]), admissible)
    assert pairs(matching) == [(0, 0), (2, 1)]
    assert asked == [[0], [2]]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_cascade_of_nothing_gives_no_pairs(shape: tuple[int, int]) -> None:
    matching = matching_cascade(
        lambda rows, columns, allowed: np.zeros(allowed.shape), 1, np.ones(shape[0], np.int64), np.ones(shape, bool)
    )
    assert pairs(matching) == []

"""Ways between cameras: learnt from what was confirmed, corrected by people, and what they add to a score."""

from __future__ import annotations

import numpy as np
import pytest

from search.transitions import LEAST_PASSAGES, WEIGHT, Prior, Seen, Way, learn
from store.cameras import Sighting


def way(**changes: object) -> Way:
    values = {"passages": LEAST_PASSAGES, "least_s": 10.0, "median_s": 20.0, "most_s": 60.0, **changes}
    return Way(**values)  # type: ignore[arg-type]  # values of a test


def judged(
    ways: dict[tuple[int, int], Way], seen: list[Seen], *rows: tuple[int, float, float]
) -> list[tuple[bool, float]]:
    cameras, begins, ends = zip(*rows, strict=True)
    possible, bonus = Prior(ways, seen).judge(np.array(cameras), np.array(begins), np.array(ends))
    return list(zip(possible.tolist(), np.round(bonus.astype(np.float64), 4).tolist(), strict=True))


def test_gaps_between_successive_cameras_of_one_identity_are_learnt() -> None:
    sightings = [
        Sighting(1, 1, 0, 10), Sighting(1, 2, 30, 40), Sighting(1, 2, 50, 60), Sighting(1, 3, 100, 110),
        Sighting(2, 1, 0, 10), Sighting(2, 2, 50, 60),
    ]  # fmt: skip
    ways = learn(sightings)
    assert set(ways) == {(1, 2), (2, 3)}
    assert (ways[1, 2].passages, ways[1, 2].least_s, ways[1, 2].median_s) == (2, 10, 30)
    assert not ways[1, 2].is_used, "twice is too seldom"


def test_sightings_that_overlap_have_no_gap() -> None:
    assert learn([Sighting(1, 1, 0, 10), Sighting(1, 2, 5, 15)])[1, 2].median_s == 0


@pytest.mark.parametrize(
    ("begin_s", "bonus"),
    [(105.0, -WEIGHT), (120.0, WEIGHT), (160.0, WEIGHT), (280.0, WEIGHT * np.exp(-1)), (10_000.0, 0.0)],
)
def test_the_bonus_follows_the_gap(begin_s: float, bonus: float) -> None:
    (found,) = judged({(1, 2): way()}, [Seen(1, 0, 100)], (2, begin_s, begin_s + 5))
    assert found == (True, pytest.approx(bonus, abs=1e-4))


def test_the_way_back_is_another_one() -> None:
    rows = (2, 20.0, 80.0), (2, 130.0, 140.0)
    assert judged({(2, 1): way()}, [Seen(1, 100, 110)], *rows) == [(True, WEIGHT), (True, 0.0)]


def test_sooner_than_a_person_says_is_impossible_and_a_closed_way_implausible() -> None:
    edited = way(is_edited=True, passages=0, median_s=None)
    assert judged({(1, 2): edited}, [Seen(1, 0, 100)], (2, 105.0, 110.0)) == [(False, pytest.approx(-WEIGHT))]
    closed = way(is_edited=True, is_possible=False)
    assert judged({(1, 2): closed}, [Seen(1, 0, 100)], (2, 105.0, 110.0)) == [(True, pytest.approx(-WEIGHT))]


def test_the_nearest_sighting_decides_and_unknown_times_change_nothing() -> None:
    ways = {(1, 2): way(), (3, 2): way(is_edited=True, is_possible=False)}
    seen = [Seen(1, 0, 100), Seen(3, 500, 510)]
    rows = (2, 120.0, 130.0), (2, 520.0, 530.0), (2, np.nan, np.nan), (3, 120.0, 130.0)
    assert [round(bonus, 3) for _, bonus in judged(ways, seen, *rows)] == [WEIGHT, -WEIGHT, 0.0, 0.0]


def test_without_ways_or_sightings_the_prior_is_neutral() -> None:
    assert Prior({}, [Seen(1, 0, 1)]).is_neutral
    assert Prior({(1, 2): way()}, []).is_neutral
    assert Prior({(1, 2): way(passages=1)}, [Seen(1, 0, 1)]).is_neutral
    assert Prior({(3, 4): way()}, [Seen(1, 0, 1)]).is_neutral
    assert not Prior({(1, 2): way()}, [Seen(1, 0, 1)]).is_neutral

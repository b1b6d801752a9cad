"""Which new tracks show what earlier ones did."""

from __future__ import annotations

import numpy as np

from points import PointTable
from worker.heirs import heirs


def table(*rows: tuple[int, int, float]) -> PointTable:
    """Return boxes of 20×40 pixels: frame, track number, left edge."""
    rows = tuple(sorted(rows))
    return PointTable(
        np.arange(20) / 10,
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int32),
        np.array([(row[2], 0, row[2] + 20, 40) for row in rows], np.float32).reshape(-1, 4),
        np.ones(len(rows), np.float32),
    )


def walk(number: int, frames: range, left: float) -> list[tuple[int, int, float]]:
    return [(frame, number, left + frame) for frame in frames]


def test_the_same_boxes_under_other_numbers_are_found() -> None:
    earlier = table(*walk(1, range(10), 0), *walk(2, range(10), 100))
    new = table(*walk(7, range(10), 103), *walk(8, range(2, 12), 1))
    assert heirs(earlier, new) == {2: [7], 1: [8]}


def test_pieces_come_with_the_largest_first() -> None:
    earlier = table(*walk(1, range(20), 0))
    new = table(*walk(1, range(5), 0), *walk(2, range(6, 20), 0))
    assert heirs(earlier, new) == {1: [2, 1]}


def test_a_new_track_over_two_is_the_heir_of_the_larger() -> None:
    earlier = table(*walk(1, range(5), 0), *walk(2, range(6, 20), 0))
    assert heirs(earlier, table(*walk(1, range(20), 0))) == {2: [1]}


def test_a_neighbour_and_a_passer_by_are_no_heirs() -> None:
    earlier = table(*walk(1, range(10), 0))
    assert heirs(earlier, table(*walk(1, range(10), 12))) == {}
    assert heirs(earlier, table(*walk(1, range(2), 0), *walk(1, range(2, 20), 60))) == {}


def test_nothing_has_no_heirs() -> None:
    assert heirs(table(), table(*walk(1, range(3), 0))) == {}
    assert heirs(table(*walk(1, range(3), 0)), table()) == {}

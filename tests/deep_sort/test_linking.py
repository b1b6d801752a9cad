"""Evidence and joins."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from deep_sort.linking import Piece, appearance_evidence, link, motion_evidence
from deep_sort.linking_options import AppearanceScale, LinkingOptions
from deep_sort.piece_ends import PieceEnd, piece_ends

OPTIONS = LinkingOptions()


def end(time_s: float, x: float, *, vx: float = 0.0, height: float = 100.0, is_at_border: bool = False) -> PieceEnd:
    return PieceEnd(time_s, x, 200.0, height, vx, 0.0, is_at_border)


def piece(
    start_s: float, end_s: float, x: float = 0.0, looks: tuple[float, ...] = (1.0, 0.0), weight: float = 5.0
) -> Piece:
    return Piece(end(start_s, x), end(end_s, x), ((weight * np.array(looks), weight),))


def test_the_ends_of_a_steady_walk_are_where_it_is_and_as_fast() -> None:
    times_s = np.arange(30) / 10
    left = 40 + 30 * times_s
    boxes = np.column_stack([left, left * 0 + 10, left + 20, left * 0 + 90])
    is_at_border = np.arange(30) < 2
    head, tail = piece_ends(times_s, boxes, is_at_border, end_s=0.6)
    assert (head.time_s, tail.time_s) == (0, 2.9)
    assert head.x == pytest.approx(50, abs=1.5)
    assert tail.x == pytest.approx(50 + 30 * 2.9, abs=1.5)
    assert head.vx == pytest.approx(30, rel=0.15)
    assert (head.height, head.is_at_border, tail.is_at_border) == (80, True, False)


def test_one_box_tells_nothing_about_speed() -> None:
    head, tail = piece_ends(np.array([2.0]), np.array([[0.0, 0, 20, 50]]), np.array([False]), end_s=0.6)
    assert head == tail == PieceEnd(2.0, 10.0, 25.0, 50.0, 0.0, 0.0, False)


def test_motion_evidence_falls_with_distance_gap_and_change_of_size() -> None:
    def of(**changes: float) -> float:
        return motion_evidence(end(0, 0), replace(end(1, 0), **changes), OPTIONS)

    assert of() > of(x=60) > of(x=150) > of(x=390)
    assert of(x=410) == -math.inf
    assert of() > of(time_s=2.0) > of(time_s=3.0)
    assert of() > of(height=120) > of(height=160)


def test_nobody_goes_on_before_the_end_or_after_too_long_a_gap() -> None:
    assert motion_evidence(end(1, 0), end(1, 0), OPTIONS) == -math.inf
    assert motion_evidence(end(1, 0), end(0.5, 0), OPTIONS) == -math.inf
    assert motion_evidence(end(1, 0), end(4.1, 0), OPTIONS) == -math.inf


def test_who_leaves_at_the_border_is_less_likely_the_one_who_comes_in_there() -> None:
    inside = motion_evidence(end(0, 0), end(1, 0), OPTIONS)
    border = motion_evidence(end(0, 0, is_at_border=True), end(1, 0, is_at_border=True), OPTIONS)
    one_side = motion_evidence(end(0, 0, is_at_border=True), end(1, 0), OPTIONS)
    assert border < one_side == inside


def test_appearance_speaks_for_near_and_against_far_and_never_without_limit() -> None:
    scale = AppearanceScale()
    values = [appearance_evidence(distance, scale) for distance in np.linspace(0, 2, 50)]
    assert values == sorted(values, reverse=True)
    assert (values[0], values[-1]) == (scale.max_for, -scale.max_against)
    assert appearance_evidence(scale.usual_same, scale) > 0 > appearance_evidence(scale.usual_other, scale)


def test_the_best_join_is_made_first() -> None:
    pieces = [piece(0, 1), piece(1.2, 2), piece(1.1, 2, x=60)]
    assert sorted(link(pieces, OPTIONS)) == [[0, 1], [2]]


def test_pieces_are_joined_across_a_chain_and_into_a_hole() -> None:
    pieces = [piece(4, 5), piece(0, 1), piece(2, 3)]
    assert link(pieces, OPTIONS) == [[1, 2, 0]]


def test_a_join_must_fit_the_looks_of_all_pieces_joined_so_far() -> None:
    middle = (math.cos(math.radians(35)), math.sin(math.radians(35)))
    pieces = [piece(0, 1, looks=(1, 0)), piece(1.2, 2, looks=middle, weight=1.0), piece(2.2, 3, looks=(0, 1))]
    assert sorted(link(pieces, OPTIONS)) == [[0, 1], [2]]


def test_pieces_that_overlap_in_time_are_never_joined() -> None:
    assert sorted(link([piece(0, 1), piece(1, 2), piece(0.5, 3)], OPTIONS)) == [[0], [1], [2]]


def test_nothing_links_nothing_and_a_zero_gap_links_nothing() -> None:
    assert link([], OPTIONS) == []
    assert link([piece(0, 1), piece(1.1, 2)], LinkingOptions(max_gap_s=0)) == [[0], [1]]


def test_a_scale_grows_with_the_gate() -> None:
    scale = AppearanceScale.of_gate(0.26)
    assert (scale.usual_same, scale.usual_other) == (pytest.approx(0.22), pytest.approx(0.68))
    assert AppearanceScale.of_gate(0.13) == AppearanceScale()


def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="max_gap_s must be 0 or more"):
        LinkingOptions(max_gap_s=-1)
    with pytest.raises(ValueError, match="density must be above 0"):
        LinkingOptions(density=0)
    with pytest.raises(ValueError, match="usual_same must be below usual_other"):
        AppearanceScale(usual_same=0.4)
    with pytest.raises(ValueError, match="above 0"):
        AppearanceScale.of_gate(0)


def test_the_evidence_of_several_embedders_adds_up() -> None:
    """Colours that are neither like nor unlike, and a network that is sure."""

    def seen(start_s: float, end_s: float, network: tuple[float, ...]) -> Piece:
        colours = piece(start_s, end_s).looks[0]
        return Piece(end(start_s, 0), end(end_s, 0), (colours, (np.array(network), 1.0)))

    scale = AppearanceScale(usual_same=0.2, spread_same=0.05, usual_other=0.6, spread_other=0.1, min_weight=1)
    options = replace(OPTIONS, appearances=(*OPTIONS.appearances, scale))
    like, unlike = ((1.0, 0.0), (1.0, 0.0)), ((1.0, 0.0), (0.0, 1.0))
    assert link([seen(0, 1, like[0]), seen(2, 3, like[1])], options) == [[0, 1]]
    assert link([seen(0, 1, unlike[0]), seen(2, 3, unlike[1])], options) == [[0], [1]]
    unknown = [seen(0, 1, (1.0, 0.0)), Piece(end(2, 0), end(3, 0), (piece(2, 3).looks[0], (np.zeros(2), 0.0)))]
    assert link(unknown, options) == [[0, 1]], "who was not seen by one is told by the others"

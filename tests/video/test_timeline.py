"""Times are true where they can be and rise always."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from video.timeline import Timeline

MS = Fraction(1, 1000)


def place_all(times_ms: list[int | None], *, duration_s: float | None = None) -> list[float]:
    timeline = Timeline(step_s=0.04, duration_s=duration_s)
    return [round(timeline.place(time, MS), 6) for time in times_ms]


def test_true_times_are_kept() -> None:
    assert place_all([700, 740, 1700, 1701]) == [0, 0.04, 1, 1.001]


def test_missing_times_follow_by_one_step() -> None:
    assert place_all([0, None, None, 120]) == [0, 0.04, 0.08, 0.12]


def test_a_first_time_that_is_missing_counts_as_zero() -> None:
    assert place_all([None, 540, 580]) == [0, 0.04, 0.08]


def test_a_repeated_time_does_not_delay_the_frames_behind_it() -> None:
    assert place_all([0, 40, 40, 80]) == [0, 0.04, 0.044, 0.08]


def test_a_small_step_back_does_not_delay_the_frames_behind_it() -> None:
    assert place_all([0, 80, 40, 120]) == [0, 0.08, 0.084, 0.12]


def test_a_file_whose_times_are_all_the_same_still_plays() -> None:
    times = place_all([0] * 50)
    assert times[-1] == pytest.approx(0.012 + 46 * 0.04)


def test_a_restarted_clock_goes_on_from_the_last_frame() -> None:
    assert place_all([0, 40, 5000, 0, 40, 80]) == [0, 0.04, 5, 5.04, 5.08, 5.12]


def test_a_jump_far_beyond_the_end_of_the_file_is_not_believed() -> None:
    assert place_all([0, 40, 10**9, 10**9 + 40], duration_s=10) == [0, 0.04, 0.08, 0.12]


def test_a_long_pause_within_the_file_is_believed() -> None:
    assert place_all([0, 40, 3_600_000], duration_s=3600) == [0, 0.04, 3600]


def test_any_order_of_times_comes_out_strictly_rising() -> None:
    times = place_all([0, 3000, None, 100, 100, None, 99, 7_000_000, 2, 2, None, 5], duration_s=1)
    assert all(later > earlier for earlier, later in pairwise(times))

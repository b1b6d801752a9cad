"""Filling and smoothing of one track."""

from __future__ import annotations

import numpy as np
import pytest

from deep_sort.gap_filling import FillingOptions, fill_and_smooth, smoothed
from deep_sort.ghosts import GhostOptions


def plain_smoothed(times_s: np.ndarray, values: np.ndarray, sigma_s: float, rows: range) -> np.ndarray:
    result = []
    for now_s in times_s[rows]:
        near = np.abs(times_s - now_s) <= 2.5 * sigma_s
        ago_s = times_s[near] - now_s
        roots = np.exp(-0.25 * (ago_s / sigma_s) ** 2)[:, None]
        design = np.column_stack([np.ones(near.sum()), ago_s])
        result.append(np.linalg.lstsq(roots * design, roots * values[near], rcond=None)[0][0])
    return np.array(result)


def test_smoothing_equals_a_weighted_line_at_every_time() -> None:
    rng = np.random.default_rng(1)
    times_s = np.cumsum(rng.uniform(0.05, 0.2, 9000))
    values = rng.normal(size=(9000, 2))
    result = smoothed(times_s, values, 0.3)
    for rows in (range(50), range(4070, 4120), range(8950, 9000)):
        np.testing.assert_allclose(result[rows], plain_smoothed(times_s, values, 0.3, rows), atol=1e-9)


def test_a_steady_walk_stays_as_it_is() -> None:
    times_s = np.arange(30) / 25
    values = np.column_stack([3 + 40 * times_s, 7 - 5 * times_s])
    np.testing.assert_allclose(smoothed(times_s, values, 0.3), values, atol=1e-9)


@pytest.mark.parametrize("rate", [25.0, 10.0])
def test_a_swing_within_the_window_is_followed_where_the_whole_window_would_cut_it_short(rate: float) -> None:
    times_s = np.arange(int(6 * rate)) / rate
    swing = np.sin(2 * np.pi * times_s / 1.5)[:, None]
    rows = range(len(times_s))
    assert np.abs(plain_smoothed(times_s, swing, 0.3, rows) - swing).mean() > 0.3
    noisy = swing + np.random.default_rng(1).normal(0, 0.02, swing.shape)
    assert np.abs(smoothed(times_s, noisy, 0.3) - swing).mean() < 0.04


def test_who_comes_nearer_keeps_the_height() -> None:
    """Five metres from the camera, 1.3 m/s towards it: the height grows ever faster."""
    times_s = np.arange(51) / 25
    heights = 900 / (5 - 1.3 * times_s)
    boxes = np.column_stack([0 * times_s, 0 * times_s, heights / 3, heights])
    _, filled = fill_and_smooth(np.arange(51), boxes, times_s, FillingOptions())
    np.testing.assert_allclose((filled[:, 3] - filled[:, 1]) / heights, 1, atol=0.05)


def test_frames_far_apart_are_left_alone() -> None:
    times_s, values = np.arange(5) * 10.0, np.arange(5.0)[:, None] ** 2
    np.testing.assert_allclose(smoothed(times_s, values, 0.3), values)


def test_two_boxes_and_one_box() -> None:
    times_s = np.arange(10) / 10
    for frames in (np.array([3]), np.array([3, 4])):
        boxes = np.array([[0.0, 0, 10, 30], [1, 0, 11, 30]])[: len(frames)]
        wanted, filled = fill_and_smooth(frames, boxes, times_s, FillingOptions())
        assert wanted.tolist() == frames.tolist()
        np.testing.assert_allclose(filled, boxes, atol=1e-9)


def test_a_jump_too_fast_for_a_walk_is_not_bridged() -> None:
    times_s = np.arange(12) / 10
    frames = np.array([0, 1, 2, 9, 10, 11])
    for step, count in ((100, 12), (500, 6)):
        left = np.array([0.0, 0, 0, step, step, step])
        boxes = np.column_stack([left, left * 0, left + 40, left * 0 + 100])
        assert len(fill_and_smooth(frames, boxes, times_s, FillingOptions(centre_s=0, size_s=0))[0]) == count


def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="max_gap_s must be 0 or more"):
        FillingOptions(max_gap_s=-1)
    with pytest.raises(ValueError, match="min_density must lie from 0 to 1"):
        GhostOptions(min_density=1.5)
    with pytest.raises(ValueError, match="min_span_s must be 0 or more"):
        GhostOptions(min_span_s=-0.1)

"""Fill the short gaps of a track and smooth its boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from deep_sort.axis_filter import cxcywh_to_xyxy, xyxy_to_cxcywh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_CHUNK = 4096  # bounds the memory of a long track
_WINDOW_SIGMAS = 2.5
_MAX_HALVINGS = 2
_WORTHWHILE = 0.5  # of the error: detectors err alike in successive frames, which flatters short windows
_MAX_INFLUENCE = 0.9  # a value that nearly makes its own line is predicted by nobody


@dataclass(frozen=True, kw_only=True)
class FillingOptions:
    """The settings of `fill_and_smooth`.

    Attributes
    ----------
    max_gap_s : longer gaps stay open; 0 fills none.
    max_speed : so do gaps that would take a faster walk, in heights of the box a second.
    centre_s, size_s : standard deviation of the window that smooths; sizes change more slowly than places.
        Shorter ones are taken for a track that they would bend, see `smoothed`. 0 leaves the boxes as they are.

    Raises
    ------
    ValueError
        for values that are not finite or below 0.
    """

    max_gap_s: float = 2.0
    max_speed: float = 2.5
    centre_s: float = 0.3
    size_s: float = 0.8

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{entry.name} must be 0 or more, not {value}")


def fill_and_smooth(
    frames: Indices, boxes_xyxy: Floats, frame_times_s: Floats, options: FillingOptions
) -> tuple[Indices, Floats]:
    """Return the frames of a track with its short gaps filled, and a box for each.

    Parameters
    ----------
    frames : (P,) rising indices of the frames where the track was seen; P is 1 or more.
    boxes_xyxy : (P, 4) float64 pixels.
    frame_times_s : (F,) rising, of all frames.

    Returns
    -------
    (Q,) int64 frames, rising, all of ``frames`` among them; and their (Q, 4) float64 boxes.
    """
    times_s = frame_times_s[frames]
    boxes = xyxy_to_cxcywh(boxes_xyxy)
    boxes[:, :2] = smoothed(times_s, boxes[:, :2], options.centre_s)
    boxes[:, 2:] = np.exp(smoothed(times_s, np.log(np.maximum(boxes[:, 2:], 1.0)), options.size_s))
    gaps_s = np.diff(times_s)
    steps = np.hypot(*np.diff(boxes[:, :2], axis=0).T) / np.median(boxes[:, 3])
    is_bridged = (gaps_s <= options.max_gap_s) & (steps <= 0.5 + options.max_speed * gaps_s)
    stretches = [
        np.arange(start, end if bridged else start + 1)
        for start, end, bridged in zip(frames[:-1], frames[1:], is_bridged, strict=True)
    ]
    wanted = np.concatenate([*stretches, frames[-1:]])
    filled = np.stack([np.interp(frame_times_s[wanted], times_s, boxes[:, axis]) for axis in range(4)], axis=1)
    return wanted, cxcywh_to_xyxy(filled)


def smoothed(times_s: Floats, values: Floats, sigma_s: float) -> Floats:
    """Smooth by local lines, fitted with Gaussian weights (LOESS of degree 1).

    Steady motion stays as it is, at the ends, too, which a moving average would pull inwards. Motion that bends within
    the window, such as that of a camera that swings unnoticed, would be cut short: the window is halved, up to twice,
    where that halves the error with which the neighbours of a box predict it (leave-one-out cross-validation).

    Parameters
    ----------
    times_s : (P,) rising.
    values : (P, K).
    sigma_s : standard deviation of the weights; 0 returns ``values``.

    Returns
    -------
    (P, K) float64.
    """
    if sigma_s <= 0 or len(times_s) < 3:
        return values
    fitted, influence = _local_lines(times_s, values, sigma_s)
    for _ in range(_MAX_HALVINGS):
        sigma_s /= 2
        closer, closer_influence = _local_lines(times_s, values, sigma_s)
        is_predicted = closer_influence < _MAX_INFLUENCE
        error = _left_out_error(values, fitted, influence, is_predicted)
        if _left_out_error(values, closer, closer_influence, is_predicted) >= _WORTHWHILE * error:
            break
        fitted, influence = closer, closer_influence
    return fitted


def _left_out_error(values: Floats, fitted: Floats, influence: Floats, chosen: NDArray[np.bool_]) -> float:
    """Return the sum of the squared errors of those ``chosen`` (P,), were each left out of its own fit."""
    errors = (values - fitted)[chosen] / np.maximum(1 - influence[chosen], 1e-6)[:, None]
    return float((errors**2).sum())


def _local_lines(times_s: Floats, values: Floats, sigma_s: float) -> tuple[Floats, Floats]:
    """Return the (P, K) values of the local lines, and (P,) how far each follows its own value: 0 to 1."""
    fitted, influence = np.empty_like(values), np.empty(len(times_s))
    low = np.searchsorted(times_s, times_s - _WINDOW_SIGMAS * sigma_s)
    high = np.searchsorted(times_s, times_s + _WINDOW_SIGMAS * sigma_s, side="right")
    for start in range(0, len(times_s), _CHUNK):
        at = slice(start, start + _CHUNK)
        fitted[at], influence[at] = _lines_at(times_s[at], times_s, values, low[at], high[at], sigma_s)
    return fitted, influence


def _lines_at(
    at_s: Floats, times_s: Floats, values: Floats, low: Indices, high: Indices, sigma_s: float
) -> tuple[Floats, Floats]:
    """Return the (C, K) lines through ``values[low:high]``, read at the times ``at_s`` (C,), and their influence."""
    columns = low[:, None] + np.arange((high - low).max())
    is_inside = columns < high[:, None]
    columns = np.minimum(columns, len(times_s) - 1)
    ago_s = times_s[columns] - at_s[:, None]
    weights = np.exp(-0.5 * (ago_s / sigma_s) ** 2) * is_inside
    total, first, second = weights.sum(1), (weights * ago_s).sum(1), (weights * ago_s**2).sum(1)
    sums = np.einsum("cw,cwk->ck", weights, values[columns])
    moments = np.einsum("cw,cwk->ck", weights * ago_s, values[columns])
    determinant = total * second - first * first
    is_line = determinant > 1e-6 * total**2 * sigma_s**2
    of_sums = np.where(is_line, second / np.where(is_line, determinant, 1), 1 / total)
    of_moments = np.where(is_line, first / np.where(is_line, determinant, 1), 0)
    fitted: Floats = of_sums[:, None] * sums - of_moments[:, None] * moments
    return fitted, of_sums

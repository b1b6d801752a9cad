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


@dataclass(frozen=True, kw_only=True)
class FillingOptions:
    """The settings of `fill_and_smooth`.

    Attributes
    ----------
    max_gap_s : longer gaps stay open; 0 fills none.
    max_speed : so do gaps that would take a faster walk, in heights of the box a second.
    centre_s, size_s : standard deviation of the window that smooths; sizes change more slowly than places.
        0 leaves the boxes as they are.

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
    boxes[:, 2:] = np.maximum(smoothed(times_s, boxes[:, 2:], options.size_s), 1.0)
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

    Steady motion stays as it is, at the ends, too, which a moving average would pull inwards.

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
    result = np.empty_like(values)
    low = np.searchsorted(times_s, times_s - _WINDOW_SIGMAS * sigma_s)
    high = np.searchsorted(times_s, times_s + _WINDOW_SIGMAS * sigma_s, side="right")
    for start in range(0, len(times_s), _CHUNK):
        at = slice(start, start + _CHUNK)
        result[at] = _local_lines(times_s, values, low[at], high[at], times_s[at], sigma_s)
    return result


def _local_lines(times_s: Floats, values: Floats, low: Indices, high: Indices, at_s: Floats, sigma_s: float) -> Floats:
    """Return the (C, K) lines through ``values[low:high]``, read at the times ``at_s`` (C,)."""
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
    lines = second[:, None] * sums - first[:, None] * moments
    lines /= np.where(is_line, determinant, 1)[:, None]
    fitted: Floats = np.where(is_line[:, None], lines, sums / total[:, None])
    return fitted

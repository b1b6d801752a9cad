"""Where, how tall and how fast a stretch of a track begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SPEED_SIGMA, _CENTRE_SIGMA = 0.5, 0.06  # heights a second of people, heights of the centres of boxes
_BORDER_BOXES = 3


@dataclass(frozen=True)
class PieceEnd:
    """One end.

    Attributes
    ----------
    time_s : of the outermost box.
    x, y : pixels, the centre at that time.
    height : pixels, the median of the stretch.
    vx, vy : pixels a second.
    is_at_border : whether one of the outermost boxes touches the picture's left or right border.
    """

    time_s: float
    x: float
    y: float
    height: float
    vx: float
    vy: float
    is_at_border: bool


def piece_ends(times_s: Floats, boxes_xyxy: Floats, is_at_border: Mask, *, end_s: float) -> tuple[PieceEnd, PieceEnd]:
    """Return the first and the last end.

    Parameters
    ----------
    times_s : (P,) rising; P is 1 or more.
    boxes_xyxy : (P, 4) float64 pixels.
    is_at_border : (P,) bool.
    end_s : length of the stretch that tells about an end.
    """
    early, late = times_s <= times_s[0] + end_s, times_s >= times_s[-1] - end_s
    return (
        _end(times_s[early] - times_s[0], boxes_xyxy[early], float(times_s[0]), is_at_border[:_BORDER_BOXES]),
        _end(times_s[late] - times_s[-1], boxes_xyxy[late], float(times_s[-1]), is_at_border[-_BORDER_BOXES:]),
    )


def _end(ago_s: Floats, boxes_xyxy: Floats, time_s: float, is_at_border: Mask) -> PieceEnd:
    """Fit lines through the centres by ridge regression: few boxes tell little about speed."""
    centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    size, first = float(len(ago_s)), float(ago_s.sum())
    second = float(ago_s @ ago_s) + (_CENTRE_SIGMA / _SPEED_SIGMA) ** 2
    sums, moments = centres.sum(axis=0), ago_s @ centres
    determinant = size * second - first * first
    x, y = (second * sums - first * moments) / determinant
    vx, vy = (size * moments - first * sums) / determinant
    height = float(np.median(boxes_xyxy[:, 3] - boxes_xyxy[:, 1]))
    return PieceEnd(time_s, float(x), float(y), max(height, 1.0), float(vx), float(vy), bool(is_at_border.any()))

"""Ranked strips: a query and its answers in order, right ones framed green with ✓, wrong ones red and dashed with ✗."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from records import Image
from reid.plots.style import LIGHT, Theme, drawing, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL_WIDTH, _CELL_HEIGHT = 1.0, 2.0
_GAP, _CAPTION_HEIGHT = 0.16, 0.42
_INCHES_PER_UNIT = 0.82


@dataclass(frozen=True, eq=False)
class Candidate:
    """One answer.

    Attributes
    ----------
    image_bgr : (h, w, 3) uint8.
    is_right : whether it shows the query's identity; None where that is not known.
    caption : shown below, e.g. ``0.83 · cam 2``.
    """

    image_bgr: Image
    is_right: bool | None
    caption: str


@dataclass(frozen=True, eq=False)
class Strip:
    """A query, what is shown below it, and its answers, the best first."""

    query_bgr: Image
    caption: str
    answers: Sequence[Candidate]


def plot_strips(strips: Sequence[Strip], *, theme: Theme = LIGHT) -> Figure:
    """Draw one row a query.

    Raises
    ------
    ValueError
        for no strips.
    """
    if not strips:
        raise ValueError("there are no strips to draw")
    from matplotlib.figure import Figure

    columns = 1 + max(len(strip.answers) for strip in strips)
    width = columns * (_CELL_WIDTH + _GAP) + 2 * _GAP
    height = len(strips) * (_CELL_HEIGHT + _CAPTION_HEIGHT + _GAP) + _GAP
    with drawing(theme):
        figure = Figure(figsize=(_INCHES_PER_UNIT * width, _INCHES_PER_UNIT * height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        for row, strip in enumerate(strips):
            top = _GAP + row * (_CELL_HEIGHT + _CAPTION_HEIGHT + _GAP)
            _draw_cell(axes, _GAP, top, Candidate(strip.query_bgr, None, strip.caption), theme)
            for place, answer in enumerate(strip.answers, start=1):
                _draw_cell(axes, 2 * _GAP + place * (_CELL_WIDTH + _GAP), top, answer, theme)
        axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")  # imshow changed them
    return figure


def _draw_cell(axes: Axes, left: float, top: float, candidate: Candidate, theme: Theme) -> None:
    import cv2
    from matplotlib.patches import Rectangle

    pixels = (104, 208)
    image = cv2.cvtColor(cv2.resize(candidate.image_bgr, pixels, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    axes.imshow(image, extent=(left, left + _CELL_WIDTH, top + _CELL_HEIGHT, top), interpolation="bilinear")
    colour, style, symbol = {
        True: (theme.right, "-", "✓ "),
        False: (theme.wrong, (0, (2.4, 1.2)), "✗ "),
        None: (theme.ink, "-", ""),
    }[candidate.is_right]
    axes.add_patch(
        Rectangle((left, top), _CELL_WIDTH, _CELL_HEIGHT, fill=False, edgecolor=colour, linewidth=2.6, linestyle=style)
    )
    axes.text(
        left + _CELL_WIDTH / 2,
        top + _CELL_HEIGHT + 0.08,
        printable(symbol + candidate.caption),
        ha="center",
        va="top",
        fontsize=7,
        color=theme.ink if candidate.is_right is None else colour,
    )

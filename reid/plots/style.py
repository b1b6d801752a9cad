"""How all pictures look: colours for light and dark, fonts that can write Chinese, file formats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Microsoft YaHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "SimHei", "Heiti SC", "SimSun",
)  # fmt: skip
"""Fonts with simplified Chinese, the best first; those that the machine has are used."""

_LATIN_FONT = "DejaVu Sans"  # comes with Matplotlib
_PNG_DPI = 130


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of a picture, chosen from Okabe and Ito's set for all eyes.

    Attributes
    ----------
    background, ink, faint : of the page, of text and axes, of grid lines.
    same, different : of what belongs together and what does not.
    right, wrong : frames of ranked answers; a symbol stands beside them.
    series : for lines and groups of points, in turn.
    ramp : Matplotlib's name of the colour map of similarities.
    """

    background: str
    ink: str
    faint: str
    same: str
    different: str
    right: str
    wrong: str
    series: tuple[str, ...]
    ramp: str


LIGHT = Theme(
    background="#ffffff",
    ink="#1d2733",
    faint="#d5dbe3",
    same="#0072b2",
    different="#d55e00",
    right="#128a3a",
    wrong="#d0202e",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#5b5b5b", "#7a4fbf"),
    ramp="cividis",
)
DARK = Theme(
    background="#141a21",
    ink="#e3e8ee",
    faint="#36414d",
    same="#56b4e9",
    different="#f0915c",
    right="#3fbf68",
    wrong="#ff6b6b",
    series=("#56b4e9", "#f0915c", "#2fc9a0", "#e3a1c6", "#f0e442", "#8fb8ff", "#a8a8a8", "#b79bff"),
    ramp="cividis",
)


@cache
def font_families() -> tuple[str, ...]:
    """Return the fonts to write with: the first that has a glyph draws it."""
    from matplotlib import font_manager

    present = {font.name for font in font_manager.fontManager.ttflist}
    return (_LATIN_FONT, *(name for name in CHINESE_FONTS if name in present))


def printable(text: str) -> str:
    """Return ``text`` with □ for every character that no font here can draw."""
    return "".join(character if character.isspace() or _is_drawable(character) else "□" for character in text)


@cache
def _is_drawable(character: str) -> bool:
    return any(font.get_char_index(ord(character)) for font in _fonts())


@cache
def _fonts() -> tuple[Any, ...]:
    from matplotlib import font_manager

    return tuple(font_manager.get_font(font_manager.findfont(name)) for name in font_families())


@contextmanager
def drawing(theme: Theme) -> Iterator[None]:
    """Draw in ``theme`` within the block, whatever the process's own Matplotlib settings are."""
    import matplotlib

    settings: dict[Any, Any] = {
        "font.family": list(font_families()),
        "font.size": 10,
        "figure.facecolor": theme.background,
        "figure.constrained_layout.w_pad": 0.1,
        "figure.constrained_layout.h_pad": 0.08,
        "savefig.facecolor": theme.background,
        "axes.facecolor": theme.background,
        "axes.edgecolor": theme.faint,
        "axes.labelcolor": theme.ink,
        "axes.titlecolor": theme.ink,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": theme.faint,
        "grid.linewidth": 0.6,
        "text.color": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "legend.frameon": False,
        "hatch.linewidth": 0.6,
        "svg.hashsalt": "resight",  # the same figure gives the same file
        "svg.fonttype": "path",
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Return an empty figure of so many inches with one pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def png_of(figure: Figure) -> bytes:
    """Return the figure as a PNG file."""
    return _file_of(figure, format="png", dpi=_PNG_DPI)


def svg_of(figure: Figure) -> bytes:
    """Return the figure as an SVG file without anything of the moment in it."""
    return _file_of(figure, format="svg", metadata={"Date": None, "Creator": None})


def _file_of(figure: Figure, **options: Any) -> bytes:
    import matplotlib

    buffer = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "resight", "svg.fonttype": "path"}):
        figure.savefig(buffer, facecolor=figure.get_facecolor(), **options)
    return buffer.getvalue()

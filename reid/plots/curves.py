"""Curves: matching over rank, true over false matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reid.plots.style import LIGHT, Theme, drawing, new_figure, printable
from reid.verification import Verification

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D")
_LOWEST_RATE = 1e-6


def plot_cmc(curves: Mapping[str, NDArray[np.float64]], *, theme: Theme = LIGHT, ranks: int = 20) -> Figure:
    """Draw the share of queries that have a hit among the first k.

    Parameters
    ----------
    curves : by name, (K,) from rank 1.
    ranks : places that are shown.
    """
    with drawing(theme):
        figure, axes = new_figure(6, 4)
        for number, (name, curve) in enumerate(curves.items()):
            shown = curve[:ranks]
            axes.plot(
                np.arange(1, len(shown) + 1),
                100 * shown,
                _STYLES[number % len(_STYLES)],
                marker=_MARKERS[number % len(_MARKERS)],
                markersize=4,
                color=theme.series[number % len(theme.series)],
                label=printable(f"{name}: Rank-1 {100 * curve[0]:.1f} %"),
            )
        lowest = min((100 * float(curve[0]) for curve in curves.values()), default=0)
        axes.set(xlabel="rank k", ylabel="queries with a hit by rank k, %", xlim=(0.5, ranks + 0.5))
        axes.set_ylim(max(0, 10 * np.floor(lowest / 10) - 10), 101)
        axes.set_xticks([1, *range(5, ranks + 1, 5)])
        axes.legend(loc="lower right")
    return figure


def plot_roc(verification: Verification, *, theme: Theme = LIGHT) -> Figure:
    """Draw true matches over false matches, on a logarithmic scale, with the point of equal errors."""
    with drawing(theme):
        figure, axes = new_figure(6, 4)
        lowest = max(_LOWEST_RATE, verification.lowest_false_match_rate)
        false_rates = np.maximum(verification.false_match_rates, lowest)
        axes.semilogx(false_rates, 100 * verification.true_match_rates, color=theme.same)
        point = verification.equal_error
        axes.plot(
            [max(point.false_match_rate, lowest)],
            [100 * point.true_match_rate],
            marker="D",
            linestyle="none",
            color=theme.different,
            label=f"equal error rate {100 * verification.equal_error_rate:.2f} %",
        )
        axes.set(xlabel="false match rate", ylabel="true match rate, %", ylim=(-2, 102), xlim=(lowest, 1.2))
        axes.legend(loc="lower right")
    return figure

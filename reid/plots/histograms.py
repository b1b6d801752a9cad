"""How similarities of the same and of different identities are spread, and where thresholds lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from reid.plots.style import LIGHT, Theme, drawing, new_figure, printable
from reid.verification import Verification

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 60
_STYLES = ("--", ":", "-.")


def plot_histograms(
    verification: Verification, *, thresholds: Mapping[str, float] | None = None, theme: Theme = LIGHT
) -> Figure:
    """Draw both histograms, each scaled to its own number of pairs.

    Parameters
    ----------
    thresholds : similarities to mark, by name.
    """
    histograms = verification.histograms(_BINS)
    width = float(histograms.edges[1] - histograms.edges[0])
    with drawing(theme):
        figure, axes = new_figure(6.5, 4)
        for counts, name, colour, hatch, style in (
            (
                histograms.different,
                f"different ({verification.different_count:,} pairs)",
                theme.different,
                "\\\\\\",
                "-.",
            ),
            (histograms.same, f"same ({verification.same_count:,} pairs)", theme.same, "///", "-"),
        ):
            shares = 100 * counts / counts.sum()
            axes.stairs(
                shares, histograms.edges, fill=True, facecolor=(colour, 0.3), edgecolor=(colour, 0.6), hatch=hatch
            )
            axes.stairs(shares, histograms.edges, color=colour, linewidth=1.4, linestyle=style, label=name)
        for number, (name, similarity) in enumerate((thresholds or {}).items()):
            style = _STYLES[number % len(_STYLES)]
            axes.axvline(
                similarity,
                color=theme.ink,
                linestyle=style,
                linewidth=1.2,
                label=printable(f"{name}: {similarity:.3f}"),
            )
        tallest = max(float(np.max(counts / counts.sum())) for counts in (histograms.same, histograms.different))
        axes.set(xlabel="cosine similarity", ylabel=f"pairs in each {width:.3f}, %", ylim=(0, 125 * tallest))
        axes.legend(loc="upper left", fontsize=8.5)
    return figure

"""All similarities of some pictures as a picture: squares on the diagonal are identities that hold together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from records import FloatArray, IntArray
from reid.distance_blocks import unit_rows
from reid.plots.style import LIGHT, Theme, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_similarities(features: FloatArray, identities: IntArray, *, theme: Theme = LIGHT) -> Figure:
    """Draw the cosine similarity of each picture to each, sorted by identity; lines part the identities.

    Parameters
    ----------
    features : (N, D); up to a few hundred pictures can be told apart.
    identities : (N,).
    """
    order = np.argsort(identities, kind="stable")
    names, starts = np.unique(identities[order], return_index=True)
    ends = np.append(starts[1:], len(identities))
    unit = unit_rows(features[order])
    with drawing(theme):
        figure, axes = new_figure(6.2, 5.2)
        image = axes.imshow(unit @ unit.T, cmap=theme.ramp, vmax=1)
        axes.grid(visible=False)
        for start in starts[1:]:
            axes.axhline(start - 0.5, color="white", linewidth=0.7)
            axes.axvline(start - 0.5, color="white", linewidth=0.7)
        middles = (starts + ends - 1) / 2
        axes.set_xticks(middles, [str(name) for name in names], rotation=90, fontsize=7.5)
        axes.set_yticks(middles, [str(name) for name in names], fontsize=7.5)
        axes.tick_params(length=0)
        axes.set(xlabel="identity", ylabel="identity")
        for spine in axes.spines.values():
            spine.set_visible(False)
        figure.colorbar(image, ax=axes, label="cosine similarity", fraction=0.046)
    return figure

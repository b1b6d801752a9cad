"""Embeddings as points of a plane: alike ones lie together where the map is honest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from records import FloatArray, IntArray
from reid.distance_blocks import unit_rows
from reid.plots.style import LIGHT, Theme, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LEAST_FOR_TSNE = 10


def project_pca(features: FloatArray) -> tuple[NDArray[np.float64], float]:
    """Return (N, 2) positions along the two directions of most variance, and the share of variance they hold.

    The sign of each direction is fixed (its largest component is positive), so
    that the same embeddings give the same map.
    """
    unit = unit_rows(features).astype(np.float64)
    centred = unit - unit.mean(axis=0) if len(unit) else unit
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    main = np.zeros((2, features.shape[1]))
    kept = min(2, len(directions))
    main[:kept] = directions[:kept]
    largest = np.take_along_axis(main, np.abs(main).argmax(axis=1)[:, None], axis=1)
    main *= np.where(largest < 0, -1, 1)
    total = float((lengths**2).sum())
    return centred @ main.T, float((lengths[:2] ** 2).sum()) / total if total else 1.0


def project_tsne(features: FloatArray, *, seed: int = 0) -> NDArray[np.float64]:
    """Return (N, 2) positions by t-SNE, of cosine distance; needs scikit-learn.

    Raises
    ------
    ModuleNotFoundError
        where scikit-learn is not installed.
    ValueError
        for fewer than 10 embeddings.
    """
    if len(features) < _LEAST_FOR_TSNE:
        raise ValueError(f"t-SNE needs {_LEAST_FOR_TSNE} embeddings or more, not {len(features)}; use project_pca")
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(features) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed)
    positions: NDArray[np.float64] = tsne.fit_transform(unit_rows(features)).astype(np.float64)
    return positions


def plot_embedding_map(
    positions: NDArray[np.float64],
    identities: IntArray,
    cameras: IntArray,
    *,
    caption: str,
    theme: Theme = LIGHT,
) -> Figure:
    """Draw one point a picture; colour and number tell the identity, the shape tells the camera.

    Parameters
    ----------
    positions : (N, 2).
    identities, cameras : (N,). Few identities (about a dozen) are best.
    caption : says what the plane is.
    """
    names, camera_names = np.unique(identities), np.unique(cameras)
    with drawing(theme):
        figure, axes = new_figure(6.5, 5)
        for place, camera in enumerate(camera_names):
            chosen = cameras == camera
            colours = [theme.series[int(np.searchsorted(names, one)) % len(theme.series)] for one in identities[chosen]]
            axes.scatter(
                positions[chosen, 0],
                positions[chosen, 1],
                s=28,
                c=colours,
                marker=_MARKERS[place % len(_MARKERS)],
                edgecolors=theme.background,
                linewidths=0.5,
            )
        for number, name in enumerate(names):
            x, y = np.median(positions[identities == name], axis=0)
            axes.annotate(
                str(name),
                (x, y),
                ha="center",
                va="center",
                fontsize=8.5,
                fontweight="bold",
                color=theme.ink,
                bbox={
                    "boxstyle": "round,pad=0.2",
                    "facecolor": theme.background,
                    "edgecolor": theme.series[number % len(theme.series)],
                    "alpha": 0.85,
                },
            )
        axes.set(xlabel=caption, xticklabels=[], yticklabels=[])
        axes.tick_params(length=0)
        axes.legend(handles=[_camera_mark(*pair, theme) for pair in enumerate(camera_names)], fontsize=8.5)
    return figure


def _camera_mark(place: int, camera: int, theme: Theme) -> Line2D:
    """Return the legend's entry of a camera: its shape, in no identity's colour."""
    from matplotlib.lines import Line2D

    marker = _MARKERS[place % len(_MARKERS)]
    return Line2D([], [], linestyle="none", marker=marker, color=theme.ink, label=f"camera {camera}")

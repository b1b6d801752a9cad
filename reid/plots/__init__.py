"""Pictures of an evaluation. Each function returns a Matplotlib figure; nothing is shown or kept by itself.

Colours tell apart also for colour-blind eyes, and never alone: symbols, hatching
and line styles say the same.
"""

from reid.plots.curves import plot_cmc, plot_roc
from reid.plots.embedding_map import plot_embedding_map, project_pca, project_tsne
from reid.plots.heat_map import plot_similarities
from reid.plots.histograms import plot_histograms
from reid.plots.strips import Candidate, Strip, plot_strips
from reid.plots.style import DARK, LIGHT, Theme, png_of, svg_of

__all__ = [
    "DARK",
    "LIGHT",
    "Candidate",
    "Strip",
    "Theme",
    "plot_cmc",
    "plot_embedding_map",
    "plot_histograms",
    "plot_roc",
    "plot_similarities",
    "plot_strips",
    "png_of",
    "project_pca",
    "project_tsne",
    "svg_of",
]

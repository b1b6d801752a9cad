"""The pictures of a report: which queries, which identities, and what stands below them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from records import IntArray
from reid import plots
from reid.datasets.crops import read_picture
from reid.judgement import Judgement, ranked_answers
from reid.metrics.ranking import JUNK
from reid.plots import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ANSWERS = 10
_STRIPS = 5
_MAPPED_IDENTITIES, _MAPPED_IMAGES = 12, 240
FALSE_MATCH_RATES = (0.05, 0.01, 0.001, 0.0001)
_MARKED_RATE = 0.01
_LEGEND = (
    "On the left the query, then the best answers. ✓ and green: the same identity; ✗, red and dashed: another one."
)


@dataclass(frozen=True, eq=False)
class ReportFigure:
    """One picture of a report.

    Attributes
    ----------
    heading, text : above it; the text says how to read it.
    draw : draws it in a theme.
    """

    heading: str
    text: str
    draw: Callable[[Theme], Figure]


@dataclass(frozen=True, eq=False)
class StripGroup:
    """Some queries with their answers."""

    heading: str
    text: str
    strips: list[plots.Strip]


def choose_figures(judgement: Judgement) -> list[ReportFigure]:
    """Return the pictures that a judgement can have."""
    figures = [
        ReportFigure(
            "Matching curve",
            "The share of queries with a right answer among the first k.",
            lambda theme: plots.plot_cmc(_curves(judgement), theme=theme),
        )
    ]
    verification = judgement.verification
    if verification is not None:
        marks = {"equal error": verification.equal_error.similarity}
        if verification.lowest_false_match_rate <= _MARKED_RATE:
            marks[f"false matches {100 * _MARKED_RATE:g} %"] = verification.threshold_at(_MARKED_RATE).similarity
        figures += [
            ReportFigure(
                "Similarity of same and of different",
                "The less the two overlap, the surer a threshold tells them apart.",
                lambda theme: plots.plot_histograms(verification, thresholds=marks, theme=theme),
            ),
            ReportFigure(
                "True over false matches",
                "For each rate of false matches, how many of the right pairs a threshold finds.",
                lambda theme: plots.plot_roc(verification, theme=theme),
            ),
        ]
    return figures + _identity_figures(judgement)


def _curves(judgement: Judgement) -> dict[str, np.ndarray]:
    others = {ranking.value: evaluation.cmc for ranking, evaluation in judgement.others.items()}
    return {"as embedded": judgement.evaluation.cmc, **others}


def choose_strips(judgement: Judgement) -> list[StripGroup]:
    """Return strips of queries spread over all precisions, and of the worst ones.

    Where the protocol draws its queries there is no precision of each: then some queries by their place.
    """
    precisions = judgement.evaluation.average_precisions
    if not len(precisions):
        rows = np.flatnonzero(judgement.embedded.query.labelled.identities != JUNK)
        return [_strip_group(judgement, "Ranked answers", _LEGEND, _spread(rows))]
    order = np.argsort(precisions, kind="stable")
    worst_first = order[~np.isnan(precisions[order])]
    text = f"{_LEGEND} From the worst query at the top to the best."
    return [
        _strip_group(judgement, "Ranked answers", text, _spread(worst_first)),
        _strip_group(judgement, "Hardest queries", "Those with the lowest average precision.", worst_first[:_STRIPS]),
    ]


def _strip_group(judgement: Judgement, heading: str, text: str, rows: IntArray) -> StripGroup:
    return StripGroup(heading, text, [_strip(judgement, row) for row in rows.tolist()])


def _spread(rows: IntArray) -> IntArray:
    """Return a few rows from the first to the last."""
    spread: IntArray = rows[np.unique(np.linspace(0, len(rows) - 1, _STRIPS).astype(int))]
    return spread


def _strip(judgement: Judgement, row: int) -> plots.Strip:
    query, gallery = judgement.embedded.query, judgement.embedded.gallery
    positions, similarities = ranked_answers(judgement.embedded, row, ANSWERS)
    identity, camera = int(query.labelled.identities[row]), int(query.labelled.cameras[row])
    answers = [
        plots.Candidate(
            read_picture(gallery.paths[position]),
            bool(gallery.labelled.identities[position] == identity),
            f"{similarity:.2f} · cam {gallery.labelled.cameras[position]}",
        )
        for position, similarity in zip(positions.tolist(), similarities.tolist(), strict=True)
    ]
    return plots.Strip(read_picture(query.paths[row]), f"id {identity} · cam {camera}", answers)


def _identity_figures(judgement: Judgement) -> list[ReportFigure]:
    """Return the map and the heat map of some identities that have many pictures."""
    images = judgement.embedded.images
    names, counts = np.unique(images.identities[images.identities != JUNK], return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:_MAPPED_IDENTITIES]
    share = _MAPPED_IMAGES // max(1, len(largest))
    chosen = np.sort(np.concatenate([np.flatnonzero(images.identities == name)[:share] for name in largest]))
    few = images.select(chosen)
    positions, variance = plots.project_pca(few.features)
    return [
        ReportFigure(
            "Map of embeddings",
            f"The {len(largest)} identities with most pictures, projected onto a plane. Points of one colour should "
            "lie together, whatever their shape.",
            lambda theme: plots.plot_embedding_map(
                positions,
                few.identities,
                few.cameras,
                caption=f"PCA, {100 * variance:.0f} % of the variance",
                theme=theme,
            ),
        ),
        ReportFigure(
            "Similarities",
            "The same pictures, each against each. Bright squares on the diagonal and darkness elsewhere are best.",
            lambda theme: plots.plot_similarities(few.features, few.identities, theme=theme),
        ),
    ]

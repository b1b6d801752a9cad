"""All that is found out about a model on a data set: figures, and the answers that pictures show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from errors import DataError
from records import FloatArray, IntArray
from reid.embedded import Embedded, Protocol
from reid.labelled import LabelledFeatures
from reid.metrics import (
    Evaluation,
    evaluate,
    evaluate_leave_one_out,
    evaluate_ranking,
    evaluate_single_shot,
    evaluate_vehicleid,
)
from reid.metrics.ranking import JUNK
from reid.rerank import Reranker, expand_all
from reid.verification import Verification, verify


class Ranking(str, Enum):
    """Another order of the answers than that of plain distances; for Market's rule only."""

    RERANKED = "re-ranked"
    """By k-reciprocal neighbours."""
    EXPANDED = "expanded"
    """By queries and gallery pictures that are averaged with their nearest (AQE)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """What is said of a model on a data set.

    Attributes
    ----------
    evaluation : by plain distances; others : by the rankings that were asked for, where the protocol has them.
    verification : over pairs; None where there are too few, `verification_fault` says so then.
    """

    embedded: Embedded
    evaluation: Evaluation
    others: Mapping[Ranking, Evaluation]
    verification: Verification | None
    verification_fault: DataError | None

    def as_json(self) -> dict[str, Any]:
        """Return the figures, of JSON types."""
        return {
            "dataset": self.embedded.dataset,
            "model": self.embedded.model,
            "evaluation": self.evaluation.as_json(),
            "others": {ranking.value: evaluation.as_json() for ranking, evaluation in self.others.items()},
            "verification": self.verification.as_json() if self.verification else None,
        }


def judge(embedded: Embedded, *, rankings: Collection[Ranking] = ()) -> Judgement:
    """Evaluate embeddings by their protocol, and over pairs.

    Parameters
    ----------
    rankings : judge these as well; ignored where the protocol is not Market's.

    Raises
    ------
    DataError
        when no query has anything to find.
    """
    query, gallery = embedded.query.labelled, embedded.gallery.labelled
    evaluation = _EVALUATIONS[embedded.protocol](query, gallery)
    others = {}
    if embedded.protocol is Protocol.MARKET1501:
        others = {ranking: _RANKINGS[ranking](query, gallery) for ranking in Ranking if ranking in rankings}
    images = embedded.images
    has_cameras = embedded.protocol in (Protocol.MARKET1501, Protocol.CUHK03_CLASSIC)
    verification, fault = None, None
    try:
        verification = verify(images, across_cameras=has_cameras)
    except DataError as error:
        fault = error
    return Judgement(
        embedded=embedded,
        evaluation=evaluation,
        others=others,
        verification=verification,
        verification_fault=fault,
    )


_EVALUATIONS: dict[Protocol, Callable[[LabelledFeatures, LabelledFeatures], Evaluation]] = {
    Protocol.MARKET1501: evaluate,
    Protocol.CUHK03_CLASSIC: evaluate_single_shot,
    Protocol.VEHICLEID: lambda images, _: evaluate_vehicleid(images),
    Protocol.LEAVE_ONE_OUT: lambda images, _: evaluate_leave_one_out(images),
}


def _evaluate_reranked(query: LabelledFeatures, gallery: LabelledFeatures) -> Evaluation:
    return evaluate_ranking(Reranker(query.features, gallery.features).blocks(), query, gallery)


def _evaluate_expanded(query: LabelledFeatures, gallery: LabelledFeatures) -> Evaluation:
    queries, galleries = expand_all(query.features, gallery.features)
    return evaluate(replace(query, features=queries), replace(gallery, features=galleries))


_RANKINGS = {Ranking.RERANKED: _evaluate_reranked, Ranking.EXPANDED: _evaluate_expanded}


def ranked_answers(embedded: Embedded, row: int, count: int) -> tuple[IntArray, FloatArray]:
    """Return the positions in the gallery and the similarities of one query's best answers, without its junk."""
    query, gallery = embedded.query.labelled, embedded.gallery.labelled
    lengths = np.linalg.norm(gallery.features, axis=1) * np.linalg.norm(query.features[row])
    products = gallery.features @ query.features[row]
    similarities = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    is_junk = gallery.identities == JUNK
    if embedded.query is embedded.gallery:
        is_junk[row] = True
    else:
        is_junk |= (gallery.identities == query.identities[row]) & (gallery.cameras == query.cameras[row])
    similarities[is_junk] = -np.inf
    best = np.argsort(-similarities, kind="stable")[: min(count, int((~is_junk).sum()))]
    return best, similarities[best]

"""The one result of all protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import DataError
from records import IntArray
from reid.metrics.average_precision import inverse_negative_penalty, step_precision, triangle_precision


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """How well queries found their own in a gallery.

    Attributes
    ----------
    protocol : the rule that was followed, e.g. ``market1501``.
    cmc : (K,) float64; at [k − 1] the share of judged queries with a hit among the first k (Rank-k, Recall@k).
    mean_ap : mean average precision, *step* form (torchreid, fast-reid).
    mean_ap_triangle : the same in Market's original form.
    mean_inp : mean inverse negative penalty; nan where a protocol has none.
    judged_queries, skipped_queries : with and without a picture to be found.
    gallery_size : pictures in the gallery.
    repeats : random draws that were averaged; 1 where nothing is drawn.
    average_precisions : (Q,) float64, *step*, of each query; nan where skipped. Empty where draws were averaged.
    first_hits : (Q,) int64, the rank of each query's first hit; 0 where skipped. Empty where draws were averaged.
    """

    protocol: str
    cmc: NDArray[np.float64]
    mean_ap: float
    mean_ap_triangle: float
    mean_inp: float
    judged_queries: int
    skipped_queries: int
    gallery_size: int
    repeats: int
    average_precisions: NDArray[np.float64]
    first_hits: IntArray

    def rank(self, place: int) -> float:
        """Return Rank-``place``; beyond the end of the curve its last value.

        Raises
        ------
        ValueError
            for a place below 1.
        """
        if place < 1:
            raise ValueError(f"ranks begin at 1, not {place}")
        return float(self.cmc[min(place, len(self.cmc)) - 1])

    def as_json(self) -> dict[str, Any]:
        """Return the figures without the queries' own, of JSON types."""
        return {
            "protocol": self.protocol,
            "rank_1": self.rank(1),
            "rank_5": self.rank(5),
            "rank_10": self.rank(10),
            "rank_20": self.rank(20),
            "mAP": self.mean_ap,
            "mAP_triangle": self.mean_ap_triangle,
            "mINP": None if np.isnan(self.mean_inp) else self.mean_inp,
            "judged_queries": self.judged_queries,
            "skipped_queries": self.skipped_queries,
            "gallery_size": self.gallery_size,
            "repeats": self.repeats,
            "cmc": self.cmc.tolist(),
        }


def summarise(ranks_by_query: Sequence[IntArray], *, protocol: str, gallery_size: int, max_rank: int) -> Evaluation:
    """Average over queries.

    Parameters
    ----------
    ranks_by_query : of each query the ranks of what was to be found, rising; empty: the query is skipped.
    max_rank : length of the CMC curve, at most the gallery's size.

    Raises
    ------
    DataError
        when no query has anything to find.
    """
    if not any(len(ranks) for ranks in ranks_by_query):
        raise DataError("data.no_match", queries=len(ranks_by_query))
    is_judged = np.array([len(ranks) > 0 for ranks in ranks_by_query], bool)
    judged = [ranks for ranks in ranks_by_query if len(ranks)]
    precisions = np.full(len(is_judged), np.nan)
    precisions[is_judged] = [step_precision(ranks) for ranks in judged]
    first_hits = np.array([ranks[0] if len(ranks) else 0 for ranks in ranks_by_query], np.int64)
    return Evaluation(
        protocol=protocol,
        cmc=matching_curve(first_hits[is_judged], min(max_rank, gallery_size)),
        mean_ap=float(np.mean(precisions[is_judged])),
        mean_ap_triangle=float(np.mean([triangle_precision(ranks) for ranks in judged])),
        mean_inp=float(np.mean([inverse_negative_penalty(ranks) for ranks in judged])),
        judged_queries=len(judged),
        skipped_queries=len(is_judged) - len(judged),
        gallery_size=gallery_size,
        repeats=1,
        average_precisions=precisions,
        first_hits=first_hits,
    )


def matching_curve(first_hits: IntArray, length: int) -> NDArray[np.float64]:
    """Return (length,) shares of the queries whose first hit lies within the first k.

    Parameters
    ----------
    first_hits : ranks from 1, one for each judged query (and draw); at least one.
    """
    counts = np.bincount(np.minimum(first_hits, length + 1), minlength=length + 2)[1 : length + 1]
    curve: NDArray[np.float64] = np.cumsum(counts) / first_hits.size
    return curve

"""The rule of Market-1501, which DukeMTMC-reID, CUHK03 767/700 and VeRi-776 share.

For each query the gallery's pictures of the same identity *by the same camera*
are taken out (they are too easy), and so is everything labelled -1. Pictures
that match no query, such as Market's identity 0000, stay as distractors. Queries
that have nothing to find are skipped, not counted as wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from records import IntArray
from reid.distance_blocks import DEFAULT_BLOCK_BYTES, DistanceBlock, distance_blocks
from reid.labelled import IdentityIndex, LabelledFeatures
from reid.metrics.evaluation import Evaluation, summarise
from reid.metrics.ranking import DEFAULT_MAX_RANK, JUNK, Wanted, ranks_in_block


def evaluate(
    query: LabelledFeatures,
    gallery: LabelledFeatures,
    *,
    metric: str = "cosine",
    max_rank: int = DEFAULT_MAX_RANK,
    block_bytes: int = DEFAULT_BLOCK_BYTES,
) -> Evaluation:
    """Judge embeddings by Market's rule.

    Parameters
    ----------
    metric : ``cosine`` or ``euclidean``.
    max_rank : length of the CMC curve.
    block_bytes : most bytes of distances that are held at a time.

    Raises
    ------
    DataError
        when no query has anything to find.
    ValueError
        when dimensions differ or the metric is unknown.
    """
    blocks = distance_blocks(query.features, gallery.features, metric=metric, block_bytes=block_bytes)
    return evaluate_ranking(blocks, query, gallery, max_rank=max_rank)


def evaluate_ranking(
    blocks: Iterable[DistanceBlock],
    query: LabelledFeatures,
    gallery: LabelledFeatures,
    *,
    max_rank: int = DEFAULT_MAX_RANK,
) -> Evaluation:
    """Judge distances of any origin by Market's rule; the features are not looked at.

    Parameters
    ----------
    blocks : the distances of all queries to all of the gallery, in order; they are used up.

    Raises
    ------
    DataError
        when no query has anything to find.
    ValueError
        when the blocks do not cover the queries.
    """
    index = IdentityIndex(gallery.identities)
    nobody = index.positions(JUNK)
    ranks_by_query: list[IntArray] = []
    for block in blocks:
        ranks_by_query += ranks_in_block(block, lambda row: wanted_of(row, query, gallery, index), nobody)
    if len(ranks_by_query) != len(query):
        raise ValueError(f"distances of {len(ranks_by_query)} queries came for {len(query)}")
    return summarise(ranks_by_query, protocol="market1501", gallery_size=len(gallery) - len(nobody), max_rank=max_rank)


def wanted_of(row: int, query: LabelledFeatures, gallery: LabelledFeatures, index: IdentityIndex) -> Wanted:
    """Return what query ``row`` has to find: its identity by other cameras; by its own camera it is junk."""
    identity = int(query.identities[row])
    if identity == JUNK:
        return Wanted(index.nowhere, index.nowhere)
    same_identity = index.positions(identity)
    is_same_camera = gallery.cameras[same_identity] == query.cameras[row]
    return Wanted(same_identity[~is_same_camera], same_identity[is_same_camera])

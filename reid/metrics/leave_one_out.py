"""Recall@k over all pictures, each against all others: the measure of Paddle's metric learning.

Cameras play no part, and there is no gallery of its own. A picture whose
identity has no other one counts as a miss, as it does there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from records import IntArray
from reid.distance_blocks import DEFAULT_BLOCK_BYTES, distance_blocks
from reid.labelled import IdentityIndex, LabelledFeatures
from reid.metrics.evaluation import Evaluation, summarise
from reid.metrics.ranking import DEFAULT_MAX_RANK, JUNK, Wanted, ranks_in_block


def evaluate_leave_one_out(
    images: LabelledFeatures,
    *,
    metric: str = "cosine",
    max_rank: int = DEFAULT_MAX_RANK,
    block_bytes: int = DEFAULT_BLOCK_BYTES,
) -> Evaluation:
    """Judge embeddings by the nearest other pictures; ``rank(k)`` of the result is Recall@k.

    Recall counts all pictures but those labelled -1; the averages of precision
    count the pictures that have another one of their identity.

    Raises
    ------
    DataError
        when no identity has two pictures.
    """
    images = images.select(images.identities != JUNK)
    index = IdentityIndex(images.identities)

    def others(row: int) -> Wanted:
        same_identity = index.positions(int(images.identities[row]))
        return Wanted(same_identity[same_identity != row], np.array([row]))

    ranks: list[IntArray] = []
    for block in distance_blocks(images.features, images.features, metric=metric, block_bytes=block_bytes):
        ranks += ranks_in_block(block, others, index.nowhere)
    result = summarise(ranks, protocol="leave_one_out", gallery_size=len(images) - 1, max_rank=max_rank)
    return replace(result, cmc=result.cmc * (result.judged_queries / len(images)))

"""Protocols with one gallery picture an identity, drawn at random and averaged over draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from errors import DataError
from records import FloatArray, IntArray
from reid.distance_blocks import DEFAULT_BLOCK_BYTES, distance_blocks
from reid.labelled import IdentityIndex, LabelledFeatures
from reid.metrics.average_precision import triangle_precision
from reid.metrics.evaluation import Evaluation, matching_curve, summarise
from reid.metrics.market1501 import wanted_of
from reid.metrics.ranking import DEFAULT_MAX_RANK, JUNK, ranks_in_block

DEFAULT_REPEATS = 10


def evaluate_single_shot(
    query: LabelledFeatures,
    gallery: LabelledFeatures,
    *,
    metric: str = "cosine",
    repeats: int = DEFAULT_REPEATS,
    seed: int = 0,
    max_rank: int = DEFAULT_MAX_RANK,
    block_bytes: int = DEFAULT_BLOCK_BYTES,
) -> Evaluation:
    """Judge embeddings as CUHK03 classic does.

    For the CMC, every query meets one random picture of each gallery identity
    (its own by another camera), ``repeats`` times. The precisions are those of the
    whole gallery under Market's rule.

    Raises
    ------
    DataError
        when no query has anything to find.
    """
    gallery = gallery.select(gallery.identities != JUNK)
    index = IdentityIndex(gallery.identities)
    generator = np.random.default_rng(seed)
    ranks: list[IntArray] = []
    first_hits: list[IntArray] = []
    for block in distance_blocks(query.features, gallery.features, metric=metric, block_bytes=block_bytes):
        for line, row in zip(block.distances, range(block.rows.start, block.rows.stop), strict=True):
            hits = wanted_of(row, query, gallery, index).hits
            if len(hits):
                own = line[generator.choice(hits, repeats)]
                others = index.names != query.identities[row]
                first_hits.append(_place(own, line[index.draw(generator, repeats)[:, others]]))
        ranks += ranks_in_block(block, lambda row: wanted_of(row, query, gallery, index), index.nowhere)
    result = summarise(ranks, protocol="cuhk03_classic", gallery_size=len(gallery), max_rank=max_rank)
    curve = matching_curve(np.concatenate(first_hits), min(max_rank, len(index.names)))
    return replace(result, cmc=curve, repeats=repeats, first_hits=index.nowhere)


def evaluate_vehicleid(
    images: LabelledFeatures,
    *,
    metric: str = "cosine",
    repeats: int = DEFAULT_REPEATS,
    seed: int = 0,
    max_rank: int = DEFAULT_MAX_RANK,
    block_bytes: int = DEFAULT_BLOCK_BYTES,
) -> Evaluation:
    """Judge embeddings as VehicleID does: a random picture of each identity is the gallery, all others are queries.

    Cameras play no part. ``judged_queries`` counts those of one draw.

    Raises
    ------
    DataError
        when no identity has two pictures.
    """
    images = images.select(images.identities != JUNK)
    index = IdentityIndex(images.identities)
    query_count = len(images) - len(index.names)
    if query_count == 0:
        raise DataError("data.no_match", queries=len(images))
    own_column = np.searchsorted(index.names, images.identities)
    places = np.concatenate(
        [
            _places_of_draw(images, drawn, own_column, metric, block_bytes)
            for drawn in index.draw(np.random.default_rng(seed), repeats)
        ]
    )
    precision = float(np.mean(1 / places))  # a single hit: its precision, and its negative penalty as well
    return Evaluation(
        protocol="vehicleid",
        cmc=matching_curve(places, min(max_rank, len(index.names))),
        mean_ap=precision,
        mean_ap_triangle=float(np.mean([triangle_precision(place) for place in places[:, None]])),
        mean_inp=precision,
        judged_queries=query_count,
        skipped_queries=0,
        gallery_size=len(index.names),
        repeats=repeats,
        average_precisions=np.zeros(0),
        first_hits=index.nowhere,
    )


def _places_of_draw(
    images: LabelledFeatures, drawn: IntArray, own_column: IntArray, metric: str, block_bytes: int
) -> IntArray:
    """Return the rank at which each picture outside the drawn gallery meets its own identity."""
    is_query = np.ones(len(images), bool)
    is_query[drawn] = False
    columns = own_column[is_query]
    places: list[IntArray] = []
    blocks = distance_blocks(images.features[is_query], images.features[drawn], metric=metric, block_bytes=block_bytes)
    for rows, distances in blocks:
        own = distances[np.arange(len(distances)), columns[rows]]
        places.append(_place(own, distances) - 1)  # its own is among them
    return np.concatenate(places)


def _place(own: FloatArray, others: FloatArray) -> IntArray:
    """Return 1 + how many of each row of ``others`` are no farther than ``own``: ties count as errors."""
    places: IntArray = 1 + np.count_nonzero(others <= own[:, None], axis=1)
    return places

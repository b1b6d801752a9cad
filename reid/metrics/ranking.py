"""From distances to the ranks of what was to be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from records import FloatArray, IntArray
from reid.distance_blocks import DistanceBlock

JUNK = -1
"""The identity of pictures that show nobody of use; they are taken out of every gallery."""

DEFAULT_MAX_RANK = 50


class Wanted(NamedTuple):
    """What one query has to do with the gallery.

    Attributes
    ----------
    hits : (M,) positions of what is to be found; none: the query is skipped.
    junk : positions of what counts neither as right nor as wrong.
    """

    hits: IntArray
    junk: IntArray


def ranks_in_block(block: DistanceBlock, wanted: Callable[[int], Wanted], nobody: IntArray) -> list[IntArray]:
    """Return for each query of the block the ranks of its hits, rising; the block is used up.

    Parameters
    ----------
    wanted : says of a query's row what it has to find.
    nobody : (J,) positions of the gallery that are junk to every query.
    """
    distances = block.distances
    hits: list[FloatArray] = []
    for line, row in zip(distances, range(block.rows.start, block.rows.stop), strict=True):
        positions, junk = wanted(row)
        hits.append(line[positions])
        line[junk] = np.inf
    distances[:, nobody] = np.inf
    distances.sort(axis=1)
    return [ranks_of_hits(hit, line) for hit, line in zip(hits, distances, strict=True)]


def ranks_of_hits(hit_distances: FloatArray, sorted_distances: FloatArray) -> IntArray:
    """Return the ranks of the pictures to be found, rising.

    A wrong picture at the same distance counts as before the right one, so that
    embeddings that are all alike are worth nothing, whatever the gallery's order.

    Parameters
    ----------
    hit_distances : (M,) of the pictures to be found.
    sorted_distances : (G,) of all pictures that count, rising, those to be found among them; +inf at the end is
        ignored.
    """
    hits = np.sort(hit_distances)
    found = np.arange(1, len(hits) + 1)
    hits_so_far = np.searchsorted(hits, hits, side="right")
    wrong_before = np.searchsorted(sorted_distances, hits, side="right") - hits_so_far
    return (wrong_before + found).astype(np.int64)

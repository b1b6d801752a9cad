"""Distances of many queries to a gallery, a block of rows at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from records import FloatArray

DEFAULT_BLOCK_BYTES = 64 * 1024**2
METRICS = ("cosine", "euclidean")


class DistanceBlock(NamedTuple):
    """The distances of some consecutive queries.

    Attributes
    ----------
    rows : which queries.
    distances : (rows, G) float32; whoever receives the block may change it.
    """

    rows: slice
    distances: FloatArray


def unit_rows(features: FloatArray) -> FloatArray:
    """Return the rows scaled to length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled = np.zeros(features.shape, np.float32)
    np.divide(features, lengths, out=scaled, where=lengths > 0)
    return scaled


def row_blocks(row_count: int, bytes_per_row: int, block_bytes: int = DEFAULT_BLOCK_BYTES) -> Iterator[slice]:
    """Yield slices that cover all rows, each of at most ``block_bytes`` (but at least one row)."""
    step = max(1, block_bytes // max(1, bytes_per_row))
    for start in range(0, row_count, step):
        yield slice(start, min(start + step, row_count))


def distance_blocks(
    queries: FloatArray, gallery: FloatArray, *, metric: str = "cosine", block_bytes: int = DEFAULT_BLOCK_BYTES
) -> Iterator[DistanceBlock]:
    """Yield the distances of all queries to all of the gallery.

    Parameters
    ----------
    queries, gallery : (Q, D) and (G, D) float32, of any length.
    metric : ``cosine`` (1 − cosine similarity) or ``euclidean`` (squared, which ranks alike).
    block_bytes : most bytes of one block.

    Raises
    ------
    ValueError
        when dimensions differ or the metric is unknown.
    """
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise ValueError(f"(Q, D) and (G, D) with the same D are wanted, not {queries.shape} and {gallery.shape}")
    if metric == "cosine":
        yield from _cosine_blocks(unit_rows(queries), unit_rows(gallery), block_bytes)
    elif metric == "euclidean":
        yield from squared_euclidean_blocks(queries, gallery, block_bytes=block_bytes)
    else:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, not “{metric}”")


def squared_euclidean_blocks(
    queries: FloatArray, gallery: FloatArray, *, block_bytes: int = DEFAULT_BLOCK_BYTES
) -> Iterator[DistanceBlock]:
    """Yield ‖q − g‖² = ‖q‖² + ‖g‖² − 2 q·g, clipped at 0 from below; see `distance_blocks`."""
    query_squares = np.einsum("nd,nd->n", queries, queries)
    gallery_squares = np.einsum("nd,nd->n", gallery, gallery)
    transposed = np.ascontiguousarray(gallery.T)
    for rows in row_blocks(len(queries), 4 * len(gallery), block_bytes):
        distances: FloatArray = (-2 * queries[rows]) @ transposed
        distances += query_squares[rows, None]
        distances += gallery_squares
        np.maximum(distances, 0, out=distances)
        yield DistanceBlock(rows, distances)


def _cosine_blocks(queries: FloatArray, gallery: FloatArray, block_bytes: int) -> Iterator[DistanceBlock]:
    transposed = np.ascontiguousarray(gallery.T)
    for rows in row_blocks(len(queries), 4 * len(gallery), block_bytes):
        distances: FloatArray = (-queries[rows]) @ transposed
        distances += 1
        yield DistanceBlock(rows, distances)

"""Re-ranking by k-reciprocal neighbours, in sparse matrices and blocks, and query expansion.

Zhong, Zheng, Cao, Li: *Re-ranking Person Re-identification with k-reciprocal
Encoding* (CVPR 2017). The published script holds several N × N matrices of all
queries and gallery pictures together; here N × N exists a block at a time, and
what is kept of a picture are its neighbours alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from records import FloatArray, IntArray
from reid.distance_blocks import (
    DEFAULT_BLOCK_BYTES,
    DistanceBlock,
    row_blocks,
    squared_euclidean_blocks,
    unit_rows,
)

_PAIRS_AT_ONCE = 8192
_BYTES_PER_PAIR = 16  # a similarity, its negative, and an index of 64 bits


@dataclass(frozen=True, kw_only=True)
class RerankOptions:
    """The parameters of the paper, with its values for Market-1501.

    Attributes
    ----------
    k1 : neighbours that may be reciprocal.
    k2 : neighbours that a picture's encoding is averaged over; 1 averages nothing.
    original_weight : λ, the share of the original distance in the result, 0 to 1.
    """

    k1: int = 20
    k2: int = 6
    original_weight: float = 0.3

    def __post_init__(self) -> None:
        if self.k1 < 1 or self.k2 < 1 or not 0 <= self.original_weight <= 1:
            raise ValueError(
                "k1 and k2 must be 1 or more and original_weight 0 to 1, not "
                f"{self.k1}, {self.k2} and {self.original_weight}"
            )


class Reranker:
    """Distances of queries to a gallery that know the neighbours of both.

    d*(q, g) = (1 − λ) (1 − Σ min(V_q, V_g) / Σ max(V_q, V_g)) + λ d²(q, g) / max d²(q, ·),
    V_i the encoding of picture i: exp(−d²) over its reciprocal neighbours, summing to 1.

    Parameters
    ----------
    queries, gallery : (Q, D) and (G, D) float32; scaled to unit length here.
    block_bytes : most bytes of a block of distances.
    """

    def __init__(
        self,
        queries: FloatArray,
        gallery: FloatArray,
        options: RerankOptions | None = None,
        *,
        block_bytes: int = DEFAULT_BLOCK_BYTES,
    ) -> None:
        self._options = options or RerankOptions()
        self._query_count = len(queries)
        self._features = unit_rows(np.concatenate([queries, gallery]))
        self._block_bytes = block_bytes
        self._neighbours, self._farthest = self._nearest()
        self._encoding = self._encode()

    def blocks(self) -> Iterator[DistanceBlock]:
        """Yield the re-ranked distances of all queries to all of the gallery, in order."""
        weight = self._options.original_weight
        queries, gallery = self._features[: self._query_count], self._features[self._query_count :]
        holders = self._encoding[self._query_count :].tocsc()
        for block in squared_euclidean_blocks(queries, gallery, block_bytes=self._block_bytes):
            distances = block.distances
            distances *= weight / self._farthest[block.rows, None]
            for line, row in zip(distances, range(block.rows.start, block.rows.stop), strict=True):
                shared = _shared_weight(self._encoding, row, holders)
                line += np.float32(1 - weight) * (1 - shared / (2 - shared))
            yield block

    def _nearest(self) -> tuple[IntArray, FloatArray]:
        """Return (N, k) each picture's nearest, itself first, and (N,) the squared distance of its farthest."""
        count = len(self._features)
        kept = min(max(self._options.k1 + 1, self._options.k2), count)
        neighbours = np.empty((count, kept), np.int64)
        farthest = np.empty(count, np.float32)
        for rows, distances in squared_euclidean_blocks(
            self._features,
            self._features,
            block_bytes=self._block_bytes // 3,  # argpartition's indices are 64-bit
        ):
            farthest[rows] = distances.max(axis=1)
            distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = -1
            nearest = np.argpartition(distances, kept - 1, axis=1)[:, :kept]
            order = np.argsort(np.take_along_axis(distances, nearest, axis=1), axis=1, kind="stable")
            neighbours[rows] = np.take_along_axis(nearest, order, axis=1)
        farthest[farthest == 0] = 1  # all pictures are the same one
        return neighbours, farthest

    def _encode(self) -> Any:
        """Return V, (N, N) sparse with float32 weights over each picture's expanded reciprocal neighbours."""
        mutual = self._reciprocal(self._options.k1)
        half_mutual = self._reciprocal(int(np.around(self._options.k1 / 2)))
        sizes = np.asarray(half_mutual.sum(axis=1)).ravel()
        overlap = (mutual @ half_mutual.T).multiply(mutual).tocsr()
        overlap.data = (overlap.data > 2 / 3 * sizes[overlap.indices]).astype(np.float32)
        overlap.eliminate_zeros()
        members = (mutual + overlap @ half_mutual).tocsr()
        members.sort_indices()
        members.data = np.exp(-self._normalised_distances(members)).astype(np.float32)
        members.data /= np.repeat(np.asarray(members.sum(axis=1)).ravel(), np.diff(members.indptr))
        if self._options.k2 == 1:
            return members
        return (self._graph(self._options.k2) @ members / np.float32(self._width(self._options.k2))).tocsr()

    def _reciprocal(self, k: int) -> Any:
        """Return which pictures are among each other's k nearest (and itself)."""
        graph = self._graph(k + 1)
        return graph.multiply(graph.T).tocsr()

    def _graph(self, width: int) -> Any:
        """Return (N, N) sparse ones at each picture's first ``width`` neighbours, itself counted."""
        from scipy import sparse  # not at the top: the web process loads this file

        width = self._width(width)
        count = len(self._neighbours)
        columns = self._neighbours[:, :width].ravel()
        starts = np.arange(0, count * width + 1, width)
        return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(count, count))

    def _width(self, width: int) -> int:
        return min(width, int(self._neighbours.shape[1]))

    def _normalised_distances(self, members: Any) -> FloatArray:
        """Return the squared distance of each stored pair over the farthest of its row."""
        rows = np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))
        distances = np.empty(len(rows), np.float32)
        for part in row_blocks(len(rows), 1, _PAIRS_AT_ONCE):
            differences = self._features[rows[part]] - self._features[members.indices[part]]
            distances[part] = np.einsum("nd,nd->n", differences, differences)
        normalised: FloatArray = distances / self._farthest[rows]
        return normalised


def rerank(queries: FloatArray, gallery: FloatArray, options: RerankOptions | None = None) -> FloatArray:
    """Return (Q, G) float32 re-ranked distances at once; for large sets read `Reranker.blocks`."""
    distances = np.empty((len(queries), len(gallery)), np.float32)
    if distances.size:
        for rows, block in Reranker(queries, gallery, options).blocks():
            distances[rows] = block
    return distances


def _shared_weight(encoding: Any, row: int, holders: Any) -> FloatArray:
    """Return Σ_j min(V[row, j], V[i, j]) for each i of ``holders``, which is V's other part by columns."""
    start, end = encoding.indptr[row], encoding.indptr[row + 1]
    columns, weights = encoding.indices[start:end], encoding.data[start:end]
    firsts, counts = holders.indptr[columns], np.diff(holders.indptr)[columns]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    places = np.repeat(firsts, counts) + within
    lesser = np.minimum(holders.data[places], np.repeat(weights, counts))
    shared: FloatArray = np.bincount(holders.indices[places], lesser, holders.shape[0]).astype(np.float32)
    return shared


def expand_all(
    queries: FloatArray, gallery: FloatArray, *, k: int = 5, alpha: float = 3.0
) -> tuple[FloatArray, FloatArray]:
    """Return queries and gallery, each picture averaged with its nearest (AQE, as fast-reid does it).

    f' = Σ simᵅ f over the k nearest among queries and gallery together, itself
    the first of them, scaled to unit length; a similarity below 0 counts as 0.

    Parameters
    ----------
    queries, gallery : (Q, D) and (G, D) float32, of any length.
    k : pictures that are averaged, the picture itself among them.
    alpha : how fast weights fall with similarity; 0 weighs all alike.

    Raises
    ------
    ValueError
        for k below 1 or alpha below 0.
    """
    if k < 1 or alpha < 0:
        raise ValueError(f"k must be 1 or more and alpha 0 or more, not {k} and {alpha}")
    everyone = unit_rows(np.concatenate([queries, gallery]))
    expanded = np.zeros_like(everyone)
    kept = min(k, len(everyone))
    for rows in row_blocks(len(everyone), _BYTES_PER_PAIR * len(everyone)):
        similarities = everyone[rows] @ everyone.T
        nearest = np.argpartition(-similarities, kept - 1, axis=1)[:, :kept]
        weights = np.maximum(np.take_along_axis(similarities, nearest, axis=1), 0) ** np.float32(alpha)
        expanded[rows] = np.einsum("qk,qkd->qd", weights, everyone[nearest])
    expanded = unit_rows(expanded)
    return expanded[: len(queries)], expanded[len(queries) :]

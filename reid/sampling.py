"""Which crops make a batch. No identity is ever dropped: a small one gives its crops more than once.

A sampler keeps no state. Batch ``k`` depends on the seed and on ``k`` alone, so
a resumed training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from errors import DataError
from records import IntArray


class Sampler(Protocol):
    """Chooses the rows of each batch."""

    @property
    def batches_per_epoch(self) -> int:
        """How many batches show everything once."""

    def batch(self, iteration: int) -> IntArray:
        """Return the (B,) rows of batch ``iteration``, counted from 0."""


class ShuffledSampler:
    """Every crop once an epoch, in an order that changes; the last batch is filled from the epoch's beginning.

    Parameters
    ----------
    count : number of crops, at least 1.
    batch_size : may exceed ``count``; then crops repeat.
    """

    def __init__(self, count: int, batch_size: int, *, seed: int = 0) -> None:
        if count < 1 or batch_size < 1:
            raise ValueError(f"count and batch_size must be 1 or more, not {count} and {batch_size}")
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self.batches_per_epoch = -(-count // batch_size)

    def batch(self, iteration: int) -> IntArray:
        """Return (batch_size,) rows; see `Sampler.batch`."""
        return _slice_of_epoch(self._count, self._batch_size, iteration, self._seed)


class PKSampler:
    """P identities with K crops of each, one identity after the other.

    Identities come in an order that changes each epoch, and all of them come.
    Where an identity has fewer than K crops, all are taken and some again.

    Parameters
    ----------
    identities : (N,) of the crops.
    cameras : (N,); where given, the K crops are spread over as many cameras as the identity has.
    p, k : identities in a batch, and crops of each.

    Raises
    ------
    DataError
        when there are fewer than P identities.
    """

    def __init__(self, identities: IntArray, *, p: int, k: int, cameras: IntArray | None = None, seed: int = 0) -> None:
        self._rows = _rows_by_identity(identities)
        if len(self._rows) < p:
            raise DataError("data.too_few_identities", dataset="the data", count=len(self._rows), limit=p)
        if p < 1 or k < 1:
            raise ValueError(f"p and k must be 1 or more, not {p} and {k}")
        self._cameras, self._p, self._k, self._seed = cameras, p, k, seed
        self.batches_per_epoch = -(-len(self._rows) // p)

    def batch(self, iteration: int) -> IntArray:
        """Return (P·K,) rows; see `Sampler.batch`."""
        generator = np.random.default_rng((self._seed, iteration, 1))
        chosen = _slice_of_epoch(len(self._rows), self._p, iteration, self._seed)
        return np.concatenate([self._draw(self._rows[index], generator) for index in chosen])

    def _draw(self, rows: IntArray, generator: np.random.Generator) -> IntArray:
        if self._cameras is None:
            return draw(rows, self._k, generator)
        return _draw_across_cameras(rows, self._cameras[rows], self._k, generator)


class PairSampler:
    """Pairs (a₀, b₀, a₁, b₁, …), every other one of the same identity.

    Parameters
    ----------
    identities : (N,) of the crops, at least two different ones.
    pairs : in a batch; the first, third, … are of the same identity.

    Raises
    ------
    DataError
        when all crops are of one identity.
    """

    def __init__(self, identities: IntArray, *, pairs: int, seed: int = 0) -> None:
        self._rows = _rows_by_identity(identities)
        if len(self._rows) < 2:
            raise DataError("data.too_few_identities", dataset="the data", count=len(self._rows), limit=2)
        self._pairs, self._seed = pairs, seed
        self.batches_per_epoch = -(-len(self._rows) // pairs)

    def batch(self, iteration: int) -> IntArray:
        """Return (2·pairs,) rows; see `Sampler.batch`."""
        generator = np.random.default_rng((self._seed, iteration, 1))
        anchors = _slice_of_epoch(len(self._rows), self._pairs, iteration, self._seed)
        parts: list[IntArray] = []
        for place, anchor in enumerate(anchors.tolist()):
            if place % 2 == 0:
                parts.append(draw(self._rows[anchor], 2, generator))
            else:
                other = _another(anchor, len(self._rows), generator)
                parts += [draw(self._rows[anchor], 1, generator), draw(self._rows[other], 1, generator)]
        return np.concatenate(parts)


class TripletSampler:
    """Triplets (a₀, p₀, n₀, a₁, …): anchor, the same identity, another identity.

    Parameters
    ----------
    identities : (N,) of the crops, at least two different ones.
    triplets : in a batch.

    Raises
    ------
    DataError
        when all crops are of one identity.
    """

    def __init__(self, identities: IntArray, *, triplets: int, seed: int = 0) -> None:
        self._rows = _rows_by_identity(identities)
        if len(self._rows) < 2:
            raise DataError("data.too_few_identities", dataset="the data", count=len(self._rows), limit=2)
        self._triplets, self._seed = triplets, seed
        self.batches_per_epoch = -(-len(self._rows) // triplets)

    def batch(self, iteration: int) -> IntArray:
        """Return (3·triplets,) rows; see `Sampler.batch`."""
        generator = np.random.default_rng((self._seed, iteration, 1))
        parts: list[IntArray] = []
        for anchor in _slice_of_epoch(len(self._rows), self._triplets, iteration, self._seed).tolist():
            other = _another(anchor, len(self._rows), generator)
            parts += [draw(self._rows[anchor], 2, generator), draw(self._rows[other], 1, generator)]
        return np.concatenate(parts)


def draw(rows: IntArray, count: int, generator: np.random.Generator) -> IntArray:
    """Return ``count`` of ``rows`` in random order; where there are too few, each comes before any comes again."""
    rounds = -(-count // len(rows))
    order: IntArray = np.concatenate([generator.permutation(rows) for _ in range(rounds)])[:count]
    return order


def _draw_across_cameras(rows: IntArray, cameras: IntArray, count: int, generator: np.random.Generator) -> IntArray:
    """Return ``count`` rows that take turns among the cameras, in random order."""
    shuffled = draw(rows, len(rows), generator)
    camera_of = dict(zip(rows.tolist(), cameras.tolist(), strict=True))
    taken: dict[int, int] = {}
    keys = []
    for place, row in enumerate(shuffled.tolist()):
        turn = taken.get(camera_of[row], 0)
        taken[camera_of[row]] = turn + 1
        keys.append((turn, place))
    order = np.array([place for _, place in sorted(keys)])
    rounds = -(-count // len(rows))
    spread: IntArray = np.tile(shuffled[order], rounds)[:count]
    return spread


def _rows_by_identity(identities: IntArray) -> list[IntArray]:
    order = np.argsort(identities, kind="stable")
    starts = np.flatnonzero(np.diff(identities[order])) + 1
    return [part for part in np.split(order, starts) if len(part)]


def _another(index: int, count: int, generator: np.random.Generator) -> int:
    """Return a random index below ``count`` that is not ``index``."""
    return int((index + generator.integers(1, count)) % count)


def _slice_of_epoch(count: int, size: int, iteration: int, seed: int) -> IntArray:
    """Return the indices of batch ``iteration`` when each epoch goes through all ``count`` of them in its own order."""
    batches = -(-count // size)
    epoch, place = divmod(iteration, batches)
    order = np.random.default_rng((seed, epoch, 0)).permutation(count)
    chosen: IntArray = order[np.arange(place * size, (place + 1) * size) % count]
    return chosen

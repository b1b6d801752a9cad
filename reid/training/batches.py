"""From crops and a recipe to the batches that a learner takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from errors import DataError
from model.network_input import normalise_pixels
from records import FloatArray, Image, IntArray
from reid.augment import augment
from reid.datasets.crops import CropSet
from reid.sampling import PairSampler, PKSampler, Sampler, ShuffledSampler, TripletSampler
from reid.training.recipes import Recipe, Sampling


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step learns from.

    Attributes
    ----------
    images : (B, 3, H, W) float32 RGB, normalised.
    labels : (B,) int64, 0 to class_count − 1.
    """

    images: FloatArray
    labels: IntArray


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Crops whose identities are numbered without gaps.

    Attributes
    ----------
    labels : (N,) int64, 0 to class_count − 1.
    """

    crops: CropSet
    labels: IntArray
    class_count: int

    @classmethod
    def of(cls, crops: CropSet) -> TrainingData:
        """Number the identities of ``crops`` in their order.

        Raises
        ------
        DataError
            when there are fewer than two identities.
        """
        identities, labels = np.unique(crops.identities, return_inverse=True)
        if len(identities) < 2:
            raise DataError("data.too_few_identities", dataset="the data", count=len(identities), limit=2)
        return cls(crops, labels.astype(np.int64), len(identities))


class Batches(Protocol):
    """Where the loop gets its batches from."""

    def stream(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches of iterations ``start`` to ``stop`` − 1."""


class BatchSource:
    """Makes the batches of a recipe; batch ``k`` depends on the seed and on ``k`` alone.

    Parameters
    ----------
    workers : threads that make batches ahead; 0 makes them when they are asked for.

    Raises
    ------
    DataError
        when the data cannot fill a batch.
    """

    def __init__(self, data: TrainingData, recipe: Recipe, *, workers: int = 1) -> None:
        self._data = data
        self._recipe = recipe
        self._workers = workers
        self._sampler = build_sampler(data, recipe)
        self._size_wh = recipe.preprocessing.sizes_wh[-1]

    @property
    def batches_per_epoch(self) -> int:
        """How many batches show everything once; see `Sampler`."""
        return self._sampler.batches_per_epoch

    def batch(self, iteration: int) -> Batch:
        """Return the batch of one iteration, counted from 0."""
        rows = self._sampler.batch(iteration)
        generator = np.random.default_rng((self._recipe.seed, iteration, 2))
        width, height = self._size_wh
        pixels: Image = np.empty((len(rows), height, width, 3), np.uint8)
        for place, row in enumerate(rows.tolist()):
            crop = augment(self._data.crops.load(row), self._recipe.augmentation, generator)
            if crop.shape != (height, width, 3):
                raise ValueError(f"augmentation must end in crops of {width}×{height}, not {crop.shape[1::-1]}")
            pixels[place] = crop
        return Batch(normalise_pixels(pixels, self._recipe.preprocessing), self._data.labels[rows])

    def stream(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches of iterations ``start`` to ``stop`` − 1."""
        if self._workers == 0:
            yield from map(self.batch, range(start, stop))
            return
        with ThreadPoolExecutor(self._workers, thread_name_prefix="batches") as pool:
            waiting: deque[Future[Batch]] = deque()
            try:
                for iteration in range(start, stop):
                    waiting.append(pool.submit(self.batch, iteration))
                    if len(waiting) > self._workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def build_sampler(data: TrainingData, recipe: Recipe) -> Sampler:
    """Return the sampler that a recipe names.

    Raises
    ------
    DataError
        when there are too few identities for a batch.
    """
    if recipe.sampling is Sampling.SHUFFLED:
        return ShuffledSampler(len(data.labels), recipe.batch_size, seed=recipe.seed)
    if recipe.sampling is Sampling.PAIRS:
        return PairSampler(data.labels, pairs=recipe.batch_size // 2, seed=recipe.seed)
    if recipe.sampling is Sampling.TRIPLETS:
        return TripletSampler(data.labels, triplets=recipe.batch_size // 3, seed=recipe.seed)
    return PKSampler(
        data.labels,
        p=recipe.batch_size // recipe.images_per_identity,
        k=recipe.images_per_identity,
        cameras=data.crops.cameras if recipe.is_camera_aware else None,
        seed=recipe.seed,
    )

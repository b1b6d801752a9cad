"""Made-up embeddings with identities and cameras."""

from __future__ import annotations

import numpy as np

from reid.labelled import LabelledFeatures


def make_features(
    seed: int, count: int, *, identities: int, cameras: int = 4, dimension: int = 16, spread: float = 1.0
) -> LabelledFeatures:
    """Return pictures around one random direction an identity; a tenth is labelled -1."""
    directions = np.random.default_rng(99).standard_normal((identities, dimension))
    generator = np.random.default_rng(seed)
    names = generator.integers(0, identities, count)
    features = directions[names] + spread * generator.standard_normal((count, dimension))
    names[generator.random(count) < 0.1] = -1
    return LabelledFeatures(features.astype(np.float32), names, generator.integers(0, cameras, count))


def line_of(relevance: list[int]) -> tuple[LabelledFeatures, LabelledFeatures]:
    """Return one query and a gallery whose ranking has the given relevance, by Euclidean distance."""
    places = np.arange(1, len(relevance) + 1, dtype=np.float32)[:, None]
    gallery = LabelledFeatures(places, np.where(relevance, 7, 8), np.ones(len(relevance), np.int64))
    query = LabelledFeatures(np.zeros((1, 1), np.float32), np.array([7]), np.array([0]))
    return query, gallery

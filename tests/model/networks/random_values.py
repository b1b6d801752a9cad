"""Weights without structure, so that a swapped or forgotten tensor shows."""

from __future__ import annotations

import numpy as np

from model.networks.catalogue import Definition
from model.networks.tensors import first_values
from records import FloatArray


def random_values(definition: Definition, *, seed: int = 0) -> dict[str, FloatArray]:
    """Return values for every tensor; scales, shifts and statistics lie between 0.5 and 1.5."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.uniform(0.5, 1.5, value.shape).astype(np.float32) if value.ndim == 1 else value
        for name, value in first_values(definition, seed=seed).items()
    }

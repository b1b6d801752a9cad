"""Weights without structure, so that a swapped or forgotten tensor shows."""

from __future__ import annotations

import numpy as np

from model.networks.catalogue import Definition
from model.networks.tensors import first_values
from records import FloatArray


def random_values(definition: Definition, *, seed: int = 0) -> dict[str, FloatArray]:
    """Return values for every tensor; scales, shifts and statistics lie between 0.5 and 1.5.

    Weights of gates are small, so that their sigmoids are neither 0 nor 1.
    """
    rng = np.random.default_rng(seed)
    values = {}
    for name, value in first_values(definition, seed=seed).items():
        if value.ndim == 1:
            values[name] = rng.uniform(0.5, 1.5, value.shape).astype(np.float32)
        else:
            values[name] = value * np.float32(0.01) if ".gate." in name else value
    return values

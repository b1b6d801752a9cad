"""What every loss has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.losses.ops import Tensor

Weights = Mapping[str, Tensor]
"""What a loss trains, by name."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A loss of a batch."""

    def first_values(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return what the loss trains, as it starts; nothing for most."""
        return {}

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss of a batch, a scalar.

        Parameters
        ----------
        features : (N, D) embeddings, not normalised.
        labels : (N,) int64 identities.
        weights : tensors of the names of `first_values`.
        """
        raise NotImplementedError

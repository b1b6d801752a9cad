"""Weighted sums of losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.losses.classifying import Softmax
from reid.losses.loss import Loss, Weights
from reid.losses.mining import Circle, Contrastive
from reid.losses.ops import Tensor


@dataclass(frozen=True, kw_only=True)
class WeightedSum(Loss):
    """Σ factor · loss.

    Attributes
    ----------
    terms : (factor, loss) pairs, one or more. What the losses train is named by
        their places: ``term0_weight``, ``term1_weight``, …
    """

    terms: tuple[tuple[float, Loss], ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise ValueError("a sum needs one loss or more")

    def first_values(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return what all terms train."""
        return {
            f"term{place}_{name}": value
            for place, (_, loss) in enumerate(self.terms)
            for name, value in loss.first_values(rng).items()
        }

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the sum; see `Loss.value`."""
        total: Tensor = 0
        for place, (factor, loss) in enumerate(self.terms):
            prefix = f"term{place}_"
            own = {name[len(prefix) :]: tensor for name, tensor in weights.items() if name.startswith(prefix)}
            total = total + factor * loss.value(features, labels, own)
        return total


def vehicle_loss(
    *, classes: int, dimension: int, contrastive_factor: float = 1.0, circle_factor: float = 1.0
) -> WeightedSum:
    """Return L_ID + λ1 L_contrastive + λ2 L_circle."""
    return WeightedSum(
        terms=(
            (1.0, Softmax(classes=classes, dimension=dimension, smoothing=0.1)),
            (contrastive_factor, Contrastive()),
            (circle_factor, Circle()),
        )
    )

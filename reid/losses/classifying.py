"""Losses that tell the identities of training apart by weights of their own: softmax, arcmargin, centre."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.losses import ops
from reid.losses.loss import Loss, Weights
from reid.losses.ops import Tensor


@dataclass(frozen=True, kw_only=True)
class _OfClasses(Loss):
    """A loss with a vector for each class.

    Attributes
    ----------
    classes : identities K; labels lie in 0 to K − 1.
    dimension : length D of a feature.
    """

    classes: int
    dimension: int

    def __post_init__(self) -> None:
        if self.classes < 1 or self.dimension < 1:
            raise ValueError(f"classes and dimension must be 1 or more, not {self.classes} and {self.dimension}")

    def first_values(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return (K, D) normal values of variance 1 / D."""
        spread = np.float32(self.dimension**-0.5)
        return {"weight": rng.standard_normal((self.classes, self.dimension), np.float32) * spread}


@dataclass(frozen=True, kw_only=True)
class Softmax(_OfClasses):
    """The identity loss: cross entropy of a linear classifier, with label smoothing (1 − ε) y + ε / K.

    Attributes
    ----------
    smoothing : ε, 0 to below 1; the re-identification recipes take 0.1.
    """

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.smoothing < 1:
            raise ValueError(f"smoothing must lie in 0 to below 1, not {self.smoothing}")

    def first_values(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return the classifier's weight (K, D) and bias (K,)."""
        return {**super().first_values(rng), "bias": np.zeros(self.classes, np.float32)}

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`."""
        features = ops.widened(features)
        logits = ops.library(features).matmul(features, weights["weight"].T) + weights["bias"]
        return identity_loss(logits, labels, smoothing=self.smoothing)


def identity_loss(logits: Tensor, labels: Tensor, *, smoothing: float = 0.1) -> Tensor:
    """Return the cross entropy of (N, K) logits against (1 − ε) y + ε / K."""
    logits = ops.widened(logits)
    classes = logits.shape[1]
    own = ops.as_weights(ops.of_class(labels, classes), logits)
    return ops.cross_entropy(logits, (1 - smoothing) * own + smoothing / classes)


@dataclass(frozen=True, kw_only=True)
class ArcMargin(_OfClasses):
    """Additive angular margin (ArcFace, arXiv 1801.07698), as in Paddle metric learning.

    With c = x̂·ŵ, s = √(1 − c² + 1e-6) and φ = c·cos m − s·sin m, the own class gets
    φ where c > cos(π − m), else c − m·sin(π − m); easily: φ where c > 0, else c.
    The loss is the cross entropy of all, times the scale.

    Attributes
    ----------
    scale, margin : the paper's s and m.
    is_easy : spare those that are more than a right angle away.
    """

    scale: float = 80.0
    margin: float = 0.15
    is_easy: bool = False

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`."""
        features = ops.widened(features)
        lib = ops.library(features)
        cosine = lib.matmul(ops.unit_length(features), ops.unit_length(weights["weight"]).T)
        sine = lib.sqrt(1 - cosine * cosine + 1e-6)
        moved = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        if self.is_easy:
            own = lib.where(cosine > 0, moved, cosine)
        else:
            turned = math.pi - self.margin
            own = lib.where(cosine > math.cos(turned), moved, cosine - self.margin * math.sin(turned))
        is_own = ops.of_class(labels, self.classes)
        logits = self.scale * lib.where(is_own, own, cosine)
        return ops.cross_entropy(logits, ops.as_weights(is_own, logits))


@dataclass(frozen=True, kw_only=True)
class Centre(_OfClasses):
    """½ · mean ‖x − c‖² to the centre c of the own class (Wen et al., ECCV 2016); beside another loss."""

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`."""
        features = ops.widened(features)
        lib = ops.library(features)
        is_own = ops.of_class(labels, self.classes)
        own = lib.matmul(ops.as_weights(is_own, lib.matmul(features, weights["weight"].T)), weights["weight"])
        return 0.5 * lib.mean(lib.sum((features - own) ** 2, 1))

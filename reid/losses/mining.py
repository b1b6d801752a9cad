"""Losses of the PyTorch recipes over the pairs of a batch: batch-hard triplet, contrastive, circle."""

from __future__ import annotations

from dataclasses import dataclass

from reid.losses import ops
from reid.losses.loss import Loss, Weights
from reid.losses.ops import Tensor


@dataclass(frozen=True, kw_only=True)
class BatchHardTriplet(Loss):
    """mean relu(max d₊ − min d₋ + margin) over anchors (arXiv 1703.07737), d = √clamp(d², 1e-12); margin 0: softplus.

    Raw features. An anchor without a negative counts as 0.
    """

    margin: float = 0.3

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`."""
        x = ops.widened(features)
        lib = ops.library(x)
        distances = ops.root(ops.squared_distances(x, x))
        is_same = ops.same_label(labels)
        hardest_positive = lib.amax(ops.kept(distances, is_same, 0.0), 1)
        hardest_negative = lib.amin(ops.kept(distances, ~is_same, ops.FAR), 1)
        gap = hardest_positive - hardest_negative
        return lib.mean(ops.relu(gap + self.margin) if self.margin else ops.softplus(gap))


@dataclass(frozen=True, kw_only=True)
class Contrastive(Loss):
    """1/(2P) Σ [y d² + (1 − y) max(0, m − d)²] over all P pairs of a batch, y = 1 for one label."""

    margin: float = 1.0

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`. One feature alone makes no pair and counts as 0."""
        x = ops.widened(features)
        lib = ops.library(x)
        terms = _contrastive_terms(ops.squared_distances(x, x), ops.same_label(labels), self.margin)
        is_pair = ops.as_weights(ops.pairs_once(labels), terms)
        return lib.sum(terms * is_pair) / (2 * lib.clip(lib.sum(is_pair), 1))


@dataclass(frozen=True, kw_only=True)
class PairContrastive(Loss):
    """The contrastive loss of the pairs that a batch holds in turn, as a Siamese network is trained."""

    margin: float = 1.0

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`. N must be even.

        Raises
        ------
        ValueError
            for an odd N.
        """
        left, right = ops.in_turn(features, 2)
        return contrastive_loss(left, right, labels[::2] == labels[1::2], margin=self.margin)


def contrastive_loss(left: Tensor, right: Tensor, is_same: Tensor, *, margin: float = 1.0) -> Tensor:
    """Return 1/(2N) Σ [y d² + (1 − y) max(0, m − d)²] of N pairs.

    Parameters
    ----------
    left, right : (N, D) features.
    is_same : (N,) bool, y.
    """
    left, right = ops.widened(left), ops.widened(right)
    lib = ops.library(left)
    return 0.5 * lib.mean(_contrastive_terms(lib.sum((left - right) ** 2, 1), is_same, margin))


def _contrastive_terms(squared: Tensor, is_same: Tensor, margin: float) -> Tensor:
    return ops.library(squared).where(is_same, squared, ops.relu(margin - ops.root(squared)) ** 2)


@dataclass(frozen=True, kw_only=True)
class Circle(Loss):
    """Circle loss (arXiv 2002.10857) over all pairs of a batch at once, as in layumi's recipes.

    Cosines s; αp = relu(1 + m − s), αn = relu(s + m), without gradient; Δp = 1 − m,
    Δn = m; softplus(LSE(γ αn (s − Δn)) + LSE(−γ αp (s − Δp))). A batch without
    positives or without negatives counts as 0.

    Attributes
    ----------
    margin, gamma : m and γ.
    """

    margin: float = 0.25
    gamma: float = 32.0

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`."""
        x = ops.unit_length(ops.widened(features))
        lib = ops.library(x)
        positive, negative = self._logits(lib.matmul(x, x.T))
        is_same, once = ops.same_label(labels), ops.pairs_once(labels)
        return ops.softplus(
            lib.logsumexp(ops.kept(positive, is_same & once, -ops.FAR).reshape([-1]), 0)
            + lib.logsumexp(ops.kept(negative, ~is_same & once, -ops.FAR).reshape([-1]), 0)
        )

    def _logits(self, cosine: Tensor) -> tuple[Tensor, Tensor]:
        """Return −γ αp (s − Δp) and γ αn (s − Δn)."""
        s = cosine.detach()
        positive = -self.gamma * ops.relu(1 + self.margin - s) * (cosine - (1 - self.margin))
        negative = self.gamma * ops.relu(s + self.margin) * (cosine - self.margin)
        return positive, negative


@dataclass(frozen=True, kw_only=True)
class AnchorCircle(Circle):
    """Circle loss of each anchor's pairs, mean over anchors, as in fast-reid."""

    gamma: float = 128.0

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`. An anchor without positives or without negatives counts as 0."""
        x = ops.unit_length(ops.widened(features))
        lib = ops.library(x)
        positive, negative = self._logits(lib.matmul(x, x.T))
        is_same = ops.same_label(labels)
        is_positive = is_same & ops.other_item(labels)
        return lib.mean(
            ops.softplus(
                lib.logsumexp(ops.kept(positive, is_positive, -ops.FAR), 1)
                + lib.logsumexp(ops.kept(negative, ~is_same, -ops.FAR), 1)
            )
        )

"""Losses of Paddle metric learning over pairs and triplets: triplet, quadruplet, eml, npairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reid.losses import ops
from reid.losses.loss import Loss, Weights
from reid.losses.ops import Tensor


@dataclass(frozen=True, kw_only=True)
class Triplet(Loss):
    """mean relu(d²(a, p) − d²(a, n) + margin) of unit vectors; the batch holds anchor, positive, negative in turn."""

    margin: float = 0.1

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`. N must be a multiple of 3; the labels are not looked at.

        Raises
        ------
        ValueError
            for another N.
        """
        return triplet_loss(*ops.in_turn(features, 3), margin=self.margin)


@dataclass(frozen=True, kw_only=True)
class EuclideanTriplet(Loss):
    """mean relu(d(a, p) − d(a, n) + margin) of raw features, d = √d²; anchor, positive, negative in turn."""

    margin: float = 1.0

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`. N must be a multiple of 3; the labels are not looked at.

        Raises
        ------
        ValueError
            for another N.
        """
        a, p, n = ops.in_turn(ops.widened(features), 3)
        lib = ops.library(a)
        nearer, farther = (ops.root(lib.sum((a - other) ** 2, 1)) for other in (p, n))
        return lib.mean(ops.relu(nearer - farther + self.margin))


def triplet_loss(anchors: Tensor, positives: Tensor, negatives: Tensor, *, margin: float = 0.1) -> Tensor:
    """Return mean relu(d²(a, p) − d²(a, n) + margin) of (N, D) features, brought to unit length."""
    a, p, n = (ops.unit_length(ops.widened(features)) for features in (anchors, positives, negatives))
    lib = ops.library(a)
    return lib.mean(ops.relu(lib.sum((a - p) ** 2, 1) - lib.sum((a - n) ** 2, 1) + margin))


@dataclass(frozen=True, kw_only=True)
class Quadruplet(Loss):
    """Margin sample mining (arXiv 1710.00478): relu(max d²₊ − min d²₋ + margin) over all pairs of unit vectors."""

    margin: float = 0.1

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`."""
        x = ops.unit_length(ops.widened(features))
        lib = ops.library(x)
        squared = ops.squared_distances(x, x)
        is_same = ops.same_label(labels)
        farthest = lib.amax(ops.kept(squared, is_same, 0.0))
        nearest = lib.amin(ops.kept(squared, ~is_same, ops.FAR))
        return ops.relu(farthest - nearest + self.margin)


@dataclass(frozen=True, kw_only=True)
class Eml(Loss):
    """Extended metric learning: log(1 + β · mean(e^{d²₊}) · mean(e^{−d²₋})) / log(1 + β), mean over anchors.

    Raw features. Evaluated as softplus(log β + log mean e^{d²₊} + log mean e^{−d²₋}),
    which neither overflows nor needs another formula for large distances.
    An anchor without a positive or without a negative counts as 0.
    """

    beta: float = 1e5

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`."""
        x = ops.widened(features)
        lib = ops.library(x)
        squared = ops.squared_distances(x, x)
        is_same = ops.same_label(labels)
        positives = _log_mean_exp(squared, is_same & ops.other_item(labels))
        negatives = _log_mean_exp(-squared, ~is_same)
        return lib.mean(ops.softplus(math.log(self.beta) + positives + negatives)) / math.log1p(self.beta)


def _log_mean_exp(x: Tensor, mask: Tensor) -> Tensor:
    """Return log mean eˣ of each row's masked values; far below 0 for none."""
    lib = ops.library(x)
    count = lib.clip(lib.sum(ops.as_weights(mask, x), 1), 1)
    return lib.logsumexp(ops.kept(x, mask, -ops.FAR), 1) - lib.log(count)


@dataclass(frozen=True, kw_only=True)
class NPairs(Loss):
    """Multi-class N-pair loss (Sohn, NIPS 2016): CE over aᵀp, plus ½ λ · mean ‖x‖²; anchor and positive in turn.

    Raw features. Where a label comes twice, its probability is shared.

    Attributes
    ----------
    reg_lambda : λ.
    """

    reg_lambda: float = 0.01

    def value(self, features: Tensor, labels: Tensor, weights: Weights) -> Tensor:
        """Return the loss; see `Loss.value`. N must be even.

        Raises
        ------
        ValueError
            for an odd N.
        """
        x = ops.widened(features)
        lib = ops.library(x)
        anchors, positives = ops.in_turn(x, 2)
        logits = lib.matmul(anchors, positives.T)
        is_same = ops.as_weights(ops.same_label(labels[::2]), logits)
        targets = is_same / lib.sum(is_same, 1, keepdim=True)
        return ops.cross_entropy(logits, targets) + 0.5 * self.reg_lambda * lib.mean(lib.sum(x * x, 1))

"""Operations of PyTorch and Paddle under one name.

Most have the same name and the same order of arguments in both: ``library(x)``
returns the module that made ``x``, and ``library(x).amax(x, 1)`` runs in either.
Sizes and devices follow from the tensors themselves.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor of torch or of paddle."""

FAR = 1e30
"""More than any distance; what a mask puts in place of pairs that do not count."""

_TINY = 1e-12


def library(x: Tensor) -> Any:
    """Return ``torch`` or ``paddle``, whichever made the tensor.

    Raises
    ------
    TypeError
        for anything else.
    """
    name = type(x).__module__.partition(".")[0]
    if name not in ("torch", "paddle"):
        raise TypeError(f"a tensor of torch or paddle is wanted, not {type(x).__module__}.{type(x).__name__}")
    return sys.modules[name]


def widened(x: Tensor) -> Tensor:
    """Return half-precision tensors as float32, others as they are."""
    if "16" not in str(x.dtype):
        return x
    return x.astype("float32") if hasattr(x, "astype") else x.float()


def unit_length(x: Tensor) -> Tensor:
    """Return x̂ = x / ‖x‖ for each row of (N, D)."""
    lib = library(x)
    return x / lib.sqrt(lib.clip(lib.sum(x * x, 1, keepdim=True), _TINY**2))


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return d² = ‖a‖² + ‖b‖² − 2 aᵀb of all pairs, (N, M), not below 0."""
    lib = library(a)
    lengths_a, lengths_b = lib.sum(a * a, 1, keepdim=True), lib.sum(b * b, 1, keepdim=True)
    return lib.clip(lengths_a + lengths_b.T - 2 * lib.matmul(a, b.T), 0)


def root(squared: Tensor) -> Tensor:
    """Return √clamp(d², 1e-12): a distance whose gradient is finite at 0."""
    lib = library(squared)
    return lib.sqrt(lib.clip(squared, _TINY))


def relu(x: Tensor) -> Tensor:
    """Return max(0, x)."""
    return library(x).nn.functional.relu(x)


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + eˣ)."""
    return library(x).nn.functional.softplus(x)


def kept(x: Tensor, mask: Tensor, otherwise: float) -> Tensor:
    """Return x where the mask holds, a constant elsewhere."""
    lib = library(x)
    return lib.where(mask, x, lib.full_like(x, otherwise))


def of_class(labels: Tensor, classes: int) -> Tensor:
    """Return the mask (N, classes) of each label's own column."""
    return library(labels).nn.functional.one_hot(labels, classes) > 0


def same_label(labels: Tensor) -> Tensor:
    """Return the mask (N, N) of pairs of one label, each item with itself among them."""
    return labels[:, None] == labels[None, :]


def pairs_once(labels: Tensor) -> Tensor:
    """Return the mask (N, N) that holds each pair of two items once, above the diagonal."""
    position = _positions(labels)
    return position[:, None] < position[None, :]


def other_item(labels: Tensor) -> Tensor:
    """Return the mask (N, N) of pairs of two different items."""
    position = _positions(labels)
    return position[:, None] != position[None, :]


def in_turn(features: Tensor, each: int) -> list[Tensor]:
    """Return the first, second, … of each group that a batch holds one after another, (N / each, D) every one.

    Raises
    ------
    ValueError
        when N is no multiple of ``each``, or 0.
    """
    count, dimension = features.shape
    if count == 0 or count % each:
        raise ValueError(f"a batch of groups of {each} holds a multiple of {each} features, not {count}")
    groups = features.reshape([count // each, each, dimension])
    return [groups[:, place] for place in range(each)]


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of −Σ targets · log softmax(logits).

    Paddle's own ``cross_entropy`` on the CPU cuts a sample's value off at 64,
    which arcmargin's scale of 80 passes; hence through ``logsumexp``.

    Parameters
    ----------
    logits, targets : (N, K); each row of the targets sums to 1.
    """
    lib = library(logits)
    return lib.mean(lib.logsumexp(logits, 1) - lib.sum(targets * logits, 1))


def as_weights(mask: Tensor, like: Tensor) -> Tensor:
    """Return 1 where the mask holds and 0 elsewhere, in the type of ``like``."""
    lib = library(like)
    return lib.where(mask, lib.ones_like(like), lib.zeros_like(like))


def _positions(labels: Tensor) -> Tensor:
    lib = library(labels)
    return lib.cumsum(lib.ones_like(labels), 0)

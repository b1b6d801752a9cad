"""The named tensors of a network: their shapes, their first values, and whether given ones fit.

Names and layouts are PyTorch's (``running_mean``; (features, channels) of a
linear layer), for checkpoints and for both frameworks; `paddle_network`
translates at its own door.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from errors import ModelError
from model.networks.catalogue import Definition
from model.networks.parts import BatchNorm, Conv, InstanceNorm, Leaf, Linear, VectorBatchNorm, named_leaves

Arrays = Mapping[str, NDArray[np.float32]]
"""Tensors by name, float32."""

_MAX_FAULTS_SHOWN = 5


def shapes(definition: Definition) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor, running statistics among them."""
    return {
        f"{name}.{tensor}": shape
        for name, leaf in named_leaves(definition.parts)
        for tensor, shape in _leaf_shapes(leaf).items()
    }


def count_parameters(definition: Definition) -> int:
    """Return how many numbers are trained; running statistics are not."""
    return sum(math.prod(shape) for name, shape in shapes(definition).items() if ".running_" not in name)


def first_values(definition: Definition, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Return what training starts from, the same in both frameworks.

    Convolutions: normal, variance 2 / (kernel² · filters / groups) (He, arXiv
    1502.01852, fan out). Linear layers: normal, variance 1 / channels. Biases 0,
    scales 1.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, NDArray[np.float32]] = {}
    for name, leaf in named_leaves(definition.parts):
        for tensor, shape in _leaf_shapes(leaf).items():
            if tensor in ("bias", "running_mean"):
                value = np.zeros(shape, np.float32)
            elif isinstance(leaf, Conv):
                spread = math.sqrt(2 * leaf.groups / (leaf.kernel**2 * leaf.filters))
                value = rng.standard_normal(shape, np.float32) * np.float32(spread)
            elif isinstance(leaf, Linear):
                value = rng.standard_normal(shape, np.float32) * np.float32(leaf.channels**-0.5)
            else:
                value = np.ones(shape, np.float32)
            values[f"{name}.{tensor}"] = value
    return values


def check_tensors(
    definition: Definition, arrays: Arrays, *, source: str, wanted: Mapping[str, tuple[int, ...]] | None = None
) -> None:
    """Refuse arrays that are not exactly this network's.

    Parameters
    ----------
    source : the file or whatever they came from, for the message.
    wanted : the shapes by name, where the arrays have other names or layouts than `shapes` has.

    Raises
    ------
    ModelError
        when a tensor is missing, superfluous or of another shape; it names them.
    """
    if wanted is None:
        wanted = shapes(definition)
    faults = [
        *(f"{name} is missing" for name in wanted.keys() - arrays.keys()),
        *(f"{name} is not part of it" for name in arrays.keys() - wanted.keys()),
        *(
            f"{name} has shape {arrays[name].shape} instead of {wanted[name]}"
            for name in wanted.keys() & arrays.keys()
            if arrays[name].shape != wanted[name]
        ),
    ]
    if faults:
        shown = "; ".join(sorted(faults)[:_MAX_FAULTS_SHOWN])
        more = len(faults) - _MAX_FAULTS_SHOWN
        detail = f"{shown}; and {more} more" if more > 0 else shown
        model = f"{definition.name} with embedding size {definition.embedding_size}"
        raise ModelError("model.weights_mismatch", path=source, model=model, detail=detail)


def _leaf_shapes(leaf: Leaf) -> dict[str, tuple[int, ...]]:
    if isinstance(leaf, Conv):
        weight = (leaf.filters, leaf.channels // leaf.groups, leaf.kernel, leaf.kernel)
        return {"weight": weight, "bias": (leaf.filters,)} if leaf.has_bias else {"weight": weight}
    if isinstance(leaf, Linear):
        return {"weight": (leaf.features, leaf.channels), "bias": (leaf.features,)}
    if isinstance(leaf, InstanceNorm):
        return dict.fromkeys(("weight", "bias"), (leaf.channels,))
    if isinstance(leaf, BatchNorm | VectorBatchNorm):
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (leaf.channels,))
    return {}

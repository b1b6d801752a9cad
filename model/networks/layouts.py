"""Tensors as Paddle names and lays them out, and back. Neither framework is needed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from model.networks.catalogue import Definition
from model.networks.parts import BatchNorm, InstanceNorm, Leaf, Linear, VectorBatchNorm, named_leaves
from model.networks.tensors import Arrays, shapes

_STATISTICS = {"running_mean": "_mean", "running_var": "_variance"}


def to_paddle(definition: Definition, arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Return a network's arrays under Paddle's names, linear weights as (channels, features)."""
    return _translated(arrays, paddle_names(definition), linear_weights(definition))


def from_paddle(definition: Definition, arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Return Paddle's arrays under a network's own names; names that it has not stay as they are."""
    names = paddle_names(definition)
    transposed = {names[name] for name in linear_weights(definition)}
    return _translated(arrays, {paddle: own for own, paddle in names.items()}, transposed)


def paddle_names(definition: Definition) -> dict[str, str]:
    """Return Paddle's name of each tensor."""
    leaves = dict(named_leaves(definition.parts))
    names = {}
    for name in shapes(definition):
        head, _, tensor = name.rpartition(".")
        names[name] = f"{head}.{_paddle_tensor(leaves[head], tensor)}"
    return names


def _paddle_tensor(leaf: Leaf, tensor: str) -> str:
    if isinstance(leaf, BatchNorm | VectorBatchNorm):
        return _STATISTICS.get(tensor, tensor)
    return "scale" if isinstance(leaf, InstanceNorm) and tensor == "weight" else tensor


def linear_weights(definition: Definition) -> set[str]:
    """Return the names of the weights of linear layers, which Paddle holds transposed."""
    return {f"{name}.weight" for name, leaf in named_leaves(definition.parts) if isinstance(leaf, Linear)}


def _translated(arrays: Arrays, names: Mapping[str, str], transposed: set[str]) -> dict[str, NDArray[np.float32]]:
    return {
        names.get(name, name): np.ascontiguousarray(array.T) if name in transposed else array
        for name, array in arrays.items()
    }

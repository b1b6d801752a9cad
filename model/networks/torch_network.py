"""Networks in PyTorch. Importing this file imports torch; others do so inside the function that needs it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from model.networks import parts as p
from model.networks.catalogue import Defined, Definition
from model.networks.tensors import Arrays, check_tensors, shapes


class TorchModule(nn.Module):
    """A composite and its named children; see `parts.forward`."""

    def __init__(self, composite: p.Composite) -> None:
        super().__init__()
        self.composite = composite
        for name, child in p.named_children(composite):
            self.add_module(name, TorchModule(child) if isinstance(child, p.COMPOSITES) else _layer(child))

    def child(self, name: str) -> nn.Module:
        """Return the module of that name."""
        module: nn.Module = getattr(self, name)
        return module

    def concat(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        """Join (N, C, H, W) tensors along their channels."""
        return torch.cat(tensors, dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the composite."""
        y: torch.Tensor = p.forward(self, self.composite, x)
        return y


class TorchNetwork(Defined, TorchModule):
    """Embed pictures: RGB, normalised, (N, 3, H, W) float32 → (N, `dimension`) float32."""

    framework: Literal["torch"] = "torch"

    def __init__(self, definition: Definition) -> None:
        super().__init__(definition.parts)
        self.definition = definition

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of all tensors by their names in checkpoints."""
        state = self.state_dict()
        return {name: state[name].detach().float().cpu().numpy().copy() for name in shapes(self.definition)}

    def load_tensors(self, arrays: Arrays, *, source: str = "memory") -> None:
        """Set all tensors, or none.

        Raises
        ------
        ModelError
            when they do not fit; see `tensors.check_tensors`.
        """
        check_tensors(self.definition, arrays, source=source)
        state = self.state_dict()
        with torch.no_grad():
            for name, array in arrays.items():
                state[name].copy_(torch.from_numpy(np.ascontiguousarray(array)))


class _UnitLength(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(x, dim=1)


def _layer(leaf: p.Leaf) -> nn.Module:
    """Return the layer of torch that a leaf describes."""
    match leaf:
        case p.Conv(channels, filters, kernel, stride, groups, has_bias):
            return nn.Conv2d(channels, filters, kernel, stride, leaf.padding, groups=groups, bias=has_bias)
        case p.BatchNorm(channels):
            return nn.BatchNorm2d(channels)
        case p.VectorBatchNorm(channels):
            return nn.BatchNorm1d(channels)
        case p.InstanceNorm(channels):
            return nn.InstanceNorm2d(channels, affine=True)
        case p.Linear(channels, features):
            return nn.Linear(channels, features)
        case p.MaxPool(kernel, stride, padding, is_ceil):
            return nn.MaxPool2d(kernel, stride, padding, ceil_mode=is_ceil)
        case p.AvgPool(kernel, is_ceil):
            return nn.AvgPool2d(kernel, ceil_mode=is_ceil, count_include_pad=False)
        case p.GlobalPool():
            return nn.AdaptiveAvgPool2d(1)
        case p.Flatten():
            return nn.Flatten()
        case p.Relu():
            return nn.ReLU()
        case p.Sigmoid():
            return nn.Sigmoid()
        case p.UnitLength():
            return _UnitLength()

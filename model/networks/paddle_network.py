"""Networks in Paddle. Importing this file imports Paddle; others do so inside the function that needs it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle import nn
from paddle.base.framework import in_pir_mode
from paddle.base.layer_helper import LayerHelper

from model.networks import parts as p
from model.networks.catalogue import Defined, Definition
from model.networks.layouts import from_paddle, to_paddle
from model.networks.tensors import Arrays, check_tensors


class PaddleLayer(nn.Layer):
    """A composite and its named children; see `parts.forward`."""

    def __init__(self, composite: p.Composite) -> None:
        super().__init__()
        self.composite = composite
        for name, child in p.named_children(composite):
            self.add_sublayer(name, PaddleLayer(child) if isinstance(child, p.COMPOSITES) else _layer(child))

    def child(self, name: str) -> nn.Layer:
        """Return the layer of that name."""
        layer: nn.Layer = self._sub_layers[name]
        return layer

    def concat(self, tensors: list[paddle.Tensor]) -> paddle.Tensor:
        """Join (N, C, H, W) tensors along their channels."""
        return paddle.concat(tensors, axis=1)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Run the composite."""
        y: paddle.Tensor = _forward(self, self.composite, x)
        return y


class PaddleNetwork(Defined, PaddleLayer):
    """Embed pictures: RGB, normalised, (N, 3, H, W) float32 → (N, `dimension`) float32."""

    framework: Literal["paddle"] = "paddle"

    def __init__(self, definition: Definition) -> None:
        super().__init__(definition.parts)
        self.definition = definition

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of all tensors by their names in checkpoints, which are PyTorch's."""
        state = {name: tensor.numpy().astype(np.float32) for name, tensor in self.state_dict().items()}
        return from_paddle(self.definition, state)

    def load_tensors(self, arrays: Arrays, *, source: str = "memory") -> None:
        """Set all tensors, or none.

        Raises
        ------
        ModelError
            when they do not fit; see `tensors.check_tensors`.
        """
        check_tensors(self.definition, arrays, source=source)
        state = to_paddle(self.definition, arrays)
        self.set_state_dict({name: paddle.to_tensor(array) for name, array in state.items()})


# Left as it is when a program is made of the network: which parts there are is no question of a tensor's values.
_forward = paddle.jit.not_to_static(p.forward)


class _UnitLength(nn.Layer):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        # Not F.normalize: its maximum, in Paddle 3.3.1, cannot be written into programs of the old format.
        return x / paddle.clip(paddle.linalg.norm(x, axis=1, keepdim=True), 1e-12)


class _Sigmoid(nn.Layer):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        if paddle.in_dynamic_mode() or in_pir_mode():
            return nn.functional.sigmoid(x)
        # Paddle 3.3.1 has forgotten how to write this operator into programs of the old format.
        helper = LayerHelper("sigmoid")
        y = helper.create_variable_for_type_inference(x.dtype)
        helper.append_op(type="sigmoid", inputs={"X": x}, outputs={"Out": y})
        return y


def _layer(leaf: p.Leaf) -> nn.Layer:
    """Return the layer of Paddle that a leaf describes."""
    match leaf:
        case p.Conv(channels, filters, kernel, stride, groups, has_bias):
            return nn.Conv2D(
                channels, filters, kernel, stride, leaf.padding, groups=groups, bias_attr=None if has_bias else False
            )
        case p.BatchNorm(channels):
            return nn.BatchNorm2D(channels)
        case p.VectorBatchNorm(channels):
            return nn.BatchNorm1D(channels)
        case p.InstanceNorm(channels):
            return nn.InstanceNorm2D(channels)
        case p.Linear(channels, features):
            return nn.Linear(channels, features)
        case p.MaxPool(kernel, stride, padding, is_ceil):
            return nn.MaxPool2D(kernel, stride, padding, ceil_mode=is_ceil)
        case p.AvgPool(kernel, is_ceil):
            return nn.AvgPool2D(kernel, ceil_mode=is_ceil)
        case p.GlobalPool():
            return nn.AdaptiveAvgPool2D(1)
        case p.Flatten():
            return nn.Flatten()
        case p.Relu():
            return nn.ReLU()
        case p.Sigmoid():
            return _Sigmoid()
        case p.UnitLength():
            return _UnitLength()

"""A loss as a layer of Paddle. Importing this file imports Paddle."""

from __future__ import annotations

import paddle
from paddle import nn

from records import FloatArray
from reid.losses.loss import Loss


class PaddleLoss(nn.Layer):
    """Evaluate a loss and hold what it trains.

    Parameters
    ----------
    values : by the names of ``loss.first_values``.
    """

    def __init__(self, loss: Loss, values: dict[str, FloatArray]) -> None:
        super().__init__()
        self.loss = loss
        for name, value in values.items():
            start = nn.initializer.Assign(value)
            self.add_parameter(name, self.create_parameter(value.shape, default_initializer=start))

    def forward(self, features: paddle.Tensor, labels: paddle.Tensor) -> paddle.Tensor:
        """Return the loss of (N, D) features and (N,) labels, a scalar."""
        value: paddle.Tensor = self.loss.value(features, labels, dict(self.named_parameters()))
        return value

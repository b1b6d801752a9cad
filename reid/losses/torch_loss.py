"""A loss as a module of PyTorch. Importing this file imports torch."""

from __future__ import annotations

import torch
from torch import nn

from records import FloatArray
from reid.losses.loss import Loss


class TorchLoss(nn.Module):
    """Evaluate a loss and hold what it trains.

    Parameters
    ----------
    values : by the names of ``loss.first_values``.
    """

    def __init__(self, loss: Loss, values: dict[str, FloatArray]) -> None:
        super().__init__()
        self.loss = loss
        for name, value in values.items():
            self.register_parameter(name, nn.Parameter(torch.from_numpy(value)))

    def forward(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of (N, D) features and (N,) labels, a scalar."""
        value: torch.Tensor = self.loss.value(features, labels, dict(self.named_parameters()))
        return value

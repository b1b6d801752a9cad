"""ResNet-vd as a metric-learning network in Paddle.

Parameters are named as in PaddleClas' ``legendary_models/resnet.py``
(``stem.0.conv.weight``, ``blocks.0.conv0.bn._mean``, ``fc.weight``), so that its
``.pdparams`` load by name. Importing this file imports Paddle, whose classes
these derive from; so others import it inside the function that needs it.

ResNet-vd: "Bag of Tricks for Image Classification with CNNs", arXiv 1812.01187,
tweaks B (the stride sits on the 3×3), C (three 3×3 in the stem) and D (average
pooling before the 1×1 of a shortcut that halves the size).
"""

from __future__ import annotations

from dataclasses import dataclass

import paddle
from paddle import nn

from errors import ModelError


@dataclass(frozen=True)
class _Plan:
    """Blocks of each stage, and how many times a stage's width its blocks put out."""

    depths: tuple[int, int, int, int]
    expansion: int


_PLANS = {
    "ResNet18_vd": _Plan((2, 2, 2, 2), 1),
    "ResNet34_vd": _Plan((3, 4, 6, 3), 1),
    "ResNet50_vd": _Plan((3, 4, 6, 3), 4),
    "ResNet101_vd": _Plan((3, 4, 23, 3), 4),
}

ARCHITECTURES = tuple(_PLANS)
_WIDTHS = (64, 128, 256, 512)


class ConvNorm(nn.Layer):
    """Convolution without bias, batch normalisation and, where asked for, ReLU.

    Parameters
    ----------
    is_pooled : halve the size by average pooling first (tweak D) instead of by the convolution's stride.
    """

    def __init__(
        self, channels: int, filters: int, kernel: int, *, stride: int = 1, is_active: bool, is_pooled: bool = False
    ) -> None:
        super().__init__()
        self.pool = nn.AvgPool2D(2, stride=2, padding=0, ceil_mode=True) if is_pooled else nn.Identity()
        self.conv = nn.Conv2D(
            channels,
            filters,
            kernel,
            stride=1 if is_pooled else stride,
            padding=(kernel - 1) // 2,
            bias_attr=False,
        )
        self.bn = nn.BatchNorm2D(filters)
        self.act = nn.ReLU() if is_active else nn.Identity()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Return (N, filters, h, w) for (N, channels, H, W)."""
        y: paddle.Tensor = self.act(self.bn(self.conv(self.pool(x))))
        return y


class Block(nn.Layer):
    """One residual block: two 3×3 convolutions, or 1×1, 3×3, 1×1 where it expands.

    Parameters
    ----------
    has_projection : the shortcut is a convolution (first block of each stage).
    """

    def __init__(self, channels: int, width: int, expansion: int, *, stride: int, has_projection: bool) -> None:
        super().__init__()
        filters = width * expansion
        if expansion == 1:
            self.conv0 = ConvNorm(channels, width, 3, stride=stride, is_active=True)
            self.conv1 = ConvNorm(width, filters, 3, is_active=False)
            self.conv2 = None
        else:
            self.conv0 = ConvNorm(channels, width, 1, is_active=True)
            self.conv1 = ConvNorm(width, width, 3, stride=stride, is_active=True)
            self.conv2 = ConvNorm(width, filters, 1, is_active=False)
        self.short = (
            ConvNorm(channels, filters, 1, stride=stride, is_active=False, is_pooled=stride > 1)
            if has_projection
            else None
        )
        self.act = nn.ReLU()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Return (N, width·expansion, h, w) for (N, channels, H, W)."""
        shortcut = x if self.short is None else self.short(x)
        y = self.conv1(self.conv0(x))
        if self.conv2 is not None:
            y = self.conv2(y)
        total: paddle.Tensor = self.act(y + shortcut)
        return total


class ResNetVd(nn.Layer):
    """Embed pictures: RGB, normalised, (N, 3, H, W) float32 → (N, `dimension`) float32, not of unit length.

    Parameters
    ----------
    architecture : one of `ARCHITECTURES`.
    embedding_size : width of the fully connected layer after pooling; 0: none,
        the pooled feature is the embedding.

    Raises
    ------
    ModelError
        for an unknown architecture.
    """

    def __init__(self, architecture: str, *, embedding_size: int) -> None:
        super().__init__()
        if architecture not in _PLANS:
            choices = ", ".join(ARCHITECTURES)
            raise ModelError("model.unknown", what="network", name=architecture, choices=choices)
        if embedding_size < 0:
            raise ValueError(f"embedding_size must be 0 or more, not {embedding_size}")
        plan = _PLANS[architecture]
        self.architecture = architecture
        self.depths = plan.depths
        self.stem = nn.Sequential(
            ConvNorm(3, 32, 3, stride=2, is_active=True),
            ConvNorm(32, 32, 3, is_active=True),
            ConvNorm(32, 64, 3, is_active=True),
        )
        self.max_pool = nn.MaxPool2D(3, stride=2, padding=1)
        blocks: list[Block] = []
        channels = 64
        for stage, (depth, width) in enumerate(zip(plan.depths, _WIDTHS, strict=True)):
            for index in range(depth):
                stride = 2 if index == 0 and stage > 0 else 1
                blocks.append(Block(channels, width, plan.expansion, stride=stride, has_projection=index == 0))
                channels = width * plan.expansion
        self.blocks = nn.Sequential(*blocks)
        self.avg_pool = nn.AdaptiveAvgPool2D(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels, embedding_size) if embedding_size else None
        self.dimension = embedding_size or channels

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Return (N, `dimension`) for (N, 3, H, W)."""
        y: paddle.Tensor = self.flatten(self.avg_pool(self.blocks(self.max_pool(self.stem(x)))))
        if self.fc is not None:
            y = self.fc(y)
        return y

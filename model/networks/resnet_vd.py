"""ResNet-vd, the ResNet-D of "Bag of Tricks for Image Classification with CNNs" (arXiv 1812.01187).

Tweaks B (the stride sits on the 3×3), C (three 3×3 in the stem) and D (average
pooling before the 1×1 of a shortcut that halves the size). Parameters are named
as in PaddleClas' ``legendary_models/resnet.py``, so that its weights load by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.networks.parts import (
    AvgPool,
    BatchNorm,
    Chain,
    Children,
    Conv,
    Flatten,
    GlobalPool,
    Linear,
    MaxPool,
    Part,
    Relu,
    Residual,
    chain,
    named,
    numbered,
)


@dataclass(frozen=True)
class ResNetVdPlan:
    """Blocks of each stage, and how many times a stage's width its blocks put out."""

    depths: tuple[int, int, int, int]
    expansion: int


PLANS = {
    "resnet18_vd": ResNetVdPlan((2, 2, 2, 2), 1),
    "resnet34_vd": ResNetVdPlan((3, 4, 6, 3), 1),
    "resnet50_vd": ResNetVdPlan((3, 4, 6, 3), 4),
    "resnet101_vd": ResNetVdPlan((3, 4, 23, 3), 4),
}

_WIDTHS = (64, 128, 256, 512)


def resnet_vd(plan: ResNetVdPlan, *, embedding_size: int) -> tuple[Chain, int]:
    """Return the network and the length of its vectors.

    Parameters
    ----------
    embedding_size : width of the fully connected layer after pooling; 0: none, the pooled feature.
    """
    blocks: list[Part] = []
    channels = 64
    for stage, (depth, width) in enumerate(zip(plan.depths, _WIDTHS, strict=True)):
        for index in range(depth):
            stride = 2 if index == 0 and stage > 0 else 1
            shortcut = _shortcut(channels, width * plan.expansion, stride) if index == 0 else ()
            branch = _basic(channels, width, stride) if plan.expansion == 1 else _bottleneck(channels, width, stride)
            blocks.append(Residual(branch, shortcut, named(act=Relu())))
            channels = width * plan.expansion
    layers: dict[str, Part] = {
        "stem": numbered(_conv_norm(3, 32, 3, stride=2), _conv_norm(32, 32, 3), _conv_norm(32, 64, 3)),
        "max_pool": MaxPool(3, 2, 1),
        "blocks": numbered(*blocks),
        "avg_pool": GlobalPool(),
        "flatten": Flatten(),
    }
    if embedding_size:
        layers["fc"] = Linear(channels, embedding_size)
    return chain(**layers), embedding_size or channels


def _basic(channels: int, width: int, stride: int) -> Children:
    return named(conv0=_conv_norm(channels, width, 3, stride=stride), conv1=_linear_conv_norm(width, width, 3))


def _bottleneck(channels: int, width: int, stride: int) -> Children:
    return named(
        conv0=_conv_norm(channels, width, 1),
        conv1=_conv_norm(width, width, 3, stride=stride),
        conv2=_linear_conv_norm(width, 4 * width, 1),
    )


def _shortcut(channels: int, filters: int, stride: int) -> Children:
    projection = _linear_conv_norm(channels, filters, 1)
    if stride == 1:
        return named(short=projection)
    return named(short=chain(pool=AvgPool(2, is_ceil=True), **dict(projection.children)))


def _conv_norm(channels: int, filters: int, kernel: int, *, stride: int = 1) -> Chain:
    return chain(conv=Conv(channels, filters, kernel, stride), bn=BatchNorm(filters), act=Relu())


def _linear_conv_norm(channels: int, filters: int, kernel: int) -> Chain:
    return chain(conv=Conv(channels, filters, kernel), bn=BatchNorm(filters))

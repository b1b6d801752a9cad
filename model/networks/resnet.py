"""ResNet-50 (arXiv 1512.03385) with the stride on the 3×3, and what re-identification made of it.

IBN-a ("Two at Once", arXiv 1807.09441): in the first three stages the first
normalisation of a block treats half of its channels picture by picture. The
strong baseline ("Bag of Tricks", arXiv 1903.07071) leaves the last stage at full
size and ends in a batch normalisation; fast-reid's (``bot_…``) and PaddleClas'
(``paddle_…``) differ in the stem. Parameters are named as in torchvision and IBN-Net.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.networks.parts import (
    BatchNorm,
    Chain,
    ChannelSplit,
    Children,
    Conv,
    Flatten,
    GlobalPool,
    InstanceNorm,
    Linear,
    MaxPool,
    Part,
    Relu,
    Residual,
    VectorBatchNorm,
    chain,
    named,
    numbered,
)

DEPTHS = (3, 4, 6, 3)
"""Blocks of each stage."""

_WIDTHS = (64, 128, 256, 512)
_EXPANSION = 4


@dataclass(frozen=True)
class ResNetPlan:
    """How a ResNet-50 differs from the plain one.

    Attributes
    ----------
    has_ibn : half instance, half batch normalisation in the first three stages.
    last_stride : of the last stage; 1 leaves it at full size.
    has_stem_relu : the first layer ends in ReLU.
    has_padded_pool : the maximum after it is taken with a margin; else it rounds up.
    has_neck : batch normalisation comes last.
    """

    has_ibn: bool = False
    last_stride: int = 2
    has_stem_relu: bool = True
    has_padded_pool: bool = True
    has_neck: bool = False


_FASTREID_BOT = ResNetPlan(last_stride=1, has_padded_pool=False, has_neck=True)
PLANS = {
    "resnet50": ResNetPlan(),
    "resnet50_ibn_a": ResNetPlan(has_ibn=True),
    "bot_resnet50": _FASTREID_BOT,
    "bot_resnet50_ibn_a": replace(_FASTREID_BOT, has_ibn=True),
    "paddle_baseline": ResNetPlan(has_stem_relu=False),
    "paddle_strong_baseline": ResNetPlan(last_stride=1, has_stem_relu=False, has_neck=True),
}


def resnet50(plan: ResNetPlan, *, embedding_size: int) -> tuple[Chain, int]:
    """Return the network and the length of its vectors.

    Parameters
    ----------
    embedding_size : width of a fully connected layer after pooling; 0: none, the pooled feature.
    """
    layers: dict[str, Part] = {"conv1": Conv(3, 64, 7, stride=2), "bn1": BatchNorm(64)}
    if plan.has_stem_relu:
        layers["relu"] = Relu()
    layers["maxpool"] = MaxPool(3, 2, 1) if plan.has_padded_pool else MaxPool(3, 2, is_ceil=True)
    channels = 64
    for stage, (depth, width) in enumerate(zip(DEPTHS, _WIDTHS, strict=True), 1):
        stride = {1: 1, 4: plan.last_stride}.get(stage, 2)
        has_ibn = plan.has_ibn and stage < 4
        blocks = [_block(channels, width, stride, has_ibn=has_ibn, has_projection=True)]
        channels = _EXPANSION * width
        blocks += [_block(channels, width, 1, has_ibn=has_ibn, has_projection=False)] * (depth - 1)
        layers[f"layer{stage}"] = numbered(*blocks)
    layers |= {"avgpool": GlobalPool(), "flatten": Flatten()}
    if embedding_size:
        layers["fc"] = Linear(channels, embedding_size)
    dimension = embedding_size or channels
    if plan.has_neck:
        layers["bottleneck"] = VectorBatchNorm(dimension)
    return chain(**layers), dimension


def _block(channels: int, width: int, stride: int, *, has_ibn: bool, has_projection: bool) -> Residual:
    filters = _EXPANSION * width
    half = width // 2
    split = ChannelSplit(half, ("IN", InstanceNorm(half)), ("BN", BatchNorm(width - half)))
    branch: Children = named(
        conv1=Conv(channels, width),
        bn1=split if has_ibn else BatchNorm(width),
        relu1=Relu(),
        conv2=Conv(width, width, 3, stride=stride),
        bn2=BatchNorm(width),
        relu2=Relu(),
        conv3=Conv(width, filters),
        bn3=BatchNorm(filters),
    )
    projection = named(downsample=numbered(Conv(channels, filters, stride=stride), BatchNorm(filters)))
    return Residual(branch, projection if has_projection else (), named(relu=Relu()))

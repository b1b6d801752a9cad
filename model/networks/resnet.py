"""ResNet-50 (arXiv 1512.03385) with the stride on the 3×3, its IBN-a form and the strong baseline's two.

IBN-a ("Two at Once", arXiv 1807.09441): in the first three stages the first
normalisation of a block treats half of its channels picture by picture. The
strong baseline of re-identification ("Bag of Tricks", arXiv 1903.07071) leaves
the last stage at full size and ends in a batch normalisation. Parameters are
named as in torchvision and IBN-Net.
"""

from __future__ import annotations

from dataclasses import dataclass

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

_DEPTHS = (3, 4, 6, 3)
_WIDTHS = (64, 128, 256, 512)
_EXPANSION = 4


@dataclass(frozen=True)
class ResNetPlan:
    """How a ResNet-50 differs from the plain one.

    Attributes
    ----------
    has_ibn : half instance, half batch normalisation in the first three stages.
    is_bot : fast-reid's strong baseline: the last stage keeps its size, the
        maximum is taken without padding, batch normalisation comes last.
    """

    has_ibn: bool = False
    is_bot: bool = False


PLANS = {
    "resnet50": ResNetPlan(),
    "resnet50_ibn_a": ResNetPlan(has_ibn=True),
    "bot_resnet50": ResNetPlan(is_bot=True),
    "bot_resnet50_ibn_a": ResNetPlan(has_ibn=True, is_bot=True),
}


def resnet50(plan: ResNetPlan, *, embedding_size: int) -> tuple[Chain, int]:
    """Return the network and the length of its vectors.

    Parameters
    ----------
    embedding_size : width of a fully connected layer after pooling; 0: none, the pooled feature.
    """
    layers: dict[str, Part] = {
        "conv1": Conv(3, 64, 7, stride=2),
        "bn1": BatchNorm(64),
        "relu": Relu(),
        "maxpool": MaxPool(3, 2, is_ceil=True) if plan.is_bot else MaxPool(3, 2, 1),
    }
    channels = 64
    for stage, (depth, width) in enumerate(zip(_DEPTHS, _WIDTHS, strict=True), 1):
        stride = 1 if stage == 1 or (stage == 4 and plan.is_bot) else 2
        has_ibn = plan.has_ibn and stage < 4
        blocks = [_block(channels, width, stride, has_ibn=has_ibn, has_projection=True)]
        channels = _EXPANSION * width
        blocks += [_block(channels, width, 1, has_ibn=has_ibn, has_projection=False)] * (depth - 1)
        layers[f"layer{stage}"] = numbered(*blocks)
    layers |= {"avgpool": GlobalPool(), "flatten": Flatten()}
    if embedding_size:
        layers["fc"] = Linear(channels, embedding_size)
    dimension = embedding_size or channels
    if plan.is_bot:
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

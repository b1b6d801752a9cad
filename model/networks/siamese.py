"""A small encoder for Siamese training: both pictures of a pair pass through the same weights.

After "Learning a Similarity Metric Discriminatively" (Chopra, Hadsell, LeCun,
CVPR 2005): plain convolutions that halve the size, a last layer, unit length,
so that a margin means the same for every pair.
"""

from __future__ import annotations

from model.networks.parts import (
    BatchNorm,
    Chain,
    Conv,
    Flatten,
    GlobalPool,
    Linear,
    MaxPool,
    Part,
    Relu,
    UnitLength,
    chain,
    numbered,
)

_WIDTHS = (32, 64, 128, 256)


def siamese_encoder(*, embedding_size: int) -> tuple[Chain, int]:
    """Return the network and the length of its vectors.

    Parameters
    ----------
    embedding_size : width of the last layer; 0: none, the pooled feature.
    """
    stages: list[Part] = []
    channels = 3
    for width in _WIDTHS:
        stages.append(
            chain(conv=Conv(channels, width, 3), bn=BatchNorm(width), relu=Relu(), pool=MaxPool(2, 2, is_ceil=True))
        )
        channels = width
    layers: dict[str, Part] = {"stages": numbered(*stages), "pool": GlobalPool(), "flatten": Flatten()}
    if embedding_size:
        layers["fc"] = Linear(channels, embedding_size)
    layers["unit"] = UnitLength()
    return chain(**layers), embedding_size or channels

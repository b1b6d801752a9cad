"""OSNet: omni-scale feature learning for re-identification, with its IBN and AIN forms.

arXiv 1905.00953; AIN: arXiv 1910.06827. Parameters are named as in torchreid's
``osnet.py``; its ``osnet_ain.py`` names streams otherwise, see `naming`.
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
    GatedStreams,
    GlobalPool,
    InstanceNorm,
    Linear,
    MaxPool,
    Part,
    Relu,
    Residual,
    Sigmoid,
    VectorBatchNorm,
    chain,
    named,
    numbered,
)

FEATURES = 512
"""Width of the embedding in all published weights."""

_CHANNELS = (64, 256, 384, 512)
_STREAMS = "abcd"
_GATE_REDUCTION = 16


@dataclass(frozen=True)
class OsnetPlan:
    """Which normalisation stands where.

    Attributes
    ----------
    width : multiplies all channels.
    stem_norm : the first layer's: ``batch`` or ``instance``.
    block_norms : of two blocks in three stages: ``batch``; ``after``, instance
        normalisation after the residual sum (IBN); ``inside``, in place of the
        branch's last batch normalisation (AIN).
    """

    width: float
    stem_norm: str = "batch"
    block_norms: tuple[tuple[str, str], ...] = (("batch", "batch"),) * 3


_IBN = (("after", "after"), ("batch", "batch"), ("batch", "batch"))
_AIN = (("inside", "inside"), ("batch", "inside"), ("inside", "batch"))
_WIDTHS = {"x0_25": 0.25, "x0_5": 0.5, "x0_75": 0.75, "x1_0": 1.0}

PLANS = {
    **{f"osnet_{name}": OsnetPlan(width) for name, width in _WIDTHS.items()},
    "osnet_ibn_x1_0": OsnetPlan(1.0, "instance", _IBN),
    **{f"osnet_ain_{name}": OsnetPlan(width, "instance", _AIN) for name, width in _WIDTHS.items()},
}


def osnet(plan: OsnetPlan, *, embedding_size: int) -> tuple[Chain, int]:
    """Return the network and the length of its vectors.

    Parameters
    ----------
    embedding_size : width of the last layer (with batch normalisation and ReLU); 0: none, the pooled feature.
    """
    stem_width, *widths = (int(channels * plan.width) for channels in _CHANNELS)
    stem_norm = InstanceNorm(stem_width) if plan.stem_norm == "instance" else BatchNorm(stem_width)
    layers: dict[str, Part] = {
        "conv1": chain(conv=Conv(3, stem_width, 7, stride=2), bn=stem_norm, relu=Relu()),
        "maxpool": MaxPool(3, 2, 1),
    }
    channels = stem_width
    for stage, (width, norms) in enumerate(zip(widths, plan.block_norms, strict=True)):
        blocks: list[Part] = [_block(channels, width, norms[0]), _block(width, width, norms[1])]
        if stage < len(widths) - 1:
            blocks.append(numbered(_conv_norm(width, width), AvgPool(2)))
        layers[f"conv{stage + 2}"] = numbered(*blocks)
        channels = width
    layers |= {"conv5": _conv_norm(channels, channels), "global_avgpool": GlobalPool(), "flatten": Flatten()}
    if embedding_size:
        layers["fc"] = numbered(Linear(channels, embedding_size), VectorBatchNorm(embedding_size), Relu())
    return chain(**layers), embedding_size or channels


def _block(channels: int, width: int, norm: str) -> Residual:
    """Return 1×1 → four streams through one gate → 1×1 linear, beside a shortcut."""
    middle = width // 4
    last = chain(conv=Conv(middle, width), bn=BatchNorm(width)) if norm != "inside" else chain(conv=Conv(middle, width))
    inner = named(IN=InstanceNorm(width))
    return Residual(
        branch=(
            ("conv1", _conv_norm(channels, middle)),
            ("", _streams(middle)),
            ("conv3", last),
            *(inner if norm == "inside" else ()),
        ),
        shortcut=_shortcut(channels, width),
        after=(*(inner if norm == "after" else ()), ("relu", Relu())),
    )


def _shortcut(channels: int, width: int) -> Children:
    if channels == width:
        return ()
    return named(downsample=chain(conv=Conv(channels, width), bn=BatchNorm(width)))


def _streams(width: int) -> GatedStreams:
    """Return streams that see 3, 5, 7 and 9 pixels: as many light 3×3 convolutions."""
    streams = [("conv2a", _light_conv(width))]
    streams += [
        (f"conv2{letter}", numbered(*[_light_conv(width)] * count)) for count, letter in enumerate(_STREAMS[1:], 2)
    ]
    hidden = width // _GATE_REDUCTION
    gate = chain(
        global_avgpool=GlobalPool(),
        fc1=Conv(width, hidden, has_bias=True),
        relu=Relu(),
        fc2=Conv(hidden, width, has_bias=True),
        gate_activation=Sigmoid(),
    )
    return GatedStreams(tuple(streams), ("gate", gate))


def _light_conv(width: int) -> Chain:
    return chain(conv1=Conv(width, width), conv2=Conv(width, width, 3, groups=width), bn=BatchNorm(width), relu=Relu())


def _conv_norm(channels: int, filters: int) -> Chain:
    return chain(conv=Conv(channels, filters), bn=BatchNorm(filters), relu=Relu())

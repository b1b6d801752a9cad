"""How published checkpoints name their tensors, written down from the originals and not from our own tables."""

from __future__ import annotations

from collections.abc import Iterator

_BATCH_NORM = ("weight", "bias", "running_mean", "running_var")
_PADDLE_BATCH_NORM = ("weight", "bias", "_mean", "_variance")
_DEPTHS = (3, 4, 6, 3)


def torchreid_osnet(*, has_ibn: bool = False) -> Iterator[str]:
    """Yield the names of torchreid's ``osnet.py`` without classifier."""
    yield "conv1.conv.weight"
    yield from _norm("conv1.bn", is_instance=has_ibn)
    for stage in (2, 3, 4):
        for block in (0, 1):
            name = f"conv{stage}.{block}"
            yield from _conv_norm(f"{name}.conv1")
            yield from _light_conv(f"{name}.conv2a")
            for letter, count in (("b", 2), ("c", 3), ("d", 4)):
                for index in range(count):
                    yield from _light_conv(f"{name}.conv2{letter}.{index}")
            yield from (f"{name}.gate.{layer}.{part}" for layer in ("fc1", "fc2") for part in ("weight", "bias"))
            yield from _conv_norm(f"{name}.conv3")
            if block == 0:
                yield from _conv_norm(f"{name}.downsample")
            if has_ibn and stage == 2:
                yield from _norm(f"{name}.IN", is_instance=True)
        if stage < 4:
            yield from _conv_norm(f"conv{stage}.2.0")
    yield from _conv_norm("conv5")
    yield from _osnet_fc()


def torchreid_osnet_ain() -> Iterator[str]:
    """Yield the names of torchreid's ``osnet_ain.py`` without classifier."""
    inside = {(2, 0), (2, 1), (3, 1), (4, 0)}
    yield "conv1.conv.weight"
    yield from _norm("conv1.bn", is_instance=True)
    for stage in (2, 3, 4):
        for block in (0, 1):
            name = f"conv{stage}.{block}"
            yield from _conv_norm(f"{name}.conv1")
            for stream in range(4):
                for index in range(stream + 1):
                    yield from _light_conv(f"{name}.conv2.{stream}.layers.{index}")
            yield from (f"{name}.gate.{layer}.{part}" for layer in ("fc1", "fc2") for part in ("weight", "bias"))
            if (stage, block) in inside:
                yield f"{name}.conv3.conv.weight"
                yield from _norm(f"{name}.IN", is_instance=True)
            else:
                yield from _conv_norm(f"{name}.conv3")
            if block == 0:
                yield from _conv_norm(f"{name}.downsample")
        if stage < 4:
            yield from _conv_norm(f"pool{stage}.0")
    yield from _conv_norm("conv5")
    yield from _osnet_fc()


def torchvision_resnet50(*, has_ibn: bool = False) -> Iterator[str]:
    """Yield the names of torchvision's ResNet-50 without classifier; IBN-Net's ``resnet50_ibn_a`` likewise."""
    yield "conv1.weight"
    yield from _norm("bn1")
    for stage, depth in enumerate(_DEPTHS, 1):
        for block in range(depth):
            name = f"layer{stage}.{block}"
            for layer in (1, 2, 3):
                yield f"{name}.conv{layer}.weight"
                if layer == 1 and has_ibn and stage < 4:
                    yield from _norm(f"{name}.bn1.IN", is_instance=True)
                    yield from _norm(f"{name}.bn1.BN")
                else:
                    yield from _norm(f"{name}.bn{layer}")
            if block == 0:
                yield f"{name}.downsample.0.weight"
                yield from _norm(f"{name}.downsample.1")


def fastreid_bot(*, has_ibn: bool, bottleneck: str) -> Iterator[str]:
    """Yield the names of fast-reid's strong baseline without classifier; ``bottleneck`` changed between versions."""
    yield from (f"backbone.{name}" for name in torchvision_resnet50(has_ibn=has_ibn))
    yield from _norm(bottleneck)


def paddleclas_strong_baseline() -> Iterator[str]:
    """Yield the names of PaddleClas' strong baseline for re-identification without classifier."""
    yield from (f"backbone.{name}" for name in paddleclas_resnet50())
    yield from (f"neck.feat_bn.{part}" for part in _PADDLE_BATCH_NORM)


def paddleclas_resnet50() -> Iterator[str]:
    """Yield the names of PaddleClas' ``ResNet50`` without classifier."""
    layers = ["stem.0"]
    for block in range(sum(_DEPTHS)):
        layers += [f"blocks.{block}.conv{index}" for index in range(3)]
        if block in (0, 3, 7, 13):
            layers.append(f"blocks.{block}.short")
    for layer in layers:
        yield f"{layer}.conv.weight"
        yield from (f"{layer}.bn.{part}" for part in _PADDLE_BATCH_NORM)


def timm_resnet50d() -> Iterator[str]:
    """Yield the names of timm's ``resnet50d`` without classifier."""
    for conv, norm in (("conv1.0", "conv1.1"), ("conv1.3", "conv1.4"), ("conv1.6", "bn1")):
        yield f"{conv}.weight"
        yield from _norm(norm)
    for stage, depth in enumerate(_DEPTHS, 1):
        for block in range(depth):
            name = f"layer{stage}.{block}"
            for layer in (1, 2, 3):
                yield f"{name}.conv{layer}.weight"
                yield from _norm(f"{name}.bn{layer}")
            if block == 0:
                yield f"{name}.downsample.1.weight"
                yield from _norm(f"{name}.downsample.2")


def _norm(name: str, *, is_instance: bool = False) -> Iterator[str]:
    yield from (f"{name}.{part}" for part in (_BATCH_NORM[:2] if is_instance else _BATCH_NORM))


def _conv_norm(name: str) -> Iterator[str]:
    yield f"{name}.conv.weight"
    yield from _norm(f"{name}.bn")


def _light_conv(name: str) -> Iterator[str]:
    yield from (f"{name}.conv1.weight", f"{name}.conv2.weight")
    yield from _norm(f"{name}.bn")


def _osnet_fc() -> Iterator[str]:
    yield from ("fc.0.weight", "fc.0.bias")
    yield from _norm("fc.1")

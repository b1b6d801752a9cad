"""Under which names published weights of each network come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from model.networks import osnet, resnet, resnet_vd
from model.networks.catalogue import Definition
from model.networks.layouts import linear_weights, paddle_names
from model.networks.tensors import shapes

_HEAD = "fc."
_TIMM_STEM = {
    "stem.0.conv": "conv1.0",
    "stem.0.bn": "conv1.1",
    "stem.1.conv": "conv1.3",
    "stem.1.bn": "conv1.4",
    "stem.2.conv": "conv1.6",
    "stem.2.bn": "bn1",
}


@dataclass(frozen=True)
class Naming:
    """How a file names and lays out a network's tensors.

    Attributes
    ----------
    published : the file's name of each tensor, by the network's own.
    transposed : the network's own names of those that the file holds transposed (Paddle's linear layers).
    ignored : beginnings of names that a file may have besides: classifiers of its training.
    """

    published: Mapping[str, str]
    transposed: frozenset[str]
    ignored: tuple[str, ...]


def namings(definition: Definition, *, is_paddle: bool) -> Iterator[Naming]:
    """Yield how weights of a network may come, the most usual first.

    Parameters
    ----------
    is_paddle : the file is one of Paddle's.
    """
    ignored = ("classifier.", *(() if definition.embedding_size else (_HEAD,)))
    if is_paddle:
        transposed = frozenset(linear_weights(definition))
        names = paddle_names(definition)
        yield Naming(names, transposed, ignored)
        if definition.name in resnet_vd.PLANS:
            rename = _in_first_paddleclas(definition.name)
            yield Naming({own: rename(name) for own, name in names.items()}, transposed, ("out.", *ignored))
        if definition.name in resnet.PLANS:
            for prefix in ("", "backbone."):  # a classifier, and a model for retrieval around it
                rename = _in_paddleclas_resnet(prefix)
                renamed = {own: rename(name) for own, name in names.items()}
                yield Naming(renamed, transposed, ("head.", *ignored))
        return
    own_names = tuple(shapes(definition))
    yield Naming({name: name for name in own_names}, frozenset(), ignored)
    for rename, also_ignored in _renames(definition):
        yield Naming({name: rename(name) for name in own_names}, frozenset(), (*ignored, *also_ignored))


def is_head(name: str) -> bool:
    """Return whether a tensor, by the network's own name, belongs to the layer after pooling."""
    return name.startswith(_HEAD)


def _renames(definition: Definition) -> Iterator[tuple[Callable[[str], str], tuple[str, ...]]]:
    if definition.name in resnet_vd.PLANS:
        yield _in_timm(definition.name), ()
    if definition.name in osnet.PLANS and "_ain_" in definition.name:
        yield _in_torchreid_ain, ()
    if definition.name in resnet.PLANS and resnet.PLANS[definition.name].has_neck:
        trained_with = ("heads.classifier.", "heads.weight", "heads.cls_layer.", "pixel_mean", "pixel_std")
        for bottleneck in ("heads.bottleneck.0.", "heads.bnneck."):  # its versions 1 and 0.1
            yield _in_fastreid(bottleneck), trained_with


def _in_first_paddleclas(architecture: str) -> Callable[[str], str]:
    """Return the function to names such as ``bb_0_0.conv0._batch_norm._mean``, of PaddleClas' first release."""

    def rename(name: str) -> str:
        head, rest = name.split(".", 1)
        if head == "fc":
            return f"out.{rest}"
        place, rest = rest.split(".", 1)
        rest = f".{rest}".replace(".conv.", "._conv.").replace(".bn.", "._batch_norm.")
        if head == "stem":
            return f"conv1_{int(place) + 1}{rest}"
        stage, index = _stage_and_index(resnet_vd.PLANS[architecture].depths, int(place))
        return f"bb_{stage}_{index}{rest}"

    return rename


def _in_timm(architecture: str) -> Callable[[str], str]:
    """Return the function to timm's names of the same network, ``resnet101d`` for ``resnet101_vd``."""

    def rename(name: str) -> str:
        layer, tensor = name.rsplit(".", 1)
        if layer in _TIMM_STEM:
            return f"{_TIMM_STEM[layer]}.{tensor}"
        parts = layer.split(".")
        if parts[0] != "blocks":
            return name
        stage, index = _stage_and_index(resnet_vd.PLANS[architecture].depths, int(parts[1]))
        kind = parts[3]
        if parts[2] == "short":
            part = "downsample.1" if kind == "conv" else "downsample.2"
        else:
            part = f"{kind}{int(parts[2].removeprefix('conv')) + 1}"
        return f"layer{stage + 1}.{index}.{part}.{tensor}"

    return rename


def _stage_and_index(depths: tuple[int, ...], block: int) -> tuple[int, int]:
    """Return where a block of all stages' stands: its stage, and its place in it, from 0."""
    for stage, depth in enumerate(depths):
        if block < depth:
            return stage, block
        block -= depth
    raise ValueError(f"there is no block {block} after the last of {sum(depths)}")


def _in_paddleclas_resnet(prefix: str) -> Callable[[str], str]:
    """Return the function to PaddleClas' names of a ResNet-50, such as ``blocks.3.conv0.bn._mean``."""

    def rename(name: str) -> str:
        layer, tensor = name.rsplit(".", 1)
        parts = layer.split(".")
        if parts[0] == "bottleneck":
            return f"neck.feat_bn.{tensor}"
        if parts[0] in ("conv1", "bn1"):
            return f"{prefix}stem.0.{parts[0].rstrip('1')}.{tensor}"
        if parts[0] == "fc":
            return f"{prefix}{name}"
        block = sum(resnet.DEPTHS[: int(parts[0].removeprefix("layer")) - 1]) + int(parts[1])
        if parts[2] == "downsample":
            part = "short.conv" if parts[3] == "0" else "short.bn"
        else:
            part = f"conv{int(parts[2][-1]) - 1}.{parts[2][:-1]}"
        return f"{prefix}blocks.{block}.{part}.{'.'.join([*parts[4:], tensor])}"

    return rename


def _in_torchreid_ain(name: str) -> str:
    """Return a name as in torchreid's ``osnet_ain.py``: streams in a list, transitions beside the stages."""
    name = re.sub(r"^conv([23])\.2\.0\.", r"pool\1.0.", name)
    name = re.sub(r"\.conv2a\.", ".conv2.0.layers.0.", name)
    return re.sub(r"\.conv2([bcd])\.", lambda match: f".conv2.{'abcd'.index(match[1])}.layers.", name)


def _in_fastreid(bottleneck: str) -> Callable[[str], str]:
    def rename(name: str) -> str:
        own = "bottleneck."
        return f"{bottleneck}{name.removeprefix(own)}" if name.startswith(own) else f"backbone.{name}"

    return rename

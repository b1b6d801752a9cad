"""Where a `ReIDModel` comes from: a name, a file of weights, an exported model."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import ModelError
from model.embedding_spec import Preprocessing, read_spec
from model.networks.build import build_network
from model.networks.catalogue import ARCHITECTURES, PERSON_SIZE_WH, find_architecture, plain_name
from model.networks.checkpoints import find_info
from model.networks.restore import restore_network
from model.networks.weight_files import find_weights
from model.paddle_files import find_paddle_files
from reid.backbones import OnnxBackbone, PaddleExportBackbone

if TYPE_CHECKING:
    from model.networks.build import Network
    from reid.reid_model import ReIDModel

_log = logging.getLogger(__name__)


def is_ours(name: str) -> bool:
    """Return whether one of our networks has that name."""
    return plain_name(name) in ARCHITECTURES


def check_name(name: str) -> None:
    """Refuse a name that nobody here knows.

    Raises
    ------
    ModelError
        with the names close to it, and a word on timm where that is not installed.
    """
    try:
        find_architecture(name)
    except ModelError as error:
        if importlib.util.find_spec("timm") is not None:
            raise
        raise ModelError("model.timm_missing", name=name, choices=error.params["choices"]) from error


def is_of_timm(name: str) -> bool:
    """Return whether timm is installed and has a network of that name."""
    if importlib.util.find_spec("timm") is None:
        return False
    import timm

    return bool(timm.is_model(name.split(".", maxsplit=1)[0]))


def from_our_network(
    cls: type[ReIDModel],
    name: str,
    device: str,
    *,
    framework: str = "torch",
    embedding_size: int | None = None,
    weights: str | Path | None = None,
    seed: int = 0,
    preprocessing: Preprocessing | None = None,
    **kwargs: Any,
) -> ReIDModel:
    """Build one of our networks, from a file of weights or with random values."""
    if weights is not None:
        return from_file(
            cls,
            Path(weights),
            device,
            framework=framework,
            architecture=name,
            embedding_size=embedding_size,
            preprocessing=preprocessing,
            **kwargs,
        )
    network: Network = build_network(  # type: ignore[call-overload]  # the framework is checked there
        name, framework, embedding_size=embedding_size, seed=seed
    )
    _log.warning("%s has random weights: train it, or pass weights=FILE", network.architecture)
    preprocessing = preprocessing or ARCHITECTURES[network.architecture].preprocessing
    return cls(network, device, preprocessing=preprocessing, **kwargs)


def from_file(
    cls: type[ReIDModel],
    path: Path,
    device: str,
    *,
    framework: str = "torch",
    architecture: str | None = None,
    embedding_size: int | None = None,
    preprocessing: Preprocessing | None = None,
    model_metadata: dict[str, Any] | None = None,
    **kwargs: Any,
) -> ReIDModel:
    """Load a file of weights; our own checkpoints say which network they hold and how its input is prepared."""
    info = find_info(path)
    network: Network = restore_network(  # type: ignore[call-overload]  # the framework is checked there
        path, framework, architecture=architecture, embedding_size=embedding_size
    )
    if preprocessing is None:
        preprocessing = ARCHITECTURES[network.architecture].preprocessing if info is None else info.preprocessing
    known = {} if info is None else {**info.details, "origin": info.origin}
    metadata = {"architecture": network.architecture, **known, **(model_metadata or {})}
    return cls(network, device, model_metadata=metadata, preprocessing=preprocessing, **kwargs)


def from_timm_network(
    cls: type[ReIDModel],
    name: str,
    device: str,
    *,
    get_pooled_features: bool,
    preprocessing: Preprocessing | None = None,
    transforms: Any = None,
    model_metadata: dict[str, Any] | None = None,
    **kwargs: Any,
) -> ReIDModel:
    """Build a network of timm's; its weights are random unless ``pretrained=True`` lets timm download them."""
    import timm

    pooling: dict[str, Any] = {"num_classes": 0} if get_pooled_features else {"num_classes": 0, "global_pool": ""}
    module = timm.create_model(name, **{"pretrained": False, **pooling, **kwargs})
    if preprocessing is None:
        facts = timm.data.resolve_model_data_config(module)
        _, height, width = facts["input_size"]
        preprocessing = Preprocessing(sizes_wh=((width, height),), mean=tuple(facts["mean"]), std=tuple(facts["std"]))
    metadata = {"architecture": name, **(model_metadata or {})}
    return cls(module, device, transforms, metadata, preprocessing=preprocessing)


def from_paddle_folder(cls: type[ReIDModel], folder: Path, device: str, **kwargs: Any) -> ReIDModel:
    """Load an export for paddle.inference, or weights of one of our networks into Paddle."""
    if find_paddle_files(folder) is None:
        return from_file(cls, find_weights(folder), device, **{"framework": "paddle", **kwargs})
    backbone = PaddleExportBackbone(folder, device)
    metadata = {"architecture": backbone.name, **kwargs.pop("model_metadata", {})}
    return cls(backbone, device, model_metadata=metadata, **{"preprocessing": backbone.preprocessing, **kwargs})


def from_onnx(cls: type[ReIDModel], path: Path, device: str, **kwargs: Any) -> ReIDModel:
    """Load an ONNX file, prepared as ``embedding.json`` beside it says, or by its size and ImageNet's statistics."""
    backbone = OnnxBackbone(path, device)
    spec = read_spec(path.parent)
    if spec is None:
        preprocessing = Preprocessing(sizes_wh=(backbone.size_wh or PERSON_SIZE_WH,))
    else:
        preprocessing = spec.preprocessing
    metadata = {"architecture": path.stem if spec is None else spec.architecture, **kwargs.pop("model_metadata", {})}
    return cls(backbone, device, model_metadata=metadata, **{"preprocessing": preprocessing, **kwargs})


def from_builtin(cls: type[ReIDModel], device: str) -> ReIDModel:
    """Load the embedder that comes with this program."""
    from model.builtin_embedder import BuiltinEmbedder

    return cls.from_embedder(BuiltinEmbedder(use_gpu=device not in ("auto", "cpu")))

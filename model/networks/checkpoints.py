"""Our own checkpoints: a safetensors file that says which network it holds and how its input is prepared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from errors import ModelError
from model.embedding_spec import Preprocessing, preprocessing_from_json
from model.networks.build import Framework, build_empty
from model.networks.catalogue import define_network
from model.networks.weight_files import SAFETENSORS_SUFFIX, read_safetensors, write_safetensors
from model.networks.weights import Loadable

if TYPE_CHECKING:
    from model.networks.paddle_network import PaddleNetwork
    from model.networks.torch_network import TorchNetwork

_FORMAT = "resight-1"


@dataclass(frozen=True, kw_only=True)
class CheckpointInfo:
    """What a checkpoint says of itself.

    Attributes
    ----------
    architecture, embedding_size : as for `build.build_network`.
    preprocessing : how crops become the network's input.
    origin : where its values come from, for people: a recipe and its data, or the file that was converted.
    details : anything else, as text.
    """

    architecture: str
    embedding_size: int
    preprocessing: Preprocessing
    origin: str
    details: Mapping[str, str] = field(default_factory=dict)


def save_checkpoint(
    path: Path,
    network: Loadable,
    *,
    preprocessing: Preprocessing,
    origin: str,
    details: Mapping[str, str] | None = None,
) -> None:
    """Write a network of either framework, whole or not at all; both can load it."""
    metadata = {
        "format": _FORMAT,
        "architecture": network.definition.name,
        "embedding_size": str(network.definition.embedding_size),
        "preprocessing": json.dumps(asdict(preprocessing)),
        "origin": origin,
        "details": json.dumps(dict(details or {}), ensure_ascii=False),
    }
    write_safetensors(path, network.tensors(), metadata)


def read_info(path: Path) -> CheckpointInfo:
    """Return what a checkpoint says of itself, without reading its tensors.

    Raises
    ------
    ModelError
        when the file is missing or was not written by `save_checkpoint`.
    """
    info = find_info(path)
    if info is None:
        detail = f"it is no checkpoint of ours, its metadata lacks format {_FORMAT}"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail)
    return info


def find_info(path: Path) -> CheckpointInfo | None:
    """Return what a weights file says of itself; None where it is somebody else's.

    Raises
    ------
    ModelError
        when the file is missing, or what it says cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelError("model.weights_missing", model="the network", path=str(path))
    if path.suffix != SAFETENSORS_SUFFIX:
        return None
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != _FORMAT:
            return None
        return CheckpointInfo(
            architecture=metadata["architecture"],
            embedding_size=int(metadata["embedding_size"]),
            preprocessing=preprocessing_from_json(json.loads(metadata["preprocessing"])),
            origin=metadata["origin"],
            details=json.loads(metadata["details"]),
        )
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        detail = f"what it says of itself is damaged ({type(error).__name__}: {error})"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail) from error


@overload
def load_checkpoint(path: Path, framework: Literal["torch"] = "torch") -> tuple[TorchNetwork, CheckpointInfo]: ...


@overload
def load_checkpoint(path: Path, framework: Literal["paddle"]) -> tuple[PaddleNetwork, CheckpointInfo]: ...


def load_checkpoint(path: Path, framework: Framework = "torch") -> tuple[TorchNetwork | PaddleNetwork, CheckpointInfo]:
    """Return the network of a checkpoint, whichever framework wrote it, and what it says of itself.

    Raises
    ------
    ModelError
        when the file is missing, no checkpoint of ours, or its tensors are not those of its network.
    """
    info = read_info(path)
    network = build_empty(define_network(info.architecture, embedding_size=info.embedding_size), framework)
    network.load_tensors(read_safetensors(path)[0], source=str(path))
    return network, info

"""From a file of weights, whoever wrote it, to the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from errors import ModelError
from model.networks.build import Framework, build_empty
from model.networks.catalogue import define_network
from model.networks.checkpoints import find_info
from model.networks.weights import load_weights, read_embedding_size

if TYPE_CHECKING:
    from model.networks.paddle_network import PaddleNetwork
    from model.networks.torch_network import TorchNetwork


@overload
def restore_network(
    path: Path,
    framework: Literal["torch"] = "torch",
    *,
    architecture: str | None = None,
    embedding_size: int | None = None,
) -> TorchNetwork: ...


@overload
def restore_network(
    path: Path, framework: Literal["paddle"], *, architecture: str | None = None, embedding_size: int | None = None
) -> PaddleNetwork: ...


def restore_network(
    path: Path,
    framework: Framework = "torch",
    *,
    architecture: str | None = None,
    embedding_size: int | None = None,
) -> TorchNetwork | PaddleNetwork:
    """Return the network of a weights file of either framework.

    Parameters
    ----------
    path : a file that `weights.load_weights` understands.
    architecture : its name; checkpoints of ours say it themselves.
    embedding_size : None reads it from the file.

    Raises
    ------
    ModelError
        when nothing says which network it is, or what is given contradicts the file.
    """
    info = find_info(path)
    if architecture is None:
        if info is None:
            raise ModelError("model.architecture_unknown", path=str(path))
        architecture = info.architecture
    if embedding_size is None:
        embedding_size = read_embedding_size(architecture, path) if info is None else info.embedding_size
    definition = define_network(architecture, embedding_size=embedding_size)
    if info is not None and (definition.name, embedding_size) != (info.architecture, info.embedding_size):
        detail = f"they are of {info.architecture} with embedding size {info.embedding_size}"
        model = f"{definition.name} with embedding size {embedding_size}"
        raise ModelError("model.weights_mismatch", path=str(path), model=model, detail=detail)
    network = build_empty(definition, framework)
    load_weights(network, path)
    return network

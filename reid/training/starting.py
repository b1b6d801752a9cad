"""Finding the weights that a user means, and beginning a training from them."""

from __future__ import annotations

from pathlib import Path

from errors import ModelError
from model.networks.build import Network
from model.networks.weights import load_backbone, load_weights, read_embedding_size
from records import Notice

WEIGHTS_NAME, PADDLE_WEIGHTS_NAME = "model.safetensors", "model.pdparams"

_SUFFIXES = (".safetensors", ".pdparams")


def find_weights(path: Path) -> Path:
    """Return the file of a checkpoint.

    Parameters
    ----------
    path : the file; a folder ``<save_dir>/<model>/<iteration>`` of a training; or,
        as Paddle is used to, a file without its suffix.

    Raises
    ------
    ModelError
        when there is none.
    """
    if path.is_dir():
        candidates = [path / WEIGHTS_NAME, path / PADDLE_WEIGHTS_NAME, *sorted(path.glob("*.pdparams"))]
    else:
        candidates = [path, *(path.with_name(path.name + suffix) for suffix in _SUFFIXES)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ModelError("model.weights_missing", model="the network", path=str(path))


def load_start(network: Network, path: Path) -> tuple[Notice, ...]:
    """Load weights to start a training from.

    A layer after pooling of another size than the network's starts anew, and
    a notice says so; everything else must fit.

    Raises
    ------
    ModelError
        when there are no weights, or they are of another network.
    """
    file = find_weights(path)
    found = read_embedding_size(network.architecture, file)
    if found == network.embedding_size:
        load_weights(network, file)
        return ()
    load_backbone(network, file)
    values = {"path": str(file), "found": found, "wanted": network.embedding_size}
    return (Notice("train.new_embedding", values),) if network.embedding_size else ()

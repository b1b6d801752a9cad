"""Beginning a training from weights."""

from __future__ import annotations

from pathlib import Path

from model.networks.build import Network
from model.networks.weight_files import find_weights
from model.networks.weights import load_backbone, load_weights, read_embedding_size
from records import Notice

WEIGHTS_NAME, PADDLE_WEIGHTS_NAME = "model.safetensors", "model.pdparams"


def load_start(network: Network, path: Path) -> tuple[Notice, ...]:
    """Load weights to start a training from; see `weight_files.find_weights` for what ``path`` may be.

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

"""Loading published weights by name, and writing a network's under the names of the other framework."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.networks.catalogue import ARCHITECTURES, Definition, define_network
from model.networks.layouts import to_paddle
from model.networks.naming import Naming, is_head, namings
from model.networks.tensors import Arrays, check_tensors, shapes
from model.networks.weight_files import PADDLE_SUFFIX, read_arrays, write_arrays

_IMAGENET_CLASSES = 1000


class Loadable(Protocol):
    """A network of either framework."""

    definition: Definition

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of all tensors by their names in checkpoints."""

    def load_tensors(self, arrays: Arrays, *, source: str = "memory") -> None:
        """Set all tensors, or none and raise ModelError."""


def load_weights(network: Loadable, path: Path) -> None:
    """Load a file by the names of its tensors, all or nothing.

    Understood are the names of PaddleClas (today's, its first release's, and of its
    baselines for re-identification), torchreid, torchvision and IBN-Net, timm's for
    ResNet-vd, fast-reid's for the strong baseline, and our own in both frameworks.
    Classifiers are left out, and so is a last layer that the network does not have
    (embedding size 0).

    Raises
    ------
    ModelError
        when the file cannot be read, or a tensor is missing, superfluous or of
        another shape; it names them as the file does.
    """
    network.load_tensors(read_weights(network.definition, path), source=str(path))


def load_backbone(network: Loadable, path: Path) -> None:
    """Load all but the layer after pooling, which stays as it is: to train another embedding from published weights.

    Raises
    ------
    ModelError
        see `load_weights`.
    """
    pooled = define_network(network.definition.name, embedding_size=0)
    extra = {name: value for name, value in network.tensors().items() if name not in shapes(pooled)}
    network.load_tensors({**read_weights(pooled, path), **extra}, source=str(path))


def read_weights(definition: Definition, path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a file under a network's own names; see `load_weights`."""
    arrays = read_arrays(path)
    naming = _naming_of(definition, arrays, is_paddle=path.suffix == PADDLE_SUFFIX)
    wanted_names = set(naming.published.values())
    arrays = {
        name: array for name, array in arrays.items() if name in wanted_names or not name.startswith(naming.ignored)
    }
    wanted = {
        naming.published[name]: shape[::-1] if name in naming.transposed else shape
        for name, shape in shapes(definition).items()
    }
    check_tensors(definition, arrays, source=str(path), wanted=wanted)
    return {
        own: np.ascontiguousarray(arrays[name].T) if own in naming.transposed else arrays[name]
        for own, name in naming.published.items()
    }


def read_embedding_size(name: str, path: Path) -> int:
    """Return the embedding size of a file's weights of a network; 0 where it has no layer after pooling.

    A layer of 1,000 behind a network whose pooled feature is the embedding is a
    classifier of ImageNet, and counts as none.

    Raises
    ------
    ModelError
        for an unknown network, or a file that cannot be read.
    """
    definition = define_network(name, embedding_size=1)
    arrays = read_arrays(path)
    naming = _naming_of(definition, arrays, is_paddle=path.suffix == PADDLE_SUFFIX)
    for own, published in naming.published.items():
        if is_head(own) and own.endswith(".bias") and published in arrays:
            size = int(arrays[published].shape[0])
            is_pooled = ARCHITECTURES[definition.name].default_embedding_size == 0
            return 0 if is_pooled and size == _IMAGENET_CLASSES else size
    return 0


def write_weights(network: Loadable, path: Path) -> None:
    """Write a network's tensors for Paddle (``.pdparams``) or PyTorch (``.pth``, ``.safetensors``), by the suffix.

    Raises
    ------
    ModelError
        for another suffix.
    """
    tensors = network.tensors()
    write_arrays(path, to_paddle(network.definition, tensors) if path.suffix == PADDLE_SUFFIX else tensors)


def _naming_of(definition: Definition, arrays: Arrays, *, is_paddle: bool) -> Naming:
    """Return the naming that most of a file's names follow."""
    return max(
        namings(definition, is_paddle=is_paddle),
        key=lambda naming: len(arrays.keys() & set(naming.published.values())),
    )

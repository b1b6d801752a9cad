"""From a name to a network in PyTorch or Paddle."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from errors import ModelError
from model.networks.catalogue import Definition, define_network
from model.networks.tensors import Arrays, first_values

if TYPE_CHECKING:
    from model.networks.paddle_network import PaddleNetwork
    from model.networks.torch_network import TorchNetwork

Framework: TypeAlias = Literal["torch", "paddle"]
FRAMEWORKS: tuple[Framework, ...] = ("torch", "paddle")


class Network(Protocol):
    """What networks of both frameworks have; a module of its framework besides."""

    definition: Definition

    @property
    def framework(self) -> Framework:
        """Whose tensors it takes."""

    @property
    def architecture(self) -> str:
        """Its name in the catalogue."""

    @property
    def embedding_size(self) -> int:
        """Width of its last layer; 0: none."""

    @property
    def dimension(self) -> int:
        """Length of its vectors."""

    def __call__(self, images: Any) -> Any:
        """Return (N, dimension) for RGB, normalised (N, 3, H, W) float32."""

    def eval(self) -> Any:
        """Use running statistics."""

    def train(self) -> Any:
        """Use the statistics of each batch."""

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of all tensors by their names in checkpoints."""

    def load_tensors(self, arrays: Arrays, *, source: str = "memory") -> None:
        """Set all tensors, or none and raise ModelError."""


@overload
def build_network(
    name: str, framework: Literal["torch"] = "torch", *, embedding_size: int | None = None, seed: int = 0
) -> TorchNetwork: ...


@overload
def build_network(
    name: str, framework: Literal["paddle"], *, embedding_size: int | None = None, seed: int = 0
) -> PaddleNetwork: ...


def build_network(
    name: str, framework: Framework = "torch", *, embedding_size: int | None = None, seed: int = 0
) -> TorchNetwork | PaddleNetwork:
    """Build a network with the first values of a seed, which are the same in both frameworks.

    Parameters
    ----------
    name : one of `catalogue.ARCHITECTURES`, e.g. ``resnet101_vd``, ``osnet_x0_25``.
    framework : ``torch`` or ``paddle``.
    embedding_size : width of the last layer; 0: leave it out, the pooled feature is
        the embedding; None: as published.

    Raises
    ------
    ModelError
        for an unknown name or framework.
    """
    network = build_empty(define_network(name, embedding_size=embedding_size), framework)
    network.load_tensors(first_values(network.definition, seed=seed))
    return network


def build_empty(definition: Definition, framework: Framework) -> TorchNetwork | PaddleNetwork:
    """Build a network whose values the framework chose, for those who set them next.

    Raises
    ------
    ModelError
        for an unknown framework.
    """
    if framework == "torch":
        from model.networks.torch_network import TorchNetwork

        return TorchNetwork(definition)
    if framework == "paddle":
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No ccache found")  # nothing is compiled here
            from model.networks.paddle_network import PaddleNetwork

        return PaddleNetwork(definition)
    raise ModelError("model.unknown", what="framework", name=framework, choices=", ".join(FRAMEWORKS))

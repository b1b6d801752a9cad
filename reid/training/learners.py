"""What the loop asks of a framework; `torch_learner` and `paddle_learner` give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from errors import ModelError
from records import FloatArray
from reid.losses.build import describe_loss
from reid.losses.loss import Loss
from reid.training.batches import Batch
from reid.training.recipes import LossTerm

Arrays = Mapping[str, NDArray[Any]]
"""Tensors by name, of any type."""


class Learner(Protocol):
    """A network that is being trained, with its losses and its optimizer."""

    def learn(self, batch: Batch, *, rate: float, seed: int) -> dict[str, float]:
        """Take one step.

        Parameters
        ----------
        rate : the learning rate.
        seed : of dropout and whatever else the framework draws in this step.

        Returns
        -------
        the value of each loss by name and, as ``loss``, their weighted sum.
        """

    def embed(self, images: FloatArray) -> FloatArray:
        """Return (N, D) float32 for (N, 3, H, W) float32, in evaluation."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that training changes: network, weights of losses, optimizer."""

    def restore(self, arrays: Arrays, *, source: str) -> None:
        """Take over what `state` returned.

        Raises
        ------
        ModelError
            when it is of another training; it names what does not fit.
        """


def describe_terms(terms: Sequence[LossTerm], *, classes: int, dimension: int) -> list[tuple[str, float, Loss]]:
    """Return name, weight and description of each part of a recipe's loss.

    Raises
    ------
    ModelError
        for an unknown loss.
    """
    return [
        (term.name, term.weight, describe_loss(term.name, classes=classes, dimension=dimension, **term.options))
        for term in terms
    ]


def check_state(wanted: Mapping[str, tuple[int, ...]], arrays: Arrays, *, source: str) -> None:
    """Refuse a state that is not this training's.

    Parameters
    ----------
    wanted : the shapes of network and losses by name. The optimizer's are not in it.

    Raises
    ------
    ModelError
        naming the first tensors that are missing, superfluous or of another shape.
    """
    given = {name: tuple(array.shape) for name, array in arrays.items() if not name.startswith("optimizer.")}
    faults = [
        *(f"{name} is missing" for name in wanted.keys() - given.keys()),
        *(f"{name} is not part of it" for name in given.keys() - wanted.keys()),
        *(
            f"{name} has shape {given[name]} instead of {wanted[name]}"
            for name in wanted.keys() & given.keys()
            if given[name] != wanted[name]
        ),
    ]
    if faults:
        detail = "; ".join(sorted(faults)[:5])
        raise ModelError("model.weights_mismatch", path=source, model="this training", detail=detail)

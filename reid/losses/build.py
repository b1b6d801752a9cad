"""Losses by name, and as modules of a framework."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from errors import ModelError
from reid.losses.classifying import ArcMargin, Centre, Softmax
from reid.losses.loss import Loss
from reid.losses.mining import AnchorCircle, BatchHardTriplet, Circle, Contrastive, PairContrastive
from reid.losses.sums import vehicle_loss
from reid.losses.tuples import Eml, EuclideanTriplet, NPairs, Quadruplet, Triplet

if TYPE_CHECKING:
    from reid.losses.paddle_loss import PaddleLoss
    from reid.losses.torch_loss import TorchLoss

LOSSES: Mapping[str, Callable[..., Loss]] = {
    "softmax": Softmax,
    "arcmargin": ArcMargin,
    "triplet": Triplet,
    "euclidean_triplet": EuclideanTriplet,
    "quadruplet": Quadruplet,
    "eml": Eml,
    "npairs": NPairs,
    "batch_hard_triplet": BatchHardTriplet,
    "contrastive": Contrastive,
    "pair_contrastive": PairContrastive,
    "circle": Circle,
    "anchor_circle": AnchorCircle,
    "centre": Centre,
    "vehicle": vehicle_loss,
}


def describe_loss(name: str, **options: Any) -> Loss:
    """Return a loss by name.

    Parameters
    ----------
    name : one of `LOSSES`.
    options : fields of that loss; ``classes`` and ``dimension`` may be given to
        every loss and reach those that have them.

    Raises
    ------
    ModelError
        for an unknown name.
    TypeError
        for an option that the loss does not have, or lacks.
    """
    if name not in LOSSES:
        raise ModelError("model.unknown", what="loss", name=name, choices=", ".join(LOSSES))
    accepted = inspect.signature(LOSSES[name]).parameters
    for_all = ("classes", "dimension")
    return LOSSES[name](**{key: value for key, value in options.items() if key in accepted or key not in for_all})


@overload
def build_loss(loss: Loss, framework: Literal["torch"] = "torch", *, seed: int = 0) -> TorchLoss: ...


@overload
def build_loss(loss: Loss, framework: Literal["paddle"], *, seed: int = 0) -> PaddleLoss: ...


def build_loss(loss: Loss, framework: str = "torch", *, seed: int = 0) -> TorchLoss | PaddleLoss:
    """Return a module of the framework: ``module(features, labels)`` gives the loss, ``parameters()`` what it trains.

    Raises
    ------
    ModelError
        for an unknown framework.
    """
    values = loss.first_values(np.random.default_rng(seed))
    if framework == "torch":
        from reid.losses.torch_loss import TorchLoss

        return TorchLoss(loss, values)
    if framework == "paddle":
        from reid.losses.paddle_loss import PaddleLoss

        return PaddleLoss(loss, values)
    raise ModelError("model.unknown", what="framework", name=framework, choices="torch, paddle")

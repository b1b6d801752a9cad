"""A recipe: everything that decides what a training comes to, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from model.embedding_spec import Preprocessing
from reid.augment import Step
from reid.training.schedules import Schedule


class Sampling(str, Enum):
    """How batches are put together; see `reid.sampling`."""

    SHUFFLED = "shuffled"
    PK = "pk"
    PAIRS = "pairs"
    TRIPLETS = "triplets"


@dataclass(frozen=True, kw_only=True)
class LossTerm:
    """One part of a weighted sum of losses.

    Attributes
    ----------
    name : as in `reid.losses.build.LOSSES`; each may come once.
    options : its numbers, e.g. ``margin``.
    """

    name: str
    weight: float = 1.0
    options: Mapping[str, float | bool] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """How gradients become steps.

    Attributes
    ----------
    name : ``sgd`` (with momentum), ``adam``, ``amsgrad`` or ``adamw``.
    weight_decay : L2 term of the loss; with ``adamw`` decoupled from it.
    gradient_limit : gradients longer than this, all together, are shortened to it; 0: never.
    """

    name: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    gradient_limit: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in ("sgd", "adam", "amsgrad", "adamw"):
            raise ValueError(f"optimizer must be sgd, adam, amsgrad or adamw, not {self.name}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    network : name of the architecture; embedding_size as in `model.networks.build.build_network`.
    batch_size : crops in a batch.
    images_per_identity : K of PK sampling; ``batch_size`` must be a multiple of it.
    is_camera_aware : PK sampling spreads an identity's crops over its cameras.
    augmentation : steps from a crop as stored to the network's input size.
    preprocessing : how crops are prepared in use and for evaluation; travels with the weights.
    schedule : learning rates.
    iterations : batches to learn from.
    evaluate_every, save_every, log_every : in iterations; 0: only at the end.
    seed : of the first weights, of batches, of augmentation and of dropout.
    """

    name: str
    network: str
    embedding_size: int | None
    losses: tuple[LossTerm, ...]
    sampling: Sampling
    batch_size: int
    images_per_identity: int = 1
    is_camera_aware: bool = False
    augmentation: tuple[Step, ...]
    preprocessing: Preprocessing
    optimizer: Optimizer = Optimizer()
    schedule: Schedule
    iterations: int
    evaluate_every: int = 0
    save_every: int = 0
    log_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        group = {Sampling.PAIRS: 2, Sampling.TRIPLETS: 3}.get(self.sampling, self.images_per_identity)
        if self.batch_size < 1 or self.batch_size % group:
            raise ValueError(f"a batch of {self.batch_size} cannot be divided into groups of {group}; take a multiple")
        if self.iterations < 1 or not self.losses:
            raise ValueError(f"iterations must be 1 or more and a loss given, not {self.iterations} and {self.losses}")


def recipe_as_json(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe in JSON types; parts that come in several kinds say theirs under ``kind``."""
    document: dict[str, Any] = _plain(recipe)
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        parts = {part.name: _plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **parts}
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value

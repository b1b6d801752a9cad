"""The recipes that come with the library, and changing their size and length.

`ELEM` and `PAIR` are those of PaddlePaddle's metric learning (release 1.8),
``osnet`` follows torchreid, ``vehicle`` adds contrastive and circle losses to the
identity loss, ``siamese`` learns from pairs, ``rendered`` is for crops made by
`synth`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from errors import ModelError
from model.embedding_spec import COVER, Preprocessing
from reid.augment import (
    ColourJitter,
    EnlargeAndCrop,
    Flip,
    PadAndCrop,
    RandomBlur,
    RandomErasing,
    RandomResizedCrop,
    Resize,
    Rotate,
    Step,
)
from reid.training.recipes import LossTerm, Optimizer, Recipe, Sampling
from reid.training.schedules import Cosine, Piecewise, Schedule

_PADDLE_SIZE_WH = (224, 224)
_PERSON_SIZE_WH = (128, 256)
_VEHICLE_SIZE_WH = (256, 256)
_SMALL_SIZE_WH = (64, 128)

ELEM = Recipe(
    name="elem",
    network="resnet101_vd",
    embedding_size=0,
    losses=(LossTerm(name="softmax"),),
    sampling=Sampling.SHUFFLED,
    batch_size=256,
    augmentation=(RandomResizedCrop(_PADDLE_SIZE_WH), Flip()),
    preprocessing=Preprocessing(sizes_wh=(_PADDLE_SIZE_WH,), fit=COVER),
    optimizer=Optimizer(name="sgd", momentum=0.9, weight_decay=1e-4),
    schedule=Piecewise(rate=0.01, steps=(15000, 25000)),
    iterations=30000,
    evaluate_every=1000,
    save_every=1000,
)
"""``train_elem``: every picture by itself, against weights of the classes."""

PAIR = replace(
    ELEM,
    name="pair",
    losses=(LossTerm(name="triplet"),),
    sampling=Sampling.PK,
    batch_size=120,
    images_per_identity=2,
    schedule=Piecewise(rate=1e-4, steps=(100000,)),
    iterations=100000,
    evaluate_every=5000,
    save_every=5000,
)
"""``train_pair``: pictures against each other."""

_OSNET = Recipe(
    name="osnet",
    network="osnet_x1_0",
    embedding_size=None,
    losses=(LossTerm(name="softmax", options={"smoothing": 0.1}),),
    sampling=Sampling.SHUFFLED,
    batch_size=64,
    augmentation=(Resize(_PERSON_SIZE_WH), Flip(), EnlargeAndCrop(), ColourJitter()),
    preprocessing=Preprocessing(sizes_wh=(_PERSON_SIZE_WH,)),
    optimizer=Optimizer(name="amsgrad", weight_decay=5e-4),
    schedule=Cosine(rate=0.0015, total=50000, warmup=500),
    iterations=50000,
    evaluate_every=2000,
    save_every=2000,
)

_SIAMESE = Recipe(
    name="siamese",
    network="siamese_encoder",
    embedding_size=None,
    losses=(LossTerm(name="pair_contrastive", options={"margin": 1.0}),),
    sampling=Sampling.PAIRS,
    batch_size=64,
    augmentation=(Resize(_SMALL_SIZE_WH), Flip(), PadAndCrop(4), ColourJitter()),
    preprocessing=Preprocessing(sizes_wh=(_SMALL_SIZE_WH,)),
    optimizer=Optimizer(name="adam", weight_decay=5e-4),
    schedule=Piecewise(rate=5e-4, steps=(12000, 18000)),
    iterations=20000,
    evaluate_every=1000,
    save_every=1000,
)

_VEHICLE = Recipe(
    name="vehicle",
    network="resnet50_ibn_a",
    embedding_size=512,
    losses=(
        LossTerm(name="softmax", options={"smoothing": 0.1}),
        LossTerm(name="contrastive", weight=1.0, options={"margin": 1.0}),
        LossTerm(name="circle", weight=1.0, options={"margin": 0.25, "gamma": 32.0}),
    ),
    sampling=Sampling.PK,
    batch_size=64,
    images_per_identity=4,
    augmentation=(Resize(_VEHICLE_SIZE_WH), Flip(), PadAndCrop(10), Rotate(5), ColourJitter(), RandomErasing()),
    preprocessing=Preprocessing(sizes_wh=(_VEHICLE_SIZE_WH,)),
    optimizer=Optimizer(name="sgd", momentum=0.9, weight_decay=5e-4),
    schedule=Cosine(rate=0.02, total=36000, warmup=1000),
    iterations=36000,
    evaluate_every=2000,
    save_every=2000,
)

_RENDERED = Recipe(
    name="rendered",
    network="resnet101_vd",
    embedding_size=128,
    losses=(
        LossTerm(name="arcmargin", options={"scale": 20.0, "margin": 0.15}),
        LossTerm(name="batch_hard_triplet", options={"margin": 0.3}),
    ),
    sampling=Sampling.PK,
    batch_size=96,
    images_per_identity=4,
    is_camera_aware=True,
    augmentation=(
        Resize(_SMALL_SIZE_WH),
        Flip(),
        PadAndCrop(6),
        Rotate(4, 0.3),
        ColourJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.02),
        RandomBlur(),
        Resize((128, 128)),
        RandomErasing(probability=0.4, area=(0.02, 0.25)),
    ),
    preprocessing=Preprocessing(),
    optimizer=Optimizer(name="adamw", weight_decay=1e-3, gradient_limit=5.0),
    schedule=Cosine(rate=1e-3, total=40000, warmup=500),
    iterations=40000,
    evaluate_every=1000,
    save_every=1000,
)

PRESETS: Mapping[str, Recipe] = MappingProxyType(
    {recipe.name: recipe for recipe in (_OSNET, _SIAMESE, _VEHICLE, _RENDERED, ELEM, PAIR)}
)
"""Recipes by the name that ``python -m reid train`` takes."""


def find_preset(name: str) -> Recipe:
    """Return a recipe by name.

    Raises
    ------
    ModelError
        for an unknown name.
    """
    if name not in PRESETS:
        raise ModelError("model.unknown", what="recipe", name=name, choices=", ".join(PRESETS))
    return PRESETS[name]


def with_input_size(recipe: Recipe, size_wh: tuple[int, int]) -> Recipe:
    """Return the recipe for another input size of the network."""

    def resized(step: Step) -> Step:
        if isinstance(step, Resize | RandomResizedCrop):
            return replace(step, size_wh=size_wh)
        return step

    return replace(
        recipe,
        augmentation=tuple(resized(step) for step in recipe.augmentation),
        preprocessing=replace(recipe.preprocessing, sizes_wh=(size_wh,)),
    )


def with_iterations(recipe: Recipe, iterations: int) -> Recipe:
    """Return the recipe for another length; the schedule moves in proportion, the intervals stay."""
    share = iterations / recipe.iterations

    def moved(count: int) -> int:
        return max(1, round(count * share)) if count else 0

    schedule: Schedule = recipe.schedule
    if isinstance(schedule, Piecewise):
        schedule = replace(schedule, steps=tuple(moved(step) for step in schedule.steps), warmup=moved(schedule.warmup))
    elif isinstance(schedule, Cosine):
        schedule = replace(schedule, total=iterations, warmup=moved(schedule.warmup))
    return replace(
        recipe,
        iterations=iterations,
        schedule=schedule,
    )


def with_rate(recipe: Recipe, rate: float) -> Recipe:
    """Return the recipe with another learning rate."""
    if not dataclasses.is_dataclass(recipe.schedule):
        raise TypeError(f"the schedule must be a dataclass, not {type(recipe.schedule).__name__}")
    return replace(recipe, schedule=replace(recipe.schedule, rate=rate))

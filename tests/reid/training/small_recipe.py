"""A recipe that learns drawn figures in seconds, and its data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from model.embedding_spec import Preprocessing
from model.networks.build import Framework, Network, build_network
from reid.augment import Flip, PadAndCrop
from reid.datasets.crops import CropArrays
from reid.training.batches import TrainingData
from reid.training.judging import HeldOut
from reid.training.learners import Learner
from reid.training.recipes import LossTerm, Optimizer, Recipe, Sampling
from reid.training.schedules import Piecewise
from tests.reid.training.figures import SIZE_WH, draw_crops

SMALL = Recipe(
    name="small",
    network="siamese_encoder",
    embedding_size=32,
    losses=(LossTerm(name="arcmargin", options={"scale": 12.0, "margin": 0.1}), LossTerm(name="batch_hard_triplet")),
    sampling=Sampling.PK,
    batch_size=32,
    images_per_identity=4,
    is_camera_aware=True,
    augmentation=(Flip(), PadAndCrop(1)),
    preprocessing=Preprocessing(sizes_wh=(SIZE_WH,)),
    optimizer=Optimizer(name="adam", weight_decay=0.0),
    schedule=Piecewise(rate=2e-3, steps=(20,), warmup=3),
    iterations=25,
    log_every=5,
)
TRAINED, UNSEEN = range(1, 25), range(101, 117)


def training_data() -> TrainingData:
    """Return 24 identities with 6 crops each."""
    return TrainingData.of(draw_crops(TRAINED))


def held_out() -> HeldOut:
    """Return 16 other identities: queries by camera 1, gallery by camera 2."""
    crops = draw_crops(UNSEEN, seed=7)

    def by(camera: int) -> CropArrays:
        return crops.select(np.flatnonzero(crops.cameras == camera))

    return HeldOut(by(1), by(2))


def build(framework: Framework, recipe: Recipe = SMALL, **changes: Any) -> tuple[Network, Learner]:
    """Return the recipe's network and its learner."""
    recipe = replace(recipe, **changes)
    network = build_network(recipe.network, framework, embedding_size=recipe.embedding_size, seed=recipe.seed)
    learner: Learner
    if framework == "torch":
        from reid.training.torch_learner import TorchLearner

        learner = TorchLearner(network, recipe, dimension=network.dimension, class_count=len(TRAINED))  # type: ignore[arg-type]
    else:
        from reid.training.paddle_learner import PaddleLearner

        learner = PaddleLearner(network, recipe, dimension=network.dimension, class_count=len(TRAINED))
    return network, learner

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from errors import ModelError
from model.networks.catalogue import find_architecture
from reid.losses.build import describe_loss
from reid.training.batches import BatchSource
from reid.training.presets import PRESETS, find_preset, with_input_size, with_iterations, with_rate
from reid.training.recipes import Sampling, recipe_as_json
from reid.training.schedules import Cosine, Piecewise
from tests.reid.training.small_recipe import SMALL, training_data


@pytest.mark.parametrize("name", PRESETS)
def test_every_recipe_names_what_there_is_and_makes_batches(name: str) -> None:
    recipe = PRESETS[name]
    find_architecture(recipe.network)
    for term in recipe.losses:
        describe_loss(term.name, classes=3, dimension=4, **term.options)
    small = replace(recipe, batch_size=12)
    batch = BatchSource(training_data(), small, workers=0).batch(0)
    width, height = recipe.preprocessing.sizes_wh[-1]
    assert batch.images.shape == (12, 3, height, width)
    assert batch.images.dtype == np.float32
    json.dumps(recipe_as_json(recipe))


def test_an_unknown_recipe_is_answered_with_the_choices() -> None:
    with pytest.raises(ModelError, match=r"no recipe named “bot”.*osnet, siamese, vehicle, rendered"):
        find_preset("bot")


def test_another_length_moves_the_schedule_and_keeps_the_intervals() -> None:
    elem = with_iterations(find_preset("elem"), 3000)
    assert isinstance(elem.schedule, Piecewise)
    assert elem.schedule.steps == (1500, 2500)
    assert (elem.iterations, elem.evaluate_every) == (3000, 1000)
    osnet = with_iterations(find_preset("osnet"), 100)
    assert isinstance(osnet.schedule, Cosine)
    assert (osnet.schedule.total, osnet.schedule.warmup) == (100, 1)


def test_another_input_size_reaches_augmentation_and_preprocessing() -> None:
    recipe = with_input_size(find_preset("vehicle"), (24, 40))
    batch = BatchSource(training_data(), replace(recipe, batch_size=8), workers=0).batch(0)
    assert batch.images.shape == (8, 3, 40, 24)
    assert recipe.preprocessing.sizes_wh == ((24, 40),)


def test_another_rate_changes_nothing_else() -> None:
    assert with_rate(SMALL, 0.5).schedule == replace(SMALL.schedule, rate=0.5)  # type: ignore[type-var]


def test_batches_that_cannot_be_divided_are_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 30 cannot be divided into groups of 4"):
        replace(SMALL, batch_size=30)
    with pytest.raises(ValueError, match="groups of 3"):
        replace(SMALL, sampling=Sampling.TRIPLETS)


def test_augmentation_that_ends_in_another_size_is_told() -> None:
    recipe = replace(SMALL, preprocessing=with_input_size(SMALL, (20, 20)).preprocessing)
    with pytest.raises(ValueError, match="augmentation must end in crops of 20×20, not"):
        BatchSource(training_data(), recipe, workers=0).batch(0)


def test_workers_change_the_speed_and_not_the_batches() -> None:
    data = training_data()
    inline, ahead = BatchSource(data, SMALL, workers=0), BatchSource(data, SMALL, workers=3)
    for first, second in zip(inline.stream(2, 7), ahead.stream(2, 7), strict=True):
        np.testing.assert_array_equal(first.images, second.images)
        np.testing.assert_array_equal(first.labels, second.labels)

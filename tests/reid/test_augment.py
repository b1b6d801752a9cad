from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from records import Image
from reid.augment import (
    MEAN_BGR,
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
    augment,
)

Apply = Callable[[Step, int], Image]
EACH: list[Step] = [
    RandomResizedCrop((32, 48)),
    Flip(),
    PadAndCrop(5),
    EnlargeAndCrop(),
    Rotate(20),
    ColourJitter(0.3, 0.3, 0.3, 0.1),
    RandomErasing(),
    RandomBlur(),
    Resize((32, 48)),
]


@pytest.fixture
def picture() -> Image:
    rows, columns = np.mgrid[:48, :32]
    return np.stack([rows * 5, columns * 7, (rows + columns) * 3], axis=2).astype(np.uint8)


@pytest.mark.parametrize("step", EACH, ids=lambda step: type(step).__name__)
def test_a_step_keeps_size_and_type_and_its_input_and_follows_the_seed(step: Step, picture: Image) -> None:
    before = picture.copy()
    results = [step(picture, np.random.default_rng(seed)) for seed in range(12)]
    again = [step(picture, np.random.default_rng(seed)) for seed in range(12)]
    for first, second in zip(results, again, strict=True):
        assert first.shape == (48, 32, 3)
        assert first.dtype == np.uint8
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(picture, before)
    if not isinstance(step, Resize):
        assert any((result != picture).any() for result in results)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 200)])
def test_crops_of_any_shape_become_the_size_that_is_wanted(shape: tuple[int, int]) -> None:
    crop = np.full((*shape, 3), 9, np.uint8)
    for seed in range(10):
        assert RandomResizedCrop((16, 24))(crop, np.random.default_rng(seed)).shape == (24, 16, 3)


def test_random_resized_crops_have_the_areas_and_ratios_that_are_asked_for() -> None:
    # Every pixel says where it is, so the size of the part can be read from the result.
    rows, columns = np.mgrid[:250, :250]
    places = np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)
    areas, ratios = [], []
    for seed in range(200):
        part = RandomResizedCrop((250, 250))(places, np.random.default_rng(seed)).astype(int)
        height, width = np.ptp(part[..., 0]) + 1, np.ptp(part[..., 1]) + 1
        areas.append(height * width / 250**2)
        ratios.append(width / height)
    assert min(areas) > 0.07
    assert max(areas) > 0.9
    assert min(areas) < 0.15
    assert 0.72 < min(ratios) < 0.8
    assert 1.25 < max(ratios) < 1.38


def test_a_flip_mirrors_left_and_right_half_of_the_time(picture: Image) -> None:
    generator = np.random.default_rng(0)
    flipped = [(Flip()(picture, generator) == picture[:, ::-1]).all() for _ in range(400)]
    assert 160 < sum(flipped) < 240


def test_padding_shifts_and_fills_with_the_mean(picture: Image) -> None:
    shifted = PadAndCrop(5)(picture, np.random.default_rng(2))
    offsets = [
        (y, x)
        for y in range(-5, 6)
        for x in range(-5, 6)
        if (shifted[max(0, -y) : 48 - max(0, y), max(0, -x) : 32 - max(0, x)]
            == picture[max(0, y) : 48 + min(0, y), max(0, x) : 32 + min(0, x)]).all()
    ]  # fmt: skip
    assert len(offsets) == 1
    assert offsets != [(0, 0)]
    assert (shifted == MEAN_BGR).all(axis=2).any()


def test_erasing_fills_one_rectangle_of_the_area_that_is_asked_for(picture: Image) -> None:
    shares = []
    for seed in range(100):
        erased = RandomErasing(probability=1, area=(0.1, 0.3))(picture, np.random.default_rng(seed))
        changed = (erased != picture).any(axis=2)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert (erased[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == MEAN_BGR).all()
        shares.append(len(rows) * len(columns) / (48 * 32))
    assert 0.09 < min(shares) < 0.13
    assert 0.25 < max(shares) < 0.32


def test_jitter_of_brightness_scales_and_contrast_keeps_the_mean() -> None:
    generator = np.random.default_rng(0)
    picture = generator.integers(80, 120, (48, 32, 3), np.uint8)
    brighter = [ColourJitter(0.5, 0, 0, 0)(picture, np.random.default_rng(seed)).mean() for seed in range(40)]
    assert min(brighter) < 60
    assert max(brighter) > 140
    for seed in range(10):
        changed = ColourJitter(0, 0.5, 0, 0)(picture, np.random.default_rng(seed))
        assert abs(changed.mean() - picture.mean()) < 1.5


def test_without_jitter_colours_stay(picture: Image) -> None:
    np.testing.assert_array_equal(ColourJitter(0, 0, 0, 0)(picture, np.random.default_rng(0)), picture)


def test_hues_turn_around_the_circle() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 2] = 200
    turned = [ColourJitter(0, 0, 0, 0.5)(red, np.random.default_rng(seed))[0, 0] for seed in range(30)]
    assert any(colour.argmax() == 0 for colour in turned)
    assert any(colour.argmax() == 1 for colour in turned)
    assert {int(colour.max()) for colour in turned} == {200}


def test_steps_come_one_after_another(picture: Image) -> None:
    assert augment(picture, [Resize((8, 9)), Flip(1.0)], np.random.default_rng(0)).shape == (9, 8, 3)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synth.light import Light, sample_light
from synth.people import Person, sample_person
from synth.render_people import Sprite, View, render_person

DAY = Light(to_sun=(0.5, 0.5, 0.707), sun=(0.6, 0.6, 0.6), sky=(0.6, 0.6, 0.6), ground=(0.2, 0.2, 0.2))


def seen(person: Person, *, heading_rad: float = 0.0, pitch_rad: float = 0.1, height_px: float = 90.0) -> Sprite:
    view = View(heading_rad=heading_rad, pitch_rad=pitch_rad, gait_phase_rad=1.0, light=DAY, height_px=height_px)
    return render_person(person, view, np.random.default_rng(7))


def a_person(seed: int = 3) -> Person:
    return sample_person(np.random.default_rng(seed))


def test_the_same_seed_gives_the_same_person_and_picture() -> None:
    assert a_person() == a_person()
    first, second = seen(a_person()), seen(a_person())
    np.testing.assert_array_equal(first.image_rgb, second.image_rgb)
    np.testing.assert_array_equal(first.alpha, second.alpha)


def test_other_seeds_give_other_people() -> None:
    assert len({a_person(seed) for seed in range(30)}) == 30


@pytest.mark.parametrize("seed", range(12))
def test_anybody_can_be_drawn_from_any_side(seed: int) -> None:
    sprite = seen(a_person(seed), heading_rad=seed * 0.7, pitch_rad=0.06 * seed)
    height, width = sprite.alpha.shape
    assert sprite.image_rgb.shape == (height, width, 3)
    assert sprite.image_rgb.dtype == sprite.alpha.dtype == np.float32
    assert sprite.image_rgb.min() >= 0
    assert sprite.image_rgb.max() <= 1
    assert sprite.alpha[0].any()
    assert sprite.alpha[-1].any()
    assert sprite.alpha[:, 0].any()
    assert sprite.alpha[:, -1].any()
    assert not sprite.image_rgb[sprite.alpha == 0].any()


def test_a_person_takes_the_height_that_was_asked_for_and_stands_on_the_anchor() -> None:
    person = replace(a_person(), hat="none", hair_style="crop", bag="none", arm="swing")
    sprite = seen(person, pitch_rad=0.0, height_px=200)
    height, width = sprite.alpha.shape
    assert height == pytest.approx(200, rel=0.06)
    assert sprite.anchor_xy[1] == pytest.approx(height, abs=8)
    assert 0 < sprite.anchor_xy[0] < width


def test_the_chest_shows_the_colour_of_the_top_and_the_back_that_of_the_backpack() -> None:
    person = a_person()
    cloth = replace(person.top.cloth, colour=(0.9, 0.1, 0.1), pattern="plain")
    top = replace(person.top, kind="sweater", cloth=cloth, opening=0.0)
    person = replace(person, top=top, bag="backpack", bag_colour=(0.1, 0.1, 0.9), hair_style="crop", arm="swing")
    front, back = (chest_colour(seen(person, heading_rad=heading)) for heading in (0.0, np.pi))
    assert front[0] > 2 * front[2]
    assert back[2] > 2 * back[0]


def chest_colour(sprite: Sprite) -> np.ndarray:
    height = len(sprite.alpha)
    x = int(sprite.anchor_xy[0])
    return sprite.image_rgb[int(0.28 * height) : int(0.36 * height), x - 2 : x + 3].mean(axis=(0, 1))


def test_the_side_that_faces_the_sun_is_brighter() -> None:
    person = replace(a_person(), bag="none", arm="swing")
    cloth = replace(person.top.cloth, colour=(0.6, 0.6, 0.6), pattern="plain")
    person = replace(person, top=replace(person.top, kind="sweater", cloth=cloth, opening=0.0))
    light = replace(DAY, to_sun=(0.0, 0.94, 0.342))
    view = View(heading_rad=0.0, pitch_rad=0.0, gait_phase_rad=0.0, light=light, height_px=120, stride=0.0)
    sprite = render_person(person, view, np.random.default_rng(0))
    rows = slice(int(0.25 * len(sprite.alpha)), int(0.45 * len(sprite.alpha)))
    middle = int(sprite.anchor_xy[0])
    left, right = sprite.image_rgb[rows, middle - 8 : middle - 2], sprite.image_rgb[rows, middle + 2 : middle + 8]
    assert right.mean() > left.mean() + 0.05


def test_a_turned_light_keeps_its_height() -> None:
    light = sample_light(np.random.default_rng(2))
    assert light.turned(1.2).turned(-1.2).to_sun == pytest.approx(light.to_sun)
    assert light.turned(1.2).to_sun[2] == light.to_sun[2]


@pytest.mark.parametrize(("name", "value"), [("height_px", 4.0), ("pitch_rad", 1.6), ("distance_m", 1.0)])
def test_a_view_that_cannot_be_drawn_is_refused(name: str, value: float) -> None:
    view = View(heading_rad=0, pitch_rad=0, gait_phase_rad=0, light=DAY, height_px=50)
    with pytest.raises(ValueError, match=f"{name} must"):
        replace(view, **{name: value})

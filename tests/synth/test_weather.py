"""What the air does to a picture."""

from __future__ import annotations

import numpy as np
import pytest

from synth.filming import cast_outline, film
from synth.weather import Weather
from synth.worlds import sample_world

PICTURE = np.full((60, 80, 3), 0.2, np.float32)


def test_clear_air_changes_nothing() -> None:
    weather = Weather()
    assert weather.veil(PICTURE, 50.0) is PICTURE
    assert weather.fall(PICTURE, np.random.default_rng(0)) is PICTURE


def test_fog_hides_what_is_far_and_little_of_what_is_near() -> None:
    depth = np.array([[2.0, 20.0, 200.0]], np.float32)
    veiled = Weather("fog", 1.0).veil(np.zeros((1, 3, 3), np.float32), depth)[0, :, 0]
    assert veiled[0] < 0.2
    assert 0.5 < veiled[1] < veiled[2]
    assert veiled[2] == pytest.approx(0.74, abs=0.01)


@pytest.mark.parametrize("kind", ["rain", "snow"])
def test_what_falls_is_elsewhere_in_every_picture(kind: str) -> None:
    rng = np.random.default_rng(0)
    first, second = (Weather(kind, 1.0).fall(PICTURE, rng) for _ in range(2))
    assert (first >= PICTURE - 1e-6).all()
    assert (first > 0.25).any()
    assert (first != second).any()


def test_unknown_weather_and_strength_are_refused() -> None:
    with pytest.raises(ValueError, match="“hail”; one of clear, fog, rain, snow"):
        Weather("hail")
    with pytest.raises(ValueError, match="0 to 1, not 2"):
        Weather("fog", 2.0)


def test_a_night_is_darker_than_a_day() -> None:
    small = {"duration_s": 0.2, "frame_rate": 5, "people": 1, "vehicles": 0, "width": 96, "height": 64}
    day, night = (sample_world(9, is_night=dark, **small) for dark in (False, True))  # type: ignore[arg-type]  # numbers of two types
    means = [float(next(iter(film(world, world.recordings[0]))).image_bgr.mean()) for world in (day, night)]
    assert means[1] < 0.8 * means[0]


def test_shadows_point_away_from_the_sun() -> None:
    world = sample_world(5)
    camera = world.recordings[0].camera
    x, y, z = world.scene.light.to_sun
    outline = cast_outline(world, camera, (-8.0, 3.0), 1.7, 0.2)
    assert outline is not None
    away = (camera.ground(outline.astype(np.float64)) - [-8.0, 3.0]) @ -(np.array([x, y]) / np.hypot(x, y))
    assert away.min() == pytest.approx(0, abs=0.02)
    assert away.max() == pytest.approx(min(1.7 * np.hypot(x, y) / z, 6.0), abs=0.02)

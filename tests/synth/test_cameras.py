"""Metres to pixels and back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from synth.cameras import Camera, places_on_ground


def looking_north(**others: float) -> Camera:
    return Camera("gate", (0.0, 0.0, 3.0), np.pi / 2, 0.0, 500.0, 640, 480, **others)


def test_a_level_camera_sees_its_own_height_on_the_horizon() -> None:
    pixels, depths = looking_north().project(np.array([[0, 10, 3], [1, 10, 3], [0, 10, 0], [0, 20, 3.0]]))
    assert np.allclose(pixels, [[320, 240], [370, 240], [320, 390], [320, 240]])
    assert np.allclose(depths, [10, 10, 10, 20])


def test_what_is_behind_the_lens_has_no_pixel() -> None:
    pixels, depths = looking_north().project(np.array([[0, -1, 3.0]]))
    assert np.isnan(pixels).all()
    assert depths[0] == pytest.approx(-1)


def test_a_camera_that_looks_down_sees_the_ground_in_its_middle() -> None:
    camera = Camera("mast", (2.0, 1.0, 4.0), 0.3, 0.5, 600.0, 640, 480)
    place = camera.ground(np.array([[320.0, 240.0]]))[0]
    away = 4.0 / np.tan(0.5)
    assert np.allclose(place, [2 + away * np.cos(0.3), 1 + away * np.sin(0.3)])


def test_rolling_clockwise_turns_the_picture_the_other_way() -> None:
    right_of_middle = np.array([[1.0, 10, 3]])
    level, rolled = (looking_north(roll_rad=angle).project(right_of_middle)[0][0] for angle in (0.0, 0.1))
    assert rolled[1] < level[1]


@pytest.mark.parametrize("lens", [(0.0, 0.0), (-0.12, 0.02), (0.08, 0.0)])
def test_projection_and_its_inverse_agree_through_any_lens(lens: tuple[float, float]) -> None:
    camera = Camera("mast", (1.0, -2.0, 5.0), 1.1, 0.4, 550.0, 800, 600, roll_rad=0.05, k1=lens[0], k2=lens[1])
    rng = np.random.default_rng(3)
    pixels = np.stack([rng.uniform(0, 800, 200), rng.uniform(320, 600, 200)], axis=1)
    places = camera.ground(pixels)
    assert np.isfinite(places).all()
    assert np.abs(camera.project(places_on_ground(places))[0] - pixels).max() < 0.01


def test_the_sky_has_no_ground() -> None:
    assert np.isnan(looking_north().ground(np.array([[320.0, 100.0], [320.0, 240.0]]))).all()


def test_size_of_a_metre_and_the_angles_of_a_place() -> None:
    camera = looking_north()
    place = np.array([[0.0, 4.0, 0.0]])
    assert camera.pixels_per_metre(place)[0] == pytest.approx(125)
    assert camera.elevation_rad(place)[0] == pytest.approx(np.arctan2(3, 4))
    assert camera.azimuth_rad(place)[0] == pytest.approx(np.pi / 2)


def test_the_calibration_file_projects_as_the_camera_does() -> None:
    camera = Camera("mast", (1.0, -2.0, 5.0), 1.1, 0.4, 550.0, 800, 600)
    values = json.loads(json.dumps(camera.to_json()))
    point = np.array([3.0, 2.0, 1.0])
    local = np.array(values["intrinsics"]) @ np.array(values["rotation"]) @ (point - np.array(values["position_m"]))
    assert np.allclose(local[:2] / local[2], camera.project(point[None])[0][0])


def test_a_camera_without_size_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Camera("gate", (0.0, 0.0, 3.0), 0.0, 0.0, 0.0, 640, 480)

"""Scenes, what cameras see of them, and the vehicles in them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from records import CLASS_NAMES
from synth.cameras import Camera, places_on_ground
from synth.props import PROPS, make_prop
from synth.render_scenes import Backdrop, light_scene, overlap, render_backdrop
from synth.render_vehicles import VehicleSprite, render_vehicle
from synth.scenes import KINDS, Scene, sample_scene
from synth.vehicles import BODY_TYPES, CLASS_OF_BODY, faces_of, sample_vehicle

CAMERA = Camera("mast", (-9.0, 0.5, 4.0), 0.0, 0.25, 150.0, 160, 120)


@pytest.fixture(scope="module")
def street() -> tuple[Scene, Backdrop]:
    scene = sample_scene(np.random.default_rng(4), kind="street", half_m=16.0, night=0.0)
    return scene, render_backdrop(light_scene(scene), CAMERA, np.random.default_rng(1))


def test_the_same_seed_gives_the_same_place() -> None:
    first, again, other = (sample_scene(np.random.default_rng(seed), kind="square", half_m=8.0) for seed in (1, 1, 2))
    assert (first.ground_rgb == again.ground_rgb).all()
    assert len(first.props) == len(again.props)
    assert first.ground_rgb.shape == other.ground_rgb.shape
    assert (first.ground_rgb != other.ground_rgb).any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_place_can_be_seen(kind: str) -> None:
    scene = sample_scene(np.random.default_rng(7), kind=kind, half_m=8.0)
    backdrop = render_backdrop(light_scene(scene), CAMERA, np.random.default_rng(1))
    assert backdrop.image_rgb.shape == (120, 160, 3)
    assert 0 <= backdrop.image_rgb.min() < backdrop.image_rgb.max() <= 1
    assert scene.is_walkable.any()


def test_the_depth_of_the_ground_is_that_of_the_projection(street: tuple[Scene, Backdrop]) -> None:
    _, backdrop = street
    grid = CAMERA.pixel_grid()
    expected = CAMERA.project(places_on_ground(CAMERA.ground(grid)))[1].reshape(120, 160)  # above the horizon: NaN
    depth = backdrop.depth_m
    is_ground = np.abs(depth - expected) < 1e-3 * expected
    assert is_ground[100:].mean() > 0.7
    assert (depth[np.isfinite(expected)] <= expected[np.isfinite(expected)] * 1.001).all(), (
        "nothing lies below the ground"
    )


def test_masks_answer_for_places_in_metres(street: tuple[Scene, Backdrop]) -> None:
    scene = street[0]
    places = np.array([[0.0, 0.0], [0.0, 15.9], [99.0, 0.0], [np.nan, 0.0]])
    assert scene.allows(scene.is_road, places).tolist() == [True, False, False, False]


@pytest.mark.parametrize("name", sorted(PROPS))
def test_every_thing_stands_on_the_ground(name: str) -> None:
    prop = make_prop(np.random.default_rng(2), name)
    assert prop.image_rgb.shape == (*prop.alpha.shape, 3)
    assert prop.alpha[-max(4, prop.alpha.shape[0] // 12) :].max() > 0.5
    assert 0.3 < prop.height_m < 10


def render(body: str, seed: int = 3, heading: float = 0.6) -> VehicleSprite:
    rng = np.random.default_rng(seed)
    vehicle, light = sample_vehicle(rng, body=body), sample_scene(rng, kind="park", half_m=4.0).light
    sprite = render_vehicle(vehicle, Camera("c", (0, -18, 3.0), np.pi / 2, 0.1, 420, 320, 240), (0, 0), heading, light)
    assert sprite is not None
    return sprite


@pytest.mark.parametrize("body", BODY_TYPES)
def test_a_vehicle_covers_what_its_surfaces_cover(body: str) -> None:
    sprite = render(body)
    rows, columns = np.nonzero(sprite.alpha > 127)
    vehicle = sample_vehicle(np.random.default_rng(3), body=body)
    corners = np.concatenate([face.corners_m for face in faces_of(vehicle)])
    cos, sin = np.cos(0.6), np.sin(0.6)
    turned = corners @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    pixels = Camera("c", (0, -18, 3.0), np.pi / 2, 0.1, 420, 320, 240).project(turned)[0]
    drawn = [columns.min() + sprite.left, rows.min() + sprite.top, columns.max() + sprite.left, rows.max() + sprite.top]
    assert np.abs(np.array(drawn) - [*pixels.min(axis=0), *pixels.max(axis=0)]).max() < 3
    assert CLASS_OF_BODY[body] in CLASS_NAMES


def test_the_same_seed_gives_the_same_vehicle() -> None:
    assert (render("car").image_rgb == render("car").image_rgb).all()


def test_a_plate_shows_its_text_and_nothing_else_changes() -> None:
    rng = np.random.default_rng(3)
    vehicle, light = sample_vehicle(rng, body="car"), sample_scene(rng, kind="park", half_m=4.0).light
    near = Camera("c", (0, -7, 1.0), np.pi / 2, 0.05, 1200, 900, 600)
    read, blank = (
        render_vehicle(replace(vehicle, plate=text), near, (0, 0), -np.pi / 2, light) for text in ("HVI4171", "       ")
    )
    assert read is not None
    assert blank is not None
    rows, columns = np.nonzero((read.image_rgb != blank.image_rgb).any(axis=2))
    seen = read.image_rgb[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].mean(axis=2)
    drawn = np.full((44, 208), 255, np.uint8)
    cv2.putText(drawn, "HVI4171", (8, 36), cv2.FONT_HERSHEY_DUPLEX, 1.25, 0, 3, cv2.LINE_AA)
    inked = np.nonzero(drawn < 128)
    letters = drawn[inked[0].min() : inked[0].max() + 1, inked[1].min() : inked[1].max() + 1]
    alike = np.corrcoef(cv2.resize(letters, seen.shape[::-1], interpolation=cv2.INTER_AREA).ravel(), seen.ravel())[0, 1]
    assert seen.shape[1] < 0.35 * read.image_rgb.shape[1]
    assert alike > 0.75


def test_what_reaches_behind_the_lens_is_not_drawn() -> None:
    rng = np.random.default_rng(3)
    vehicle, light = sample_vehicle(rng, body="bus"), sample_scene(rng, kind="park", half_m=4.0).light
    assert render_vehicle(vehicle, Camera("c", (0, -1, 3.0), np.pi / 2, 0.1, 420, 320, 240), (0, 0), 0.0, light) is None


def test_overlap_of_a_box_with_a_picture() -> None:
    assert overlap((-3, 2, 5, 5), 10, 10) == (slice(2, 7), slice(0, 2), slice(0, 5), slice(3, 5))
    assert overlap((10, 0, 5, 5), 10, 10) is None

"""How the camera moved."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.bench.make_sequences import HEIGHT, WIDTH, picture
from video.camera_motion import CameraMotion, to_first_frame

NOBODY = np.zeros((0, 4))


def test_a_resting_camera_gives_none_though_people_walk() -> None:
    camera = CameraMotion()
    assert [camera.step(picture(frame), NOBODY) for frame in range(0, 40, 4)] == [None] * 10


def test_a_pan_is_measured() -> None:
    camera = CameraMotion()
    assert camera.step(picture(0, pan=0), NOBODY) is None
    for before, pan in ((0, 5), (5, 12), (12, 21), (21, 15)):
        affine = camera.step(picture(0, pan=pan), NOBODY)
        assert affine is not None
        np.testing.assert_allclose(affine, [[1, 0, before - pan], [0, 1, 0]], atol=0.3)


def test_a_pan_too_slow_for_two_frames_adds_up() -> None:
    wide = cv2.resize(picture(0), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    camera = CameraMotion()
    steps = [
        camera.step(cv2.warpAffine(wide, np.float32([[1, 0, -0.3 * k], [0, 1, 0]]), wide.shape[1::-1]), NOBODY)
        for k in range(40)
    ]
    seen = [affine for affine in steps if affine is not None]
    assert 5 <= len(seen) < 25, "most frames are within what a resting camera may do"
    assert sum(float(affine[0, 2]) for affine in seen) == pytest.approx(-0.3 * 39, abs=1.5)


def test_a_change_of_the_light_is_no_motion() -> None:
    camera = CameraMotion()
    for gain in (1.0, 0.9, 0.8, 0.9, 1.0):
        assert camera.step((picture(0) * gain).astype(np.uint8), NOBODY) is None


def test_a_larger_picture_is_measured_in_its_own_pixels() -> None:
    camera = CameraMotion()
    large = [np.kron(picture(0, pan=pan), np.ones((4, 4, 1), np.uint8)) for pan in (0, 6)]
    camera.step(large[0], NOBODY)
    affine = camera.step(large[1], NOBODY)
    assert affine is not None
    assert affine[0, 2] + 2 * WIDTH * (affine[0, 0] - 1) == pytest.approx(-24, abs=1)


def test_what_moves_by_itself_is_left_out() -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    walker = np.random.default_rng(1).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    camera, unaware = CameraMotion(), CameraMotion()
    for left in (50, 56):
        image = grey.copy()
        image[60:160, left : left + 100] = walker
        told = camera.step(image, np.array([[left - 5.0, 55, left + 105, 165]]))
        untold = unaware.step(image, NOBODY)
    assert told is None
    assert untold is not None


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_tells_nothing(value: int) -> None:
    camera = CameraMotion()
    blank = np.full((HEIGHT, WIDTH, 3), value, np.uint8)
    assert [camera.step(image, NOBODY) for image in (blank, picture(0), blank, blank)] == [None] * 4


def test_tiny_pictures_and_boxes_beyond_the_border_do_no_harm() -> None:
    camera = CameraMotion()
    for _ in range(3):
        assert camera.step(np.zeros((1, 900, 3), np.uint8), np.array([[-50.0, -50, 2000, 2000]])) is None


def test_the_chain_carries_points_to_the_first_frame() -> None:
    affine = np.array([[1.0, 0, -10], [0, 1, 4]])
    ground = to_first_frame([None, affine, None, affine], width=WIDTH, height=HEIGHT)
    assert ground is not None
    np.testing.assert_allclose(ground[:, :2, 2], [[0, 0], [10, -4], [10, -4], [20, -8]], atol=1e-9)
    assert to_first_frame([None, None], width=WIDTH, height=HEIGHT) is None
    assert to_first_frame([], width=WIDTH, height=HEIGHT) is None


def test_errors_of_the_zoom_do_not_grow_without_limit() -> None:
    zoom = np.array([[1.001, 0, 0], [0, 1.001, 0]])
    ground = to_first_frame([zoom] * 90_000, width=WIDTH, height=HEIGHT)
    assert ground is not None
    scales = np.sqrt(np.linalg.det(ground[:, :2, :2]))
    assert 0.4 < scales.min() < 0.6
    assert np.isfinite(np.linalg.inv(ground)).all()
    steps = np.linalg.inv(ground[1:]) @ ground[:-1]
    middle = np.array([WIDTH / 2, HEIGHT / 2, 1])
    far = np.array([WIDTH, HEIGHT, 1.0])
    for point, tolerance in ((middle, 0.001), (far, 0.3)):
        moved = steps @ point
        expected = zoom @ point
        assert np.abs(moved[:, :2] - expected).max() < tolerance

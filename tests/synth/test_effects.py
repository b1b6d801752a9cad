from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth.effects import CameraEffects, apply_effects, sample_effects

NONE = CameraEffects()


def picture() -> np.ndarray:
    return np.random.default_rng(0).random((40, 30, 3), np.float32)


def test_a_perfect_camera_only_rounds() -> None:
    written = apply_effects(picture(), NONE, np.random.default_rng(0))
    assert written.dtype == np.uint8
    assert np.abs(written / 255 - picture()).max() <= 0.5 / 255 + 1e-6


def test_strength_0_is_a_perfect_camera() -> None:
    effects = sample_effects(np.random.default_rng(3), strength=0.0)
    assert replace(effects, motion_blur_rad=0.0) == NONE


def test_the_same_state_gives_the_same_picture_and_the_input_is_left_alone() -> None:
    image, effects = picture(), sample_effects(np.random.default_rng(9))
    first = apply_effects(image, effects, np.random.default_rng(1))
    second = apply_effects(image, effects, np.random.default_rng(1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, picture())


def test_each_effect_does_what_it_says() -> None:
    image = picture()

    def after(effects: CameraEffects) -> np.ndarray:
        return apply_effects(image, effects, np.random.default_rng(0)).astype(float)

    plain = after(NONE)
    assert after(replace(NONE, exposure=0.5)).mean() < plain.mean() * 0.6
    assert after(replace(NONE, gamma=2.0)).mean() < plain.mean()
    assert after(replace(NONE, saturation=0.0)).std(axis=2).max() <= 1
    assert after(replace(NONE, white_balance=(1.0, 1.0, 0.5)))[..., 2].mean() < plain[..., 2].mean() * 0.6
    for smoother in (replace(NONE, blur_px=1.5), replace(NONE, downscale=0.3), replace(NONE, motion_blur_px=5.0)):
        assert after(smoother).std() < plain.std() * 0.8
    assert after(replace(NONE, jpeg_quality=10)).std() != plain.std()

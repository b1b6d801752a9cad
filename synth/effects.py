"""What a camera and its recorder do to a picture: exposure, colour, blur, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from records import FloatArray, Image


@dataclass(frozen=True, kw_only=True)
class CameraEffects:
    """One camera's habits; the defaults change nothing but round to 8 bits.

    Attributes
    ----------
    exposure : factor on display values.
    white_balance : factors on red, green and blue.
    gamma : exponent on display values; above 1 darkens the middle.
    contrast, saturation : 1 leaves them.
    haze : 0 to 1, how much of a light veil lies over the picture.
    downscale : 0 to 1; the picture is shrunk to this share and enlarged again.
    blur_px : sigma of the lens's blur.
    motion_blur_px, motion_blur_rad : length and direction of the blur of moving things.
    noise : sigma of the sensor's noise, display values 0 to 1.
    jpeg_quality : 1 to 100; None: not compressed.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    haze: float = 0.0
    downscale: float = 1.0
    blur_px: float = 0.0
    motion_blur_px: float = 0.0
    motion_blur_rad: float = 0.0
    noise: float = 0.0
    jpeg_quality: int | None = None


def sample_effects(rng: np.random.Generator, *, strength: float = 1.0) -> CameraEffects:
    """Draw a camera; ``strength`` 0 gives a perfect one, 1 the spread of cheap surveillance cameras."""

    def around_one(spread: float) -> float:
        return float(np.exp(rng.normal(0, spread * strength)))

    return CameraEffects(
        exposure=around_one(0.14),
        white_balance=(around_one(0.05), around_one(0.02), around_one(0.06)),
        gamma=around_one(0.12),
        contrast=around_one(0.12),
        saturation=around_one(0.2),
        haze=float(strength * max(0.0, rng.normal(0, 0.06))),
        downscale=float(1 - strength * rng.choice([0.0, rng.uniform(0, 0.55)], p=[0.55, 0.45])),
        blur_px=float(strength * rng.choice([0.0, rng.uniform(0.3, 1.1)], p=[0.45, 0.55])),
        motion_blur_px=float(strength * rng.choice([0.0, rng.uniform(1, 4)], p=[0.8, 0.2])),
        motion_blur_rad=float(rng.uniform(-0.3, 0.3)),
        noise=float(strength * rng.uniform(0, 0.025)),
        jpeg_quality=int(rng.integers(30, 93)) if rng.random() < 0.75 * strength else None,
    )


def apply_effects(image_rgb: FloatArray, effects: CameraEffects, rng: np.random.Generator) -> Image:
    """Return the picture as the camera writes it.

    Parameters
    ----------
    image_rgb : (H, W, 3) float32 display values, 0 to 1.
    rng : for the noise alone.

    Returns
    -------
    (H, W, 3) uint8 RGB.
    """
    image = _blurred(image_rgb, effects)
    image = np.clip(image * (effects.exposure * np.asarray(effects.white_balance, np.float32)), 0, 1)
    if effects.gamma != 1:
        image **= np.float32(effects.gamma)
    if effects.contrast != 1:
        middle = image.mean()
        image = middle + (image - middle) * effects.contrast
    if effects.saturation != 1:
        grey = image @ np.array([0.299, 0.587, 0.114], np.float32)
        image = grey[..., None] + (image - grey[..., None]) * effects.saturation
    if effects.haze:
        image = image + (0.75 - image) * effects.haze
    if effects.noise:
        image = image + rng.standard_normal(image.shape, np.float32) * effects.noise
    pixels: Image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if effects.jpeg_quality is not None:
        _, coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, effects.jpeg_quality])
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()
    return pixels


def _blurred(image_rgb: FloatArray, effects: CameraEffects) -> FloatArray:
    image = np.asarray(image_rgb, np.float32)
    height, width = image.shape[:2]
    if effects.motion_blur_px > 1:
        kernel = _motion_kernel(effects.motion_blur_px, effects.motion_blur_rad)
        image = np.asarray(cv2.filter2D(image, -1, kernel), np.float32)
    if effects.blur_px:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), effects.blur_px), np.float32)
    if effects.downscale < 1:
        small = (max(1, round(width * effects.downscale)), max(1, round(height * effects.downscale)))
        shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(shrunk, (width, height)), np.float32)
    return image


def _motion_kernel(length_px: float, angle_rad: float) -> FloatArray:
    """Return a line of ``length_px`` through the middle of an odd square, its sum 1."""
    size = int(np.ceil(length_px)) | 1
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    for along in np.linspace(-length_px / 2, length_px / 2, 4 * size):
        x, y = round(middle + along * np.cos(angle_rad)), round(middle - along * np.sin(angle_rad))
        if 0 <= x < size and 0 <= y < size:
            kernel[y, x] += 1
    result: FloatArray = kernel / kernel.sum()
    return result

"""Changing training crops at random, in NumPy and OpenCV.

A step takes a crop (h, w, 3) uint8 BGR and a generator of random numbers, and
returns another crop; none of them writes into its input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from records import Image

MEAN_BGR = (104, 116, 124)
"""The mean of ImageNet: borders and erased parts are filled with it, which is nearly 0 after normalisation."""


class Step(Protocol):
    """One change of a crop."""

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        """Return the changed crop."""


def augment(image_bgr: Image, steps: Sequence[Step], generator: np.random.Generator) -> Image:
    """Return the crop after all steps."""
    for step in steps:
        image_bgr = step(image_bgr, generator)
    return image_bgr


@dataclass(frozen=True)
class Resize:
    """Resize to ``size_wh``, whatever the ratio of sides."""

    size_wh: tuple[int, int]

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        return resize(image_bgr, self.size_wh)


@dataclass(frozen=True)
class RandomResizedCrop:
    """Cut out a part of random area and ratio of width to height, and resize it to ``size_wh``.

    Ten tries; then the largest centred part whose ratio is allowed.
    """

    size_wh: tuple[int, int]
    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        height, width = image_bgr.shape[:2]
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        for _ in range(10):
            pixels = height * width * generator.uniform(*self.area)
            ratio = math.exp(generator.uniform(low, high))
            w, h = round(math.sqrt(pixels * ratio)), round(math.sqrt(pixels / ratio))
            if 0 < w <= width and 0 < h <= height:
                x, y = generator.integers(0, width - w + 1), generator.integers(0, height - h + 1)
                return resize(image_bgr[y : y + h, x : x + w], self.size_wh)
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        w, h = min(width, round(height * ratio)), min(height, round(width / ratio))
        x, y = (width - w) // 2, (height - h) // 2
        return resize(image_bgr[y : y + max(1, h), x : x + max(1, w)], self.size_wh)


@dataclass(frozen=True)
class Flip:
    """Mirror left and right."""

    probability: float = 0.5

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        return np.ascontiguousarray(image_bgr[:, ::-1]) if generator.random() < self.probability else image_bgr


@dataclass(frozen=True)
class PadAndCrop:
    """Add a border of ``pixels`` all around and cut out a part of the former size: a random shift."""

    pixels: int = 10

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        height, width = image_bgr.shape[:2]
        side = self.pixels
        padded = cv2.copyMakeBorder(image_bgr, side, side, side, side, cv2.BORDER_CONSTANT, value=MEAN_BGR)
        x, y = generator.integers(0, 2 * self.pixels + 1, 2)
        return np.asarray(padded[y : y + height, x : x + width], np.uint8)


@dataclass(frozen=True)
class EnlargeAndCrop:
    """Enlarge by ``factor`` half of the time and cut out a part of the former size (torchreid's random crop)."""

    factor: float = 1.125
    probability: float = 0.5

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        if generator.random() >= self.probability:
            return image_bgr
        height, width = image_bgr.shape[:2]
        large = resize(image_bgr, (round(width * self.factor), round(height * self.factor)))
        y = generator.integers(0, large.shape[0] - height + 1)
        x = generator.integers(0, large.shape[1] - width + 1)
        return np.asarray(large[y : y + height, x : x + width], np.uint8)


@dataclass(frozen=True)
class Rotate:
    """Turn around the middle by up to ``max_degrees`` either way; corners are filled with grey."""

    max_degrees: float = 10.0
    probability: float = 0.5

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        if generator.random() >= self.probability:
            return image_bgr
        height, width = image_bgr.shape[:2]
        degrees = generator.uniform(-self.max_degrees, self.max_degrees)
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
        turned = cv2.warpAffine(
            image_bgr, matrix, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=MEAN_BGR
        )
        return np.asarray(turned, np.uint8)


@dataclass(frozen=True)
class ColourJitter:
    """Change brightness, contrast, saturation and hue at random.

    Attributes
    ----------
    brightness, contrast, saturation : most by which each factor differs from 1.
    hue : most by which hues turn, 0.5 being half the circle.
    """

    brightness: float = 0.2
    contrast: float = 0.15
    saturation: float = 0.0
    hue: float = 0.0
    probability: float = 1.0

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        if generator.random() >= self.probability:
            return image_bgr
        gain = _factor(self.brightness, generator)
        contrast = _factor(self.contrast, generator)
        mean = cv2.mean(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY))[0] * gain
        changed = cv2.addWeighted(image_bgr, gain * contrast, image_bgr, 0.0, mean * (1 - contrast))
        if self.saturation or self.hue:
            hsv = cv2.cvtColor(changed, cv2.COLOR_BGR2HSV)
            turn = round(180 * generator.uniform(-self.hue, self.hue))
            # OpenCV counts hues from 0 to 179.
            hues = ((np.arange(256) + turn) % 180).astype(np.uint8)
            saturations = np.clip(np.arange(256) * _factor(self.saturation, generator), 0, 255).astype(np.uint8)
            table = np.stack([hues, saturations, np.arange(256, dtype=np.uint8)], axis=1)[None]
            changed = cv2.cvtColor(cv2.LUT(hsv, table), cv2.COLOR_HSV2BGR)
        return np.asarray(changed, np.uint8)


@dataclass(frozen=True)
class RandomErasing:
    """Fill a random rectangle with grey (arXiv 1708.04896).

    Attributes
    ----------
    area : of the crop, least and most.
    ratio : height over width, least; the most is its inverse.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.4)
    ratio: float = 0.3

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        if generator.random() >= self.probability:
            return image_bgr
        height, width = image_bgr.shape[:2]
        for _ in range(20):
            pixels = height * width * generator.uniform(*self.area)
            ratio = generator.uniform(self.ratio, 1 / self.ratio)
            h, w = round(math.sqrt(pixels * ratio)), round(math.sqrt(pixels / ratio))
            if 0 < h < height and 0 < w < width:
                y, x = generator.integers(0, height - h + 1), generator.integers(0, width - w + 1)
                erased: Image = image_bgr.copy()
                erased[y : y + h, x : x + w] = MEAN_BGR
                return erased
        return image_bgr


@dataclass(frozen=True)
class RandomBlur:
    """Blur as distance does: shrink to between ``least`` and all of the pixels a side, and enlarge again."""

    least: float = 0.4
    probability: float = 0.3

    def __call__(self, image_bgr: Image, generator: np.random.Generator) -> Image:
        if generator.random() >= self.probability:
            return image_bgr
        height, width = image_bgr.shape[:2]
        factor = generator.uniform(self.least, 1)
        small = resize(image_bgr, (max(1, round(width * factor)), max(1, round(height * factor))))
        return resize(small, (width, height))


def resize(image_bgr: Image, size_wh: tuple[int, int]) -> Image:
    """Return the picture in another size, bilinear; unchanged where it has that size."""
    if image_bgr.shape[1::-1] == size_wh:
        return image_bgr
    return np.asarray(cv2.resize(image_bgr, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)


def _factor(spread: float, generator: np.random.Generator) -> float:
    return float(generator.uniform(max(0.0, 1 - spread), 1 + spread))

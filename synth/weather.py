"""Fog, rain and snow between a camera and a place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from records import FloatArray

KINDS = ("clear", "fog", "rain", "snow")
_VEIL = np.array([0.74, 0.76, 0.78], np.float32)
_FARTHEST_M = 300.0


@dataclass(frozen=True)
class Weather:
    """What falls or hangs in the air.

    Attributes
    ----------
    kind : one of `KINDS`.
    strength : 0 to 1; in the thickest fog one sees about 25 metres.
    """

    kind: str = "clear"
    strength: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"the weather is “{self.kind}”; one of {', '.join(KINDS)} is wanted")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"the strength must lie in 0 to 1, not {self.strength}")

    def veil(self, image_rgb: FloatArray, depth_m: FloatArray | float) -> FloatArray:
        """Return a picture as it looks through that much air: I·t + veil·(1 − t), t = exp(−β·depth) (Koschmieder)."""
        thickness = {"clear": 0.0, "fog": 0.12, "rain": 0.012, "snow": 0.02}[self.kind] * self.strength
        if thickness == 0:
            return image_rgb
        through = np.exp(-thickness * np.minimum(np.asarray(depth_m, np.float32), _FARTHEST_M))[..., None]
        seen: FloatArray = (_VEIL + (image_rgb - _VEIL) * through).astype(np.float32)
        return seen

    def fall(self, image_rgb: FloatArray, rng: Generator) -> FloatArray:
        """Return the picture with streaks of rain or flakes of snow before it, new ones at every call."""
        if self.kind not in ("rain", "snow") or self.strength == 0:
            return image_rgb
        height, width = image_rgb.shape[:2]
        drops = np.zeros((height, width), np.float32)
        count = int(self.strength * height * width / (900 if self.kind == "rain" else 1400))
        starts = rng.uniform(0, [width, height], (count, 2))
        sizes = rng.uniform(0.3, 1.0, count)
        for (x, y), size in zip(starts, sizes, strict=True):
            if self.kind == "rain":
                end = (int(x + 0.06 * height * size * 0.2), int(y + 0.06 * height * size))
                cv2.line(drops, (int(x), int(y)), end, float(0.3 * size), 1, cv2.LINE_AA)
            else:
                cv2.circle(
                    drops, (int(x), int(y)), max(1, round(size * height / 240)), float(0.85 * size), -1, cv2.LINE_AA
                )
        soft = cv2.GaussianBlur(drops, (0, 0), 0.6)[..., None]
        fallen: FloatArray = (image_rgb + (0.92 - image_rgb) * soft).astype(np.float32)
        return fallen


CLEAR = Weather()

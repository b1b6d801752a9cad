"""Something to stand in front of: small random pictures of ground, walls, windows, plants and clutter."""

from __future__ import annotations

import cv2
import numpy as np

from records import FloatArray
from synth.people import sample_colour


def sample_backdrop(rng: np.random.Generator, height: int, width: int) -> FloatArray:
    """Draw a background.

    Returns
    -------
    (height, width, 3) float32 RGB display values, 0 to 1.
    """
    picture = _shaded(rng, height, width, _muted(rng))
    if rng.random() < 0.6:  # a wall or a meadow behind the ground
        edge = int(rng.uniform(0.05, 0.75) * height)
        picture[:edge] = _shaded(rng, edge, width, _muted(rng)) if edge else picture[:edge]
    for _ in range(int(rng.integers(0, 6))):
        _clutter(rng, picture)
    picture += _noise(rng, height, width) * rng.uniform(0.02, 0.12)
    if rng.random() < 0.35:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 2.0)), np.float32)
    result: FloatArray = np.clip(picture * rng.uniform(0.6, 1.25), 0, 1).astype(np.float32)
    return result


def _muted(rng: np.random.Generator) -> FloatArray:
    """Return a colour of stone, asphalt, earth or grass more often than a bright one."""
    kind = rng.random()
    if kind < 0.6:
        tint = rng.normal(0, 0.025, 3) + np.array([0.03, 0.0, -0.03]) * rng.uniform(-1, 1.5)
        return np.clip(rng.uniform(0.2, 0.9) + tint, 0, 1).astype(np.float32)
    if kind < 0.8:
        return (np.array([0.35, 0.42, 0.2]) * rng.uniform(0.5, 1.5) + rng.normal(0, 0.03, 3)).astype(np.float32)
    return np.asarray(sample_colour(rng, dark=0.2), np.float32)


def _shaded(rng: np.random.Generator, height: int, width: int, colour: FloatArray) -> FloatArray:
    slope = np.linspace(-1, 1, max(height, 1), dtype=np.float32)[:, None, None] * np.float32(rng.normal(0, 0.08))
    return np.broadcast_to(colour * (1 + slope), (height, width, 3)).astype(np.float32, order="C")


def _clutter(rng: np.random.Generator, picture: FloatArray) -> None:
    """Draw a pane, a post, a kerb, a car's side or a bush into the picture."""
    height, width = picture.shape[:2]
    colour = (_muted(rng) * rng.uniform(0.3, 1.1)).tolist()
    x, y = int(rng.integers(-width // 4, width)), int(rng.integers(-height // 4, height))
    kind = rng.integers(4)
    if kind == 0:
        w, h = int(rng.integers(4, max(5, width))), int(rng.integers(4, max(5, height // 2)))
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
        if rng.random() < 0.5:
            cv2.rectangle(picture, (x, y), (x + w, y + h), (_muted(rng) * 0.8).tolist(), int(rng.integers(1, 4)))
    elif kind == 1:
        cv2.rectangle(picture, (x, 0), (x + int(rng.integers(2, 10)), height), colour, -1)
    elif kind == 2:
        cv2.line(picture, (-2, y), (width + 2, y + int(rng.normal(0, height / 8))), colour, int(rng.integers(1, 9)))
    else:
        axes = (int(rng.integers(3, max(4, width // 2))), int(rng.integers(3, max(4, height // 4))))
        cv2.ellipse(picture, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)


def _noise(rng: np.random.Generator, height: int, width: int) -> FloatArray:
    """Return (height, width, 3) noise of several grains, about ±1."""
    total = np.zeros((height, width, 3), np.float32)
    for grain in (2, 6, 18):
        channels = 3 if rng.random() < 0.12 else 1
        coarse = rng.standard_normal((height // grain + 2, width // grain + 2, channels), np.float32)
        fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, channels)
        total += fine * np.float32(0.5)
    return total

"""Surfaces made of noise and lines: paving, asphalt, grass, walls with windows, shop fronts, sky."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator

from records import FloatArray

WALL_PX_PER_M = 24
_WORDS = (
    "CAFE",
    "BAR",
    "SHOP",
    "BANK",
    "HOTEL",
    "MARKET",
    "BOOKS",
    "PHARMACY",
    "BAKERY",
    "SALE",
    "OPEN",
    "FOTO",
    "OPTIK",
    "MODE",
    "PIZZA",
    "TAXI",
    "P",
    "STOP",
    "CINEMA",
)


def noise(rng: Generator, height: int, width: int, scales: Sequence[int], weights: Sequence[float]) -> FloatArray:
    """Return (height, width) float32 of summed octaves; each has a standard deviation of its weight."""
    total = np.zeros((height, width), np.float32)
    for scale, weight in zip(scales, weights, strict=True):
        coarse = rng.standard_normal((max(2, height // scale + 1), max(2, width // scale + 1)), np.float32)
        flags = cv2.INTER_NEAREST if scale == 1 else cv2.INTER_CUBIC
        total += weight * cv2.resize(coarse, (width, height), interpolation=flags)
    return total


def colour(rng: Generator, *, grey: float = 0.3, value: tuple[float, float] = (0.15, 0.9)) -> FloatArray:
    """Return an RGB colour, 0 to 1: nearly grey with probability ``grey``, else of any hue."""
    bright = rng.uniform(*value)
    if rng.random() < grey:
        return np.clip(bright + rng.normal(0, 0.02, 3), 0, 1).astype(np.float32)
    hsv = np.array([[[rng.uniform(0, 360), rng.beta(1.6, 2.2), bright]]], np.float32)
    rgb: FloatArray = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return rgb


def earthy(rng: Generator) -> FloatArray:
    """Return the colour of stone, plaster, brick, sand or concrete."""
    tones = np.array(
        [[0.55, 0.33, 0.25], [0.72, 0.65, 0.52], [0.6, 0.59, 0.57], [0.45, 0.43, 0.4], [0.8, 0.77, 0.7],
         [0.36, 0.27, 0.22], [0.63, 0.5, 0.36], [0.85, 0.85, 0.83], [0.3, 0.3, 0.32], [0.66, 0.48, 0.42]]
    )  # fmt: skip
    tone = tones[rng.integers(len(tones))] * rng.uniform(0.75, 1.15) + rng.normal(0, 0.015, 3)
    clipped: FloatArray = np.clip(tone, 0.03, 0.97).astype(np.float32)
    return clipped


def plain(rng: Generator, height: int, width: int, tone: FloatArray, *, rough: float = 0.05) -> FloatArray:
    """Return (height, width, 3) RGB of one tone with stains and grain."""
    weights = [rough * weight for weight in (0.8, 0.5, 0.5, 0.6)]
    shade = 1 + noise(rng, height, width, (1, 3, 17, 90), weights)
    surface: FloatArray = tone[None, None] * shade[..., None]
    return surface


def asphalt(rng: Generator, side: int, px_per_m: float) -> FloatArray:
    """Return a (side, side, 3) street surface with patches, cracks and stains."""
    grey = rng.uniform(0.22, 0.6)
    surface = plain(rng, side, side, (np.array([1.0, 0.99, 0.97]) * grey).astype(np.float32), rough=0.09)
    for _ in range(int(rng.integers(2, 9))):  # mended places
        x, y = rng.integers(0, side, 2)
        w, h = (rng.uniform(0.6, 5, 2) * px_per_m).astype(int)
        surface[y : y + h, x : x + w] *= rng.uniform(0.75, 1.15)
    for _ in range(int(rng.integers(3, 16))):
        points = rng.integers(0, side, 2) + np.cumsum(rng.normal(0, 0.5 * px_per_m, (12, 2)), axis=0)
        cv2.polylines(surface, [points.astype(np.int32)], False, (grey * 0.6,) * 3, 1, cv2.LINE_AA)
    return surface


def paving(rng: Generator, side: int, px_per_m: float) -> FloatArray:
    """Return a (side, side, 3) of slabs, bricks or cobbles, each a little different."""
    tone = earthy(rng) * rng.uniform(0.7, 1.05)
    wide, high = rng.choice([(0.12, 0.12), (0.2, 0.1), (0.4, 0.4), (0.6, 0.4), (0.9, 0.9), (0.3, 0.3)])
    columns, rows = int(side / px_per_m / wide) + 2, int(side / px_per_m / high) + 2
    y, x = np.mgrid[:side, :side].astype(np.float32) / np.float32(px_per_m)
    row = np.minimum((y / high).astype(np.int32), rows - 1)
    shift = (row % 2) * (wide / 2 if rng.random() < 0.6 else 0.0)
    column = np.minimum(((x + shift) / wide).astype(np.int32), columns - 1)
    slab = 1 + rng.normal(0, rng.uniform(0.02, 0.08), (rows, columns)).astype(np.float32)
    surface: FloatArray = plain(rng, side, side, tone.astype(np.float32), rough=0.06) * slab[row, column][..., None]
    gap = 1.2 / px_per_m
    joint = ((y / high - row) * high < gap) | (((x + shift) / wide - column) * wide < gap)
    surface[joint] *= rng.uniform(0.6, 0.95)
    return surface


def grass(rng: Generator, side: int) -> FloatArray:
    """Return a (side, side, 3) lawn."""
    tone = np.array([rng.uniform(0.27, 0.45), rng.uniform(0.36, 0.5), rng.uniform(0.18, 0.28)], np.float32)
    blades = noise(rng, side, side, (1, 2, 9, 60, 200), (0.14, 0.1, 0.06, 0.08, 0.1))
    dry = np.clip(noise(rng, side, side, (20, 80), (0.15, 0.2)), 0, 0.5)[..., None]
    surface: FloatArray = tone * (1 + blades[..., None]) * (1 - dry) + dry * np.array([0.5, 0.42, 0.25], np.float32)
    return surface


def hedge(rng: Generator, width_m: float, height_m: float) -> FloatArray:
    """Return a wall of leaves at `WALL_PX_PER_M`: a hedge, or the edge of a wood."""
    height, width = max(8, int(height_m * WALL_PX_PER_M)), max(8, int(width_m * WALL_PX_PER_M))
    green = np.array([rng.uniform(0.15, 0.36), rng.uniform(0.22, 0.4), rng.uniform(0.1, 0.2)], np.float32)
    ramp = np.linspace(1.25, 0.55, height, dtype=np.float32)[:, None]
    shade = ramp + noise(rng, height, width, (1, 3, 9, 40), (0.25, 0.22, 0.15, 0.15))
    leaves: FloatArray = np.clip(green * np.clip(shade, 0.1, 2)[..., None], 0, 1)
    return leaves


def sky(rng: Generator, height: int, width: int, *, brightness: float) -> FloatArray:
    """Return (height, width, 3): a gradient with clouds."""
    blue = np.array([0.45, 0.62, 0.9]) if rng.random() < 0.5 else np.array([0.78, 0.8, 0.83])
    ramp = np.linspace(0, 1, height)[:, None, None]
    base = blue * (1 - ramp) + np.array([0.88, 0.89, 0.9]) * ramp
    clouds = np.clip(noise(rng, height, width, (30, 80, 200), (0.08, 0.14, 0.2)), 0, 1)[..., None]
    picture: FloatArray = (np.clip(base + clouds, 0, 1) * brightness).astype(np.float32)
    return picture


def letters(surface: FloatArray, rng: Generator, box: tuple[int, int, int, int], ink: FloatArray) -> None:
    """Write a word into the box x, y, width, height of a surface."""
    x, y, width, height = box
    word = str(rng.choice(_WORDS))
    (w, h), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)
    scale = min(width / (w + 8), height / (h + 14))
    if scale > 0.15:
        thick = max(1, round(2 * scale))
        at = (int(x + (width - w * scale) / 2), int(y + (height + h * scale) / 2))
        cv2.putText(surface, word, at, cv2.FONT_HERSHEY_DUPLEX, scale, ink.tolist(), thick, cv2.LINE_AA)


def facade(rng: Generator, width_m: float, height_m: float, *, is_night: bool) -> FloatArray:
    """Return a wall at `WALL_PX_PER_M`, its foot in the last row: floors of windows, perhaps over shops."""
    px = WALL_PX_PER_M
    width, height = max(8, int(width_m * px)), max(8, int(height_m * px))
    wall = plain(rng, height, width, earthy(rng), rough=rng.uniform(0.02, 0.06))
    if rng.random() < 0.35:
        _bricks(wall, rng)
    floor = int(rng.uniform(2.7, 3.9) * px)
    kind = rng.choice(["shops", "windows", "glass", "blank"], p=[0.35, 0.35, 0.2, 0.1])
    if kind != "blank":
        window_w, window_h = int(rng.uniform(0.8, 2.4) * px), int(rng.uniform(1.2, 2.2) * px)
        pitch = window_w + int(rng.uniform(0.08 if kind == "glass" else 0.4, 1.6) * px)
        frame = colour(rng, grey=0.8)
        glass = np.array([0.16, 0.2, 0.24], np.float32) * rng.uniform(0.5, 2.2)
        first = height - floor if kind == "shops" else height
        for top in range(first - floor + (floor - window_h) // 2, -floor, -floor):
            for left in range(int(rng.integers(0, pitch)) - pitch, width, pitch):
                _window(wall, rng, (left, top, window_w, window_h), frame, glass, is_night=is_night)
        band = colour(rng, grey=0.7)
        if rng.random() < 0.4:
            for base in range(height - floor, 0, -floor):
                wall[max(0, base - int(rng.uniform(0.1, 0.5) * px)) : base] = band
    if kind == "shops":
        _shop_fronts(wall, rng, floor, is_night=is_night)
    wall[-int(0.25 * px) :] *= rng.uniform(0.55, 0.9)
    for _ in range(int(rng.integers(0, 4))):  # pipes
        x = int(rng.integers(0, width))
        wall[:, x : x + int(rng.integers(2, 5))] *= rng.uniform(0.6, 1.3)
    return wall


def _bricks(wall: FloatArray, rng: Generator) -> None:
    step = max(3, int(0.12 * WALL_PX_PER_M))
    wall[::step] *= rng.uniform(0.75, 1.2)
    rows, columns = wall.shape[0] // step + 1, wall.shape[1] // (2 * step) + 1
    patch = 1 + rng.normal(0, 0.07, (rows, columns)).astype(np.float32)
    wall *= cv2.resize(patch, (wall.shape[1], wall.shape[0]), interpolation=cv2.INTER_NEAREST)[..., None]


def _window(
    wall: FloatArray,
    rng: Generator,
    box: tuple[int, int, int, int],
    frame: FloatArray,
    glass: FloatArray,
    *,
    is_night: bool,
) -> None:
    x, y, w, h = box
    x0, y0, x1, y1 = max(0, x), max(0, y), min(wall.shape[1], x + w), min(wall.shape[0], y + h)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    wall[y0:y1, x0:x1] = frame
    inner = wall[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
    is_lit = rng.random() < (0.4 if is_night else 0.08)
    pane = np.array([0.95, 0.8, 0.5], np.float32) * rng.uniform(0.6, 1.0) if is_lit else glass * rng.uniform(0.6, 1.5)
    ramp = np.linspace(rng.uniform(0.8, 1.6), rng.uniform(0.6, 1.1), max(1, inner.shape[0]))[:, None, None]
    inner[:] = np.clip(pane * ramp, 0, 1)
    if rng.random() < 0.4:  # a curtain or a blind
        inner[: int(inner.shape[0] * rng.uniform(0.1, 0.9))] = np.clip(pane + rng.uniform(0, 0.5), 0, 1)
    middle = inner.shape[1] // 2
    inner[:, middle : middle + 1] = frame


def _shop_fronts(wall: FloatArray, rng: Generator, floor: int, *, is_night: bool) -> None:
    """Draw glass fronts with dim things inside, frames, awnings and names."""
    height, width = wall.shape[:2]
    x = 0
    while x < width - 10:
        w = int(rng.uniform(2, 7) * WALL_PX_PER_M)
        shop = wall[height - floor :, x : x + w]
        inside = plain(rng, shop.shape[0], shop.shape[1], colour(rng, grey=0.3, value=(0.05, 0.9)), rough=0.2)
        for _ in range(int(rng.integers(3, 22))):  # goods, shelves, lamps
            a = rng.integers(0, [max(1, shop.shape[1]), max(1, floor)])
            b = a + rng.integers(2, [max(3, w // 3), max(3, floor // 2)])
            tone = colour(rng, value=(0.02, 1.0)).tolist()
            cv2.rectangle(inside, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), tone, -1)
        inside = cv2.GaussianBlur(inside, (0, 0), rng.uniform(0.6, 2.5)) * (1.0 if is_night else rng.uniform(0.35, 1.0))
        shop[:] = inside
        frame = colour(rng, grey=0.8)
        sign = int(floor * rng.uniform(0.12, 0.28))
        board = colour(rng, value=(0.05, 0.95))
        shop[:sign] = board
        letters(shop, rng, (0, 0, shop.shape[1], sign), 1 - board)
        for post in range(0, shop.shape[1], max(12, int(rng.uniform(0.8, 2.5) * WALL_PX_PER_M))):
            shop[sign:, post : post + int(rng.integers(1, 5))] = frame
        if rng.random() < 0.4:
            shop[int(floor * rng.uniform(0.75, 0.92)) :] = earthy(rng)
        x += w + int(rng.uniform(0, 0.8) * WALL_PX_PER_M)

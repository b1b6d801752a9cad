"""Things that stand in streets and hide people, or look like them: trees, poles, signs, bins, bollards, benches.

A prop is a flat picture that always faces the camera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from records import FloatArray
from synth.textures import colour, earthy, letters, noise

PROP_PX_PER_M = 64
_Layer = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class Prop:
    """One thing.

    Attributes
    ----------
    image_rgb : (H, W, 3) float32, 0 to 1, at `PROP_PX_PER_M`; its last row stands on the ground.
    alpha : (H, W) float32, 0 to 1.
    """

    name: str
    image_rgb: FloatArray
    alpha: FloatArray

    @property
    def width_m(self) -> float:
        return float(self.image_rgb.shape[1]) / PROP_PX_PER_M

    @property
    def height_m(self) -> float:
        return float(self.image_rgb.shape[0]) / PROP_PX_PER_M


def make_prop(rng: Generator, name: str) -> Prop:
    """Draw one thing of `PROPS`."""
    image, alpha = PROPS[name](rng)
    lit_from = rng.uniform(-0.25, 0.25)
    ramp = 1 + lit_from * np.linspace(-1, 1, image.shape[1], dtype=np.float32)
    grain = 1 + 0.04 * rng.standard_normal(image.shape[:2], np.float32)
    return Prop(name, np.clip(image * (ramp[None] * grain)[..., None], 0, 1), alpha)


def _blank(width_m: float, height_m: float) -> _Layer:
    shape = (max(6, int(height_m * PROP_PX_PER_M)), max(4, int(width_m * PROP_PX_PER_M)))
    return np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)


def _box(layer: _Layer, left: float, top: float, right: float, bottom: float, tone: FloatArray) -> None:
    """Fill a part of a layer; sides are shares of its width and height."""
    height, width = layer[1].shape
    a = (int(left * width), int(top * height))
    b = (max(a[0], int(right * width) - 1), max(a[1], int(bottom * height) - 1))
    cv2.rectangle(layer[0], a, b, tone.tolist(), -1)
    cv2.rectangle(layer[1], a, b, 1.0, -1)


def _round(layer: _Layer, x: float, y: float, rx: float, ry: float, tone: FloatArray) -> None:
    height, width = layer[1].shape
    centre, axes = (int(x * width), int(y * height)), (max(1, int(rx * width)), max(1, int(ry * height)))
    cv2.ellipse(layer[0], centre, axes, 0, 0, 360, tone.tolist(), -1, cv2.LINE_AA)
    cv2.ellipse(layer[1], centre, axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)


def _bar(layer: _Layer, a: tuple[float, float], b: tuple[float, float], thick_m: float, tone: FloatArray) -> None:
    height, width = layer[1].shape
    ends = [(int(x * (width - 1)), int(y * (height - 1))) for x, y in (a, b)]
    thick = max(1, round(thick_m * PROP_PX_PER_M))
    cv2.line(layer[0], ends[0], ends[1], tone.tolist(), thick, cv2.LINE_AA)
    cv2.line(layer[1], ends[0], ends[1], 1.0, thick, cv2.LINE_AA)


def _foliage(rng: Generator, width_m: float, height_m: float, *, cone: bool) -> _Layer:
    """Return leaves: a lumpy outline, dark within, light on top."""
    image, alpha = _blank(width_m, height_m)
    height, width = alpha.shape
    green = np.array([rng.uniform(0.12, 0.4), rng.uniform(0.22, 0.45), rng.uniform(0.06, 0.2)], np.float32)
    if rng.random() < 0.12:
        green = green[[1, 0, 2]]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    reach = np.abs(x) / np.maximum((y + 1) / 2, 0.02) if cone else np.hypot(x, y)
    lumps = noise(rng, height, width, (3, 9, 24), (0.1, 0.12, 0.12))
    alpha[:] = np.clip((1 - 0.12 - reach + lumps) * 12, 0, 1)
    shade = 0.75 - 0.35 * y + noise(rng, height, width, (1, 3, 8), (0.3, 0.22, 0.15))
    image[:] = np.clip(green * np.clip(shade, 0.15, 2.2)[..., None], 0, 1)
    return image, alpha


def _tree(rng: Generator) -> _Layer:
    total, trunk = rng.uniform(3.5, 9), rng.uniform(0.12, 0.4)
    crown_m, clear = total * rng.uniform(0.4, 0.8), rng.uniform(0.2, 0.45)
    layer = _blank(crown_m, total)
    bark = np.array([0.3, 0.25, 0.2], np.float32) * rng.uniform(0.5, 1.6)
    _bar(layer, (0.5, 0.2), (0.5, 1), trunk, bark)
    if rng.random() < 0.3:  # in winter
        for _ in range(int(rng.integers(8, 24))):
            y = rng.uniform(0.15, 1 - clear)
            _bar(layer, (0.5, y + 0.1), (rng.uniform(0, 1), y - rng.uniform(0, 0.15)), trunk * 0.25, bark)
        return layer
    image, alpha = _foliage(rng, crown_m, total * (1 - clear * 0.8), cone=rng.random() < 0.2)
    rows = alpha.shape[0]
    width = min(alpha.shape[1], layer[1].shape[1])
    part = alpha[:, :width, None]
    layer[0][:rows, :width] = layer[0][:rows, :width] * (1 - part) + image[:, :width] * part
    layer[1][:rows, :width] = np.maximum(layer[1][:rows, :width], alpha[:, :width])
    return layer


def _bush(rng: Generator) -> _Layer:
    return _foliage(rng, rng.uniform(0.7, 4), rng.uniform(0.5, 1.8), cone=False)


def _potted(rng: Generator) -> _Layer:
    """Return a clipped tree in a tub: as tall and as wide as a person."""
    height = rng.uniform(1.2, 2.8)
    layer = _blank(rng.uniform(0.5, 1.1), height)
    image, alpha = _foliage(rng, layer[1].shape[1] / PROP_PX_PER_M, height * 0.8, cone=rng.random() < 0.6)
    rows, width = alpha.shape[0], min(alpha.shape[1], layer[1].shape[1])
    _box(layer, 0.15, 0.76, 0.85, 1, earthy(rng))
    part = alpha[:, :width, None]
    layer[0][:rows, :width] = layer[0][:rows, :width] * (1 - part) + image[:, :width] * part
    layer[1][:rows, :width] = np.maximum(layer[1][:rows, :width], alpha[:, :width])
    return layer


def _pole(rng: Generator) -> _Layer:
    layer = _blank(0.5, rng.uniform(2.5, 8))
    _bar(layer, (0.5, 0), (0.5, 1), rng.uniform(0.06, 0.28), colour(rng, grey=0.85))
    return layer


def _lamp(rng: Generator) -> _Layer:
    tone = colour(rng, grey=0.9)
    layer = _blank(rng.uniform(0.8, 2), rng.uniform(3.5, 8))
    reach = rng.uniform(-0.5, 0.5)
    _bar(layer, (0.5, 0.04), (0.5, 1), rng.uniform(0.08, 0.16), tone)
    _bar(layer, (0.5, 0.05), (0.5 + reach, 0.02), 0.07, tone)
    _round(layer, 0.5 + reach * 0.9, 0.03, 0.14, 0.025, colour(rng, grey=1, value=(0.5, 1)))
    return layer


def _sign(rng: Generator) -> _Layer:
    layer = _blank(rng.uniform(0.35, 0.9), rng.uniform(2, 3.4))
    height, width = layer[1].shape
    _bar(layer, (0.5, 0), (0.5, 1), rng.uniform(0.04, 0.09), colour(rng, grey=1, value=(0.4, 0.8)))
    plate, top = colour(rng, grey=0.2), int(height * rng.uniform(0, 0.4))
    if rng.random() < 0.5:
        _round(layer, 0.5, top / height + 0.12, 0.48, 0.48 * width / height, plate)
    else:
        tall = rng.uniform(0.1, 0.35)
        _box(layer, 0.02, top / height, 0.98, top / height + tall, plate)
        letters(layer[0], rng, (2, top, width - 4, int(tall * height)), 1 - plate)
    return layer


def _board(rng: Generator) -> _Layer:
    """Return a board on the pavement, or a lit advertisement as large as a person."""
    layer = _blank(rng.uniform(0.5, 1.3), rng.uniform(0.9, 2.2))
    height, width = layer[1].shape
    _box(layer, 0, 0, 1, 0.95, colour(rng, grey=0.6))
    _box(layer, 0.07, 0.04, 0.93, 0.88, colour(rng, grey=0.2))
    for _ in range(int(rng.integers(1, 5))):
        top = rng.uniform(0.05, 0.75)
        _box(layer, rng.uniform(0.1, 0.4), top, rng.uniform(0.5, 0.9), top + 0.1, colour(rng))
    letters(layer[0], rng, (4, int(height * 0.08), width - 8, int(height * 0.3)), colour(rng))
    _box(layer, 0.05, 0.95, 0.15, 1, np.zeros(3, np.float32))
    _box(layer, 0.85, 0.95, 0.95, 1, np.zeros(3, np.float32))
    return layer


def _bin(rng: Generator) -> _Layer:
    layer = _blank(rng.uniform(0.35, 0.8), rng.uniform(0.7, 1.3))
    tone = colour(rng, grey=0.4, value=(0.1, 0.7))
    _box(layer, 0.06, 0.12, 0.94, 1, tone)
    _round(layer, 0.5, 0.12, 0.47, 0.09, tone * 0.7)
    _box(layer, 0.2, 0.25, 0.8, 0.36, tone * 0.35)
    return layer


def _bollard(rng: Generator) -> _Layer:
    layer = _blank(rng.uniform(0.12, 0.3), rng.uniform(0.6, 1.2))
    tone = colour(rng, grey=0.7)
    _box(layer, 0.1, 0.08, 0.9, 1, tone)
    _round(layer, 0.5, 0.1, 0.45, 0.09, tone)
    _box(layer, 0.1, 0.2, 0.9, 0.3, 1 - tone)
    return layer


def _cone(rng: Generator) -> _Layer:
    layer = _blank(0.4, rng.uniform(0.45, 0.9))
    height, width = layer[1].shape
    tip = np.array([[width // 2, 0], [int(width * 0.9), height - 4], [int(width * 0.1), height - 4]], np.int32)
    orange = np.array([0.9, 0.35, 0.08], np.float32) * rng.uniform(0.6, 1.1)
    cv2.fillPoly(layer[0], [tip], orange.tolist(), cv2.LINE_AA)
    cv2.fillPoly(layer[1], [tip], 1.0, cv2.LINE_AA)
    _box(layer, 0, 0.92, 1, 1, orange * 0.6)
    layer[0][int(height * 0.4) : int(height * 0.6)] = 0.85
    return layer


def _bench(rng: Generator) -> _Layer:
    layer = _blank(rng.uniform(1.3, 2.2), rng.uniform(0.75, 0.95))
    tone = earthy(rng)
    for top in (0.02, 0.18, 0.34):
        _box(layer, 0, top, 1, top + 0.1, tone)
    _box(layer, 0, 0.5, 1, 0.62, tone * 0.8)
    for left in (0.06, 0.88):
        _box(layer, left, 0.4, left + 0.06, 1, tone * 0.4)
    return layer


def _fence(rng: Generator) -> _Layer:
    layer = _blank(rng.uniform(2, 5), rng.uniform(0.8, 1.7))
    tone = colour(rng, grey=0.8)
    thick, step = rng.uniform(0.02, 0.06), rng.uniform(0.1, 0.4) / (layer[1].shape[1] / PROP_PX_PER_M)
    for x in np.arange(0, 1, step):
        _bar(layer, (float(x), 0.05), (float(x), 1), thick, tone)
    for y in (0.06, rng.uniform(0.4, 0.9)):
        _bar(layer, (0, y), (1, y), thick * 1.3, tone)
    return layer


def _pillar(rng: Generator) -> _Layer:
    """Return a column, a stele or a cabinet."""
    layer = _blank(rng.uniform(0.3, 1), rng.uniform(1.2, 4))
    tone = earthy(rng)
    _box(layer, 0, 0, 1, 1, tone)
    _box(layer, 0, 0, 1, rng.uniform(0.02, 0.1), tone * rng.uniform(0.6, 1.2))
    if rng.random() < 0.5:
        top = rng.uniform(0.1, 0.5)
        _box(layer, 0.15, top, 0.85, top + rng.uniform(0.1, 0.4), colour(rng))
    return layer


def _parasol(rng: Generator) -> _Layer:
    layer = _blank(rng.uniform(1.8, 3), rng.uniform(2.1, 2.7))
    height, width = layer[1].shape
    _bar(layer, (0.5, 0.1), (0.5, 1), 0.05, colour(rng, grey=1))
    roof = np.array([[width // 2, 0], [width - 1, int(height * 0.22)], [0, int(height * 0.22)]], np.int32)
    tone = colour(rng, grey=0.3)
    cv2.fillPoly(layer[0], [roof], tone.tolist(), cv2.LINE_AA)
    cv2.fillPoly(layer[1], [roof], 1.0, cv2.LINE_AA)
    for x in (0.15, 0.7):  # chairs and a table
        _box(layer, x, 0.64, x + 0.15, 0.68, tone * 0.5)
        _box(layer, x, 0.68, x + 0.02, 1, tone * 0.4)
        _box(layer, x + 0.13, 0.68, x + 0.15, 1, tone * 0.4)
    return layer


def _tripod(rng: Generator) -> _Layer:
    layer = _blank(rng.uniform(0.5, 0.9), rng.uniform(1, 1.7))
    tone = colour(rng, grey=1, value=(0.02, 0.3))
    for foot in (0.03, 0.45, 0.97):
        _bar(layer, (0.5, 0.2), (foot, 1), 0.035, tone)
    _box(layer, 0.4, 0, 0.62, 0.14, tone)
    _bar(layer, (0.5, 0.1), (0.5, 0.6), 0.05, tone)
    return layer


PROPS: dict[str, Callable[[Generator], _Layer]] = {
    "tree": _tree,
    "bush": _bush,
    "potted": _potted,
    "pole": _pole,
    "lamp": _lamp,
    "sign": _sign,
    "board": _board,
    "bin": _bin,
    "bollard": _bollard,
    "cone": _cone,
    "bench": _bench,
    "fence": _fence,
    "pillar": _pillar,
    "parasol": _parasol,
    "tripod": _tripod,
}

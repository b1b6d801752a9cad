"""What cloth looks like: patterns woven or printed on it, and the folds it falls in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from records import FloatArray
from synth.people import Cloth
from synth.surfaces import Relief, Tube

_STRIPE_M = 0.045
_FRONT = np.pi / 2


def pattern(cloth: Cloth, tube: Tube, seed: int, *, is_trunk: bool = False) -> FloatArray:
    """Return the (V, T, 3) colours of a tube that wears the cloth.

    Parameters
    ----------
    seed : of mottles and prints.
    is_trunk : prints and blocks lie differently on trunk and limbs.
    """
    first, second = np.asarray(cloth.colour, np.float32), np.asarray(cloth.second_colour, np.float32)
    along, across = tube.along, (tube.around - np.float32(_FRONT)) * tube.girth
    shape = tube.points.shape[:2]
    if cloth.pattern == "stripes":
        share: FloatArray = _soft(np.sin(along * (2 * np.pi / (2 * _STRIPE_M * cloth.scale)))) * np.ones_like(across)
    elif cloth.pattern == "pinstripes":
        share = 0.8 * _soft(4 * (np.sin(across * (2 * np.pi / (_STRIPE_M * cloth.scale))) - 0.6)) * np.ones_like(along)
    elif cloth.pattern == "checks":
        step = 2 * np.pi / (1.6 * _STRIPE_M * cloth.scale)
        share = 0.5 * (_soft(np.sin(along * step)) + _soft(np.sin(across * step)))
    elif cloth.pattern == "print":
        share = _print(cloth, tube, seed) if is_trunk else np.zeros(shape, np.float32)
    elif cloth.pattern == "two_tone":
        share = _soft(30 * (0.22 * cloth.scale - along)) * np.ones_like(across)
    elif cloth.pattern == "block":
        share = (
            _soft(10 * (np.abs(np.cos(tube.around)) - 0.8)) * np.ones_like(along)
            if is_trunk
            else np.ones(shape, np.float32)
        )
    elif cloth.pattern == "mottled":
        share = 0.35 * (1 + waves(seed, along, tube.around, per_m=26 / cloth.scale, turns=3))
    else:
        share = np.zeros(shape, np.float32)
    mixed = np.broadcast_to(share, shape)[..., None].astype(np.float32)
    worn = 1 + 0.05 * waves(seed + 7, along, tube.around, per_m=16, turns=2)[..., None]
    result: FloatArray = ((first + (second - first) * mixed) * worn).astype(np.float32)
    return result


def folds(cloth: Cloth, seed: int, *, hanging: float = 0.0) -> Relief:
    """Return the relief of the cloth's folds.

    Parameters
    ----------
    hanging : 0 for sleeves and trousers, whose folds go round; towards 1 for skirts, whose folds hang down.
    """
    height = np.float32(cloth.folds_m)

    def relief(along: FloatArray, around: FloatArray) -> FloatArray:
        outwards = waves(seed + 1, along, around, per_m=42, turns=2)
        if hanging:
            hung = waves(seed + 2, along, around, per_m=1.5, turns=9) * np.minimum(along * 3, 1)
            outwards = (1 - hanging) * outwards + 2 * hanging * hung
        relieved: FloatArray = (height * outwards).astype(np.float32)
        return relieved

    return relief


def waves(seed: int, tube_along: FloatArray, around: FloatArray, *, per_m: float, turns: int) -> FloatArray:
    """Return (V, T) smooth noise of about ±1, the same for the same seed.

    Parameters
    ----------
    per_m : radians a metre along the tube.
    turns : the most waves around it; whole numbers, so that they close.
    """
    rng = np.random.default_rng(seed)
    total: FloatArray = np.zeros(np.broadcast_shapes(tube_along.shape, around.shape), np.float32)
    for weight in (0.55, 0.4, 0.3):
        pitch, phase = rng.uniform(0.4, 1.4) * per_m, rng.uniform(0, 2 * np.pi)
        waved = np.float32(pitch) * tube_along + np.float32(phase) + int(rng.integers(-turns, turns + 1)) * around
        total += np.float32(weight) * np.sin(waved)
    return total


def _print(cloth: Cloth, tube: Tube, seed: int) -> FloatArray:
    """Return a picture printed on the chest."""
    rng = np.random.default_rng(seed + 3)
    height, width = rng.uniform(0.05, 0.13, 2) * cloth.scale
    down = (tube.share - np.float32(rng.uniform(0.3, 0.42))) * tube.along[-1] / np.float32(height)
    across = np.abs(tube.around - _FRONT) * tube.girth / np.float32(width)
    inside = _soft(6 * (1 - np.maximum(np.abs(down), across)))
    letters = _soft(3 * (0.4 + waves(seed + 4, tube.along, tube.around, per_m=160 / cloth.scale, turns=24)))
    result: FloatArray = inside * letters
    return result


def _soft(values: NDArray[np.floating[Any]]) -> FloatArray:
    """Return 0 to 1 with a steep step at 0."""
    result: FloatArray = np.clip(values * 2 + 0.5, 0, 1).astype(np.float32)
    return result

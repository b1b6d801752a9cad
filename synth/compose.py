"""Crops as a detector cuts them: a person, badly framed, in front of anything, others behind and before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from records import FloatArray, Image, IntArray
from synth.effects import CameraEffects, apply_effects
from synth.render_surfaces import Sprite

CROP_HEIGHT, CROP_WIDTH = 128, 64
CANVAS_HEIGHT, CANVAS_WIDTH = 144, 96
_CUT_SHORT, _COVERED = 0.12, 0.08  # how often a box ends above the feet, and a thing hides a part


@dataclass(frozen=True, eq=False)
class Cutout:
    """A rendered person on a transparent canvas of fixed size.

    Attributes
    ----------
    rgba : (144, 96, 4) uint8, colours not multiplied by alpha.
    box_xyxy : (4,) int64, what of it the person takes.
    """

    rgba: Image
    box_xyxy: IntArray


@dataclass(frozen=True, eq=False)
class Stranger:
    """Somebody else in the crop."""

    cutout: Cutout
    is_in_front: bool


def cutout_of(sprite: Sprite) -> Cutout:
    """Put a sprite into the middle of a canvas, shrunk where it is larger."""
    picture = np.dstack([sprite.image_rgb, sprite.alpha])
    height, width = sprite.alpha.shape
    shrink = min(1.0, (CANVAS_HEIGHT - 2) / height, (CANVAS_WIDTH - 2) / width)
    if shrink < 1:
        width, height = int(width * shrink), int(height * shrink)
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    left, top = (CANVAS_WIDTH - width) // 2, (CANVAS_HEIGHT - height) // 2
    canvas = np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH, 4), np.uint8)
    canvas[top : top + height, left : left + width] = np.clip(picture * 255 + 0.5, 0, 255)
    return Cutout(canvas, np.array([left, top, left + width, top + height], np.int64))


def compose(
    person: Cutout,
    strangers: Sequence[Stranger],
    backdrop: FloatArray,
    cover: FloatArray,
    effects: CameraEffects,
    rng: np.random.Generator,
) -> tuple[Image, FloatArray]:
    """Put a crop together.

    Parameters
    ----------
    backdrop, cover : (128, 64, 3) float32 display values; what is behind all, and what now and then hides a part.
    effects : the camera's habits; distance and moment vary them a little.

    Returns
    -------
    (128, 64, 3) uint8 RGB, and (128, 64) float32, 0 to 1, how much of each pixel is the person.
    """
    box = _badly_cut(rng, person.box_xyxy.astype(np.float32))
    front = _placed(person, box, flip=bool(rng.random() < 0.5))
    mask = front[..., 3]
    picture = backdrop
    for stranger in strangers:
        beside = _placed(stranger.cutout, _beside(rng, box, stranger), flip=bool(rng.random() < 0.5))
        if stranger.is_in_front:
            front, mask = over(beside, front), mask * (1 - beside[..., 3])
        else:
            picture = over(beside, picture)
    picture = over(front, picture)
    if rng.random() < _COVERED:
        hidden = _covered_part(rng)
        picture[hidden], mask = cover[hidden], mask.copy()
        mask[hidden] = 0
    return apply_effects(picture, _of_the_moment(rng, effects), rng), mask


def over(upper: FloatArray, lower: FloatArray) -> FloatArray:
    """Return ``upper`` (…, 4), its colours multiplied by alpha, over ``lower`` of three or four channels."""
    result: FloatArray = upper[..., : lower.shape[2]] + lower * (1 - upper[..., 3:])
    return result


def _badly_cut(rng: np.random.Generator, box: FloatArray) -> FloatArray:
    """Return the box as a detector draws it."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    margins = rng.normal((0.12, 0.03, 0.12, 0.03), (0.14, 0.05, 0.14, 0.05)) * (width, height, width, height)
    if rng.random() < _CUT_SHORT:
        margins[3] = -rng.uniform(0.1, 0.4) * height
    missing = rng.uniform(0.3, 0.46) * height - (width + margins[0] + margins[2])
    if missing > 0:  # a box is not as narrow as the outline of a person seen from the side
        share = rng.uniform(0.3, 0.7)
        margins[[0, 2]] += missing * np.array([share, 1 - share])
    cut: FloatArray = (box + margins * (-1, -1, 1, 1)).astype(np.float32)
    return cut


def _beside(rng: np.random.Generator, box: FloatArray, stranger: Stranger) -> FloatArray:
    """Return which part of the stranger's canvas the crop shows."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    aside = float(rng.choice([-1.0, 1.0])) * rng.uniform(0.45, 1.0) * width
    lower = rng.uniform(-0.35, -0.02) * height if stranger.is_in_front else rng.uniform(-0.02, 0.12) * height
    moved: FloatArray = box + np.array([aside, lower, aside, lower], np.float32)
    return moved


def _placed(cutout: Cutout, box_xyxy: FloatArray, *, flip: bool) -> FloatArray:
    """Return (128, 64, 4) float32: what the box shows of the canvas, colours multiplied by alpha."""
    x1, y1, x2, y2 = box_xyxy.tolist()
    across, down = CROP_WIDTH / (x2 - x1), CROP_HEIGHT / (y2 - y1)
    affine = np.array([[across, 0, -x1 * across], [0, down, -y1 * down]], np.float32)
    if flip:
        affine[0] = [-across, 0, CROP_WIDTH + x1 * across]
    warped = cv2.warpAffine(cutout.rgba, affine, (CROP_WIDTH, CROP_HEIGHT))
    placed: FloatArray = np.asarray(warped, np.float32) / np.float32(255)
    placed[..., :3] *= placed[..., 3:]
    return placed


def _covered_part(rng: np.random.Generator) -> tuple[slice, slice]:
    """Return what of a crop a car, a bench or a post hides."""
    if rng.random() < 0.6:
        return slice(int(rng.uniform(0.55, 0.9) * CROP_HEIGHT), None), slice(None)
    left = int(rng.uniform(0, CROP_WIDTH))
    return slice(None), slice(left, left + int(rng.uniform(0.08, 0.35) * CROP_WIDTH))


def _of_the_moment(rng: np.random.Generator, habits: CameraEffects) -> CameraEffects:
    return replace(
        habits,
        exposure=habits.exposure * float(np.exp(rng.normal(0, 0.04))),
        downscale=float(np.clip(habits.downscale * rng.uniform(0.6, 1.2), 0.25, 1)),
        jpeg_quality=habits.jpeg_quality if rng.random() < 0.7 else None,
    )

"""Single pictures with boxes, put together from banks: what the detector learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator

from records import CLASS_NAMES, FloatArray, Image, IntArray
from synth.banks import BackdropBank, SpriteBank
from synth.cameras import Camera
from synth.compositing import Placed, composite, place_sprite
from synth.effects import apply_effects, sample_effects

_LEAST_SEEN, _LEAST_PART = 0.22, 0.05
_LEAST_HEIGHT_PX, _LARGEST_PX = 12, 460
_PITCH_SLACK_RAD = 0.12
_TRIES = 5
_PERSON_M, _VEHICLE_M = 1.7, 1.6
_REACH_M = {"person": 0.25, "bicycle": 0.9, "motorcycle": 1.0, "car": 2.4, "truck": 4.0, "bus": 6.0}


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture with its truth.

    Attributes
    ----------
    image_rgb : (S, S, 3) uint8.
    boxes_xyxy : (N, 4) float32, cut off at the picture's borders.
    class_ids : (N,) indices into `CLASS_NAMES`.
    visibility : (N,) share of a thing that is seen.
    is_ignored : (N,) so little is seen that nobody should be asked to find it, or blamed for it.
    """

    image_rgb: Image
    boxes_xyxy: FloatArray
    class_ids: IntArray
    visibility: FloatArray
    is_ignored: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


class PictureMaker:
    """Put pictures of one size together.

    Parameters
    ----------
    side : of the pictures, pixels.
    """

    def __init__(self, sprites: SpriteBank, backdrops: BackdropBank, *, side: int) -> None:
        self._sprites, self._backdrops, self._side = sprites, backdrops, side
        self._people = np.flatnonzero(sprites.class_ids == 0)
        self._vehicles = np.flatnonzero(sprites.class_ids > 0)

    def make(self, rng: Generator) -> Picture:
        """Return a picture; the same state of ``rng`` gives the same one."""
        index = int(rng.integers(len(self._backdrops)))
        view = self._window(rng, index)
        placed = [*self._place_people(rng, view), *self._place_vehicles(rng, view)]
        made = composite(view.image, view.depth, placed, shadow=float(rng.uniform(0, 0.6)))
        effects = replace(sample_effects(rng), motion_blur_px=0.0)
        image = apply_effects(made.image_rgb, effects, rng)
        boxes = np.clip(made.boxes_xyxy, 0, self._side)
        sizes = boxes[:, 2:] - boxes[:, :2]
        is_there = (made.visibility > _LEAST_PART) & (sizes[:, 1] >= 8) & (sizes[:, 0] >= 3)
        is_ignored = (made.visibility < _LEAST_SEEN) | (sizes[:, 1] < _LEAST_HEIGHT_PX)
        if rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            boxes[:, [0, 2]] = self._side - boxes[:, [2, 0]]
        keep = np.flatnonzero(is_there)
        return Picture(image, boxes[keep], made.class_ids[keep], made.visibility[keep], is_ignored[keep])

    def _window(self, rng: Generator, index: int) -> _View:
        """Cut a square out of a backdrop and scale it to the side."""
        bank, side = self._backdrops, self._side
        whole = bank.images_rgb.shape[1]
        size = int(rng.uniform(0.5, 1.0) * whole) if rng.random() < 0.6 else whole
        x, y = (int(rng.integers(0, whole - size + 1)) for _ in range(2))
        cut = (slice(y, y + size), slice(x, x + size))
        zoom = side / size
        flags = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        image = cv2.resize(bank.images_rgb[index][cut], (side, side), interpolation=flags).astype(np.float32)
        depth = bank.depths_m[index][cut].astype(np.float32)
        near = cv2.resize(depth, (side, side), interpolation=cv2.INTER_NEAREST)
        image *= np.float32(1 / 255)
        tone = np.exp(rng.normal(0, 0.08, 3)).astype(np.float32)
        return _View(index, bank.cameras[index], image * tone, near, (x, y), size, zoom, float(bank.brightness[index]))

    def _place_people(self, rng: Generator, view: _View) -> list[Placed]:
        is_crowd = rng.random() < 0.22
        count = (
            int(rng.integers(9, 26))
            if is_crowd
            else int(rng.choice(9, p=[0.07, 0.12, 0.14, 0.15, 0.14, 0.13, 0.1, 0.08, 0.07]))
        )
        middle = np.exp(rng.uniform(np.log(26), np.log(200 if is_crowd else 330)))
        placed: list[Placed] = []
        while count > 0:
            group = min(count, int(rng.choice([1, 2, 3, 4], p=[0.55, 0.27, 0.12, 0.06])))
            count -= group
            wanted = float(np.clip(middle * np.exp(rng.normal(0, 0.45)), 13, 400))
            depth = view.zoom * view.camera.focal_px * _PERSON_M / wanted
            column = float(rng.uniform(-0.05, 1.05)) * self._side
            for _ in range(_TRIES):  # until there is free ground
                near = column + rng.normal(0, 0.32, group) * wanted, depth + rng.normal(0, 0.35, group)
                found = [self._person(rng, view, float(x), float(z)) for x, z in zip(*near, strict=True)]
                if any(found):
                    placed += [person for person in found if person is not None]
                    break
                column = float(rng.uniform(-0.05, 1.05)) * self._side
                depth *= float(rng.uniform(0.7, 1.3))
        return placed

    def _person(self, rng: Generator, view: _View, column: float, depth: float) -> Placed | None:
        foot = view.foot(column, max(depth, 1.6))
        if foot is None or not -0.02 * self._side < foot[1] < 1.6 * self._side:
            return None
        if rng.random() < 0.85 and not view.is_allowed(self._backdrops.walkable[view.index], foot):
            return None
        per_metre = view.zoom * view.camera.focal_px / max(depth, 1.6)
        index = self._choose(rng, self._people, view.pitch_at(depth), per_metre)
        scale = per_metre / float(self._sprites.px_per_m[index])
        return self._placed(rng, view, index, scale, foot, depth)

    def _place_vehicles(self, rng: Generator, view: _View) -> list[Placed]:
        if rng.random() < 0.5:
            return []
        middle = np.exp(rng.uniform(np.log(18), np.log(150)))
        placed = []
        for _ in range(int(rng.choice([1, 2, 3, 5, 8], p=[0.34, 0.26, 0.2, 0.13, 0.07]))):
            wanted = float(np.clip(middle * np.exp(rng.normal(0, 0.4)), 12, 230))
            depth = max(view.zoom * view.camera.focal_px * _VEHICLE_M / wanted, 3.5)
            foot = view.foot(float(rng.uniform(-0.1, 1.1)) * self._side, depth)
            if foot is None or not view.is_open(foot, depth):
                continue
            if rng.random() < 0.5 and not view.is_allowed(self._backdrops.drivable[view.index], foot):
                continue
            per_metre = view.zoom * view.camera.focal_px / depth
            index = self._choose(rng, self._vehicles, view.pitch_at(depth), per_metre)
            placed.append(self._placed(rng, view, index, per_metre / float(self._sprites.px_per_m[index]), foot, depth))
        return [item for item in placed if item is not None]

    def _choose(self, rng: Generator, among: IntArray, pitch: float, per_metre: float) -> int:
        """Choose a sprite that was seen from about that height, and that need not be enlarged much."""
        tried = rng.choice(among, 24)
        off = np.maximum(np.abs(self._sprites.pitch_rad[tried] - pitch) - _PITCH_SLACK_RAD, 0) * 4
        enlarged = np.maximum(np.log(per_metre / self._sprites.px_per_m[tried]) - 0.15, 0)
        return int(tried[int(np.argmin(off + enlarged + rng.uniform(0, 0.05, len(tried))))])

    def _placed(
        self, rng: Generator, view: _View, index: int, scale: float, foot: tuple[float, float], depth: float
    ) -> Placed | None:
        height = self._sprites.heights[index] * scale
        if not 8 <= height <= _LARGEST_PX or self._sprites.widths[index] * scale > 1.5 * self._side:
            return None
        gain = np.exp(rng.normal(0, 0.12)) * view.brightness * np.exp(rng.normal(0, 0.03, 3))
        rgba = self._sprites.rgba(index)
        anchor = (float(self._sprites.anchors[index, 0]), float(self._sprites.anchors[index, 1]))
        if rng.random() < 0.5:
            rgba, anchor = rgba[:, ::-1], (rgba.shape[1] - anchor[0], anchor[1])
        return place_sprite(
            np.ascontiguousarray(rgba),
            anchor,
            scale,
            foot,
            depth_m=depth,
            class_id=int(self._sprites.class_ids[index]),
            gain=gain.astype(np.float32),
            flatness=float(np.sin(max(view.pitch_at(depth), 0.05))),
            reach_m=_REACH_M[CLASS_NAMES[self._sprites.class_ids[index]]],
        )


@dataclass(frozen=True, eq=False)
class _View:
    """A part of a backdrop, scaled."""

    index: int
    camera: Camera
    image: FloatArray
    depth: FloatArray
    offset: tuple[int, int]
    size: int
    zoom: float
    brightness: float

    def foot(self, column: float, depth: float) -> tuple[float, float] | None:
        """Return the pixel in a column where the ground is ``depth`` metres away (the lens left out)."""
        across = (column / self.zoom + self.offset[0] - self.camera.width / 2) / self.camera.focal_px
        right, down, forward = self.camera.rotation
        if abs(down[2]) < 1e-6:
            return None
        fall = (-self.camera.position_m[2] / depth - forward[2] - across * right[2]) / down[2]
        row = fall * self.camera.focal_px + self.camera.height / 2
        return column, float((row - self.offset[1]) * self.zoom)

    def pitch_at(self, depth: float) -> float:
        """Return the angle at which a thing of half a person's height is looked down upon."""
        return float(np.arctan2(self.camera.position_m[2] - 0.9, depth))

    def is_allowed(self, mask: Image, foot: tuple[float, float]) -> bool:
        x = int(np.clip(foot[0] / self.zoom + self.offset[0], 0, mask.shape[1] - 1))
        y = int(np.clip(foot[1] / self.zoom + self.offset[1], 0, mask.shape[0] - 1))
        return bool(mask[y, x])

    def is_open(self, foot: tuple[float, float], depth: float) -> bool:
        """Tell whether nothing of the backdrop stands before that place."""
        x = int(np.clip(foot[0], 0, self.depth.shape[1] - 1))
        y = int(np.clip(foot[1], 0, self.depth.shape[0] - 1))
        return bool(self.depth[y, x] > depth - 0.5)

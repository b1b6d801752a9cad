"""Rendered people, vehicles and places kept on disk, so that a training picture is only put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng

from records import CLASS_NAMES, FloatArray, Image, IntArray
from synth.cameras import Camera, places_on_ground
from synth.light import sample_light
from synth.people import sample_person
from synth.render_people import View, render_person
from synth.render_scenes import light_scene, render_backdrop
from synth.render_vehicles import render_vehicle
from synth.scenes import Mask, sample_scene
from synth.vehicles import CLASS_OF_BODY, sample_vehicle

BACKDROP_SIDE = 512
_CAMERAS_PER_SCENE = 7
_PEOPLE_PER_TASK = 25
_POSES = 3
_VEHICLES_PER_TASK = 25
_SPRITES_FILE, _BACKDROPS_FILE = "sprites.npz", "backdrops.npz"


@dataclass(frozen=True, eq=False)
class SpriteBank:
    """Cut-out people and vehicles.

    Attributes
    ----------
    pixels : (total,) uint8, one RGBA picture after the other.
    starts, heights, widths : (N,) where a picture begins, and its sides.
    anchors : (N, 2) pixel of the point on the ground under its middle.
    px_per_m : (N,) at its place.
    pitch_rad : (N,) how far the camera looked down.
    class_ids : (N,) indices into `CLASS_NAMES`.
    """

    pixels: Image
    starts: IntArray
    heights: IntArray
    widths: IntArray
    anchors: FloatArray
    px_per_m: FloatArray
    pitch_rad: FloatArray
    class_ids: IntArray

    def __len__(self) -> int:
        return len(self.starts)

    def rgba(self, index: int) -> Image:
        """Return one (H, W, 4) picture."""
        start, height, width = int(self.starts[index]), int(self.heights[index]), int(self.widths[index])
        return self.pixels[start : start + height * width * 4].reshape(height, width, 4)


@dataclass(frozen=True, eq=False)
class BackdropBank:
    """Places without anybody.

    Attributes
    ----------
    images_rgb : (N, S, S, 3) uint8; depths_m : (N, S, S) float16.
    walkable, drivable : (N, S, S) uint8, 1 where a pixel shows ground for people or for vehicles.
    brightness : (N,) of the light on an upright grey thing, 1 is usual.
    """

    cameras: tuple[Camera, ...]
    images_rgb: Image
    depths_m: Any
    walkable: Image
    drivable: Image
    brightness: FloatArray

    def __len__(self) -> int:
        return len(self.cameras)


def build_banks(folder: Path, *, people: int, vehicles: int, backdrops: int, seed: int, jobs: int) -> None:
    """Render sprites and places into ``folder``; the same numbers and seed give the same bank, whatever ``jobs`` is."""
    folder.mkdir(parents=True, exist_ok=True)
    sprites = [
        *_tasks(_people_sprites, -(-people // _PEOPLE_PER_TASK), seed, jobs),
        *_tasks(_vehicle_sprites, -(-vehicles // _VEHICLES_PER_TASK), seed + 1, jobs),
    ]
    rows = [row for part in sprites for row in part]
    sides = np.array([row[0].shape[:2] for row in rows], np.int64)
    sizes = sides.prod(axis=1) * 4
    np.savez(
        folder / _SPRITES_FILE,
        pixels=np.concatenate([row[0].ravel() for row in rows]),
        starts=np.cumsum(sizes) - sizes,
        heights=sides[:, 0],
        widths=sides[:, 1],
        numbers=np.array([row[1] for row in rows], np.float32),
    )
    views = [view for part in _tasks(_backdrops, -(-backdrops // _CAMERAS_PER_SCENE), seed + 2, jobs) for view in part]
    names = ("images_rgb", "depths_m", "walkable", "drivable", "brightness")
    arrays: dict[str, Any] = {
        name: np.stack([view[position + 1] for view in views]) for position, name in enumerate(names)
    }
    cameras = json.dumps([asdict(view[0]) for view in views])
    np.savez(folder / _BACKDROPS_FILE, cameras=np.array(cameras), **arrays)


def load_banks(folder: Path) -> tuple[SpriteBank, BackdropBank]:
    """Read what `build_banks` wrote.

    Raises
    ------
    FileNotFoundError
        where there is no bank.
    """
    with np.load(folder / _SPRITES_FILE) as file:
        numbers = file["numbers"]
        sprites = SpriteBank(
            file["pixels"],
            file["starts"],
            file["heights"],
            file["widths"],
            numbers[:, :2],
            numbers[:, 2],
            numbers[:, 3],
            numbers[:, 4].astype(np.int64),
        )
    with np.load(folder / _BACKDROPS_FILE) as file:
        cameras = tuple(Camera(**_tuples(values)) for values in json.loads(str(file["cameras"])))
        names = ("images_rgb", "depths_m", "walkable", "drivable", "brightness")
        return sprites, BackdropBank(cameras, *(file[name] for name in names))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _tasks(work: Callable[[int], list[Any]], count: int, seed: int, jobs: int) -> Iterator[list[Any]]:
    """Yield the results of numbered tasks, each with a seed of its own, in order."""
    seeds = [seed * 100_003 + number for number in range(count)]
    if jobs <= 1:
        yield from map(work, seeds)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(work, seeds)


_Row = tuple[Image, Sequence[float]]


def _people_sprites(seed: int) -> list[_Row]:
    rng = default_rng(seed)
    rows: list[_Row] = []
    while len(rows) < _PEOPLE_PER_TASK:
        person = sample_person(rng)
        for _ in range(_POSES):
            height = float(rng.choice([72, 128, 208, 330], p=[0.2, 0.38, 0.3, 0.12]) * rng.uniform(0.9, 1.1))
            low, high = [(-0.02, 0.14), (0.08, 0.4), (0.35, 0.85)][rng.choice(3, p=[0.5, 0.32, 0.18])]
            sideways = rng.choice([np.pi / 2, -np.pi / 2]) + rng.normal(0, 0.35)
            view = View(
                heading_rad=float(sideways if rng.random() < 0.45 else rng.uniform(-np.pi, np.pi)),
                pitch_rad=float(rng.uniform(low, high)),
                gait_phase_rad=float(rng.uniform(0, 2 * np.pi)),
                light=sample_light(rng),
                height_px=height,
                distance_m=float(rng.uniform(3.5, 25)),
                stride=float(rng.choice([0.0, 1.0], p=[0.15, 0.85])),
            )
            sprite = render_person(person, view, rng)
            numbers = (*sprite.anchor_xy, height / person.body.height_m, view.pitch_rad, 0)
            rows.append((_rgba(sprite.image_rgb, sprite.alpha), numbers))
    return rows[:_PEOPLE_PER_TASK]


def _vehicle_sprites(seed: int) -> list[_Row]:
    rng = default_rng(seed)
    rows: list[_Row] = []
    while len(rows) < _VEHICLES_PER_TASK:
        vehicle = sample_vehicle(rng)
        height = float(rng.choice([1.7, 3.5, 7.0], p=[0.4, 0.35, 0.25]) * rng.uniform(0.8, 1.3))
        away = float(rng.uniform(1.6, 4.0) * max(vehicle.length_m, 3))
        focal = away * float(rng.choice([22, 45, 75])) / max(1.0, vehicle.length_m / 5)
        camera = Camera("bank", (0.0, -away, height), np.pi / 2, float(np.arctan2(height - 0.8, away)), focal, 640, 640)
        sprite = render_vehicle(vehicle, camera, (0.0, 0.0), float(rng.uniform(-np.pi, np.pi)), sample_light(rng))
        if sprite is None:
            continue
        anchor = camera.project(np.zeros((1, 3)))[0][0] - [sprite.left, sprite.top]
        scale, pitch = camera.pixels_per_metre(np.zeros((1, 3)))[0], camera.elevation_rad(np.zeros((1, 3)))[0]
        kind = CLASS_NAMES.index(CLASS_OF_BODY[vehicle.body])
        rgba = np.dstack([sprite.image_rgb, sprite.alpha])
        rows.append((rgba, (float(anchor[0]), float(anchor[1]), float(scale), float(pitch), float(kind))))
    return rows


def _rgba(image_rgb: FloatArray, alpha: FloatArray) -> Image:
    stacked: Image = (np.clip(np.dstack([image_rgb, alpha]), 0, 1) * 255 + 0.5).astype(np.uint8)
    return stacked


def sample_camera(rng: Generator, reach_m: tuple[float, float], side: int) -> Camera:
    """Draw a camera in a place: in the street at eye level, on a pole, or high on a house."""
    kind = int(rng.choice(3, p=[0.5, 0.3, 0.2]))
    height = float(rng.uniform(*[(1.2, 2.3), (2.6, 5), (5, 12)][kind]))
    pitch = float(rng.uniform(*[(-0.06, 0.12), (0.08, 0.4), (0.25, 0.75)][kind]))
    x, y = rng.uniform(-1, 1, 2) * reach_m
    towards_middle = np.arctan2(-y, -x) + rng.normal(0, 0.7)
    return Camera(
        "bank",
        (float(x), float(y), height),
        float(towards_middle),
        pitch,
        float(side * rng.uniform(0.75, 1.9)),
        side,
        side,
        roll_rad=float(rng.normal(0, 0.012)),
        k1=float(-abs(rng.normal(0, 0.03))),
    )


def _backdrops(seed: int) -> list[tuple[Any, ...]]:
    rng = default_rng(seed)
    scene = sample_scene(rng)
    lit = light_scene(scene)
    light = scene.light
    brightness = float(np.clip(light.sky[1] * 0.7 + light.sun[1] * 0.35 + light.ground[1] * 0.25, 0.1, 1.5)) ** 0.45
    views: list[tuple[Any, ...]] = []
    while len(views) < _CAMERAS_PER_SCENE:
        wide = 0.55 * scene.half_m
        camera = sample_camera(rng, (wide, wide if scene.kind != "street" else 4.0), BACKDROP_SIDE)
        backdrop = render_backdrop(lit, camera, rng)
        depth = backdrop.depth_m
        if np.median(depth[depth.shape[0] // 2 :]) < 2.5 or (depth < 1.5).mean() > 0.1:
            continue  # the lens is against a wall or a thing
        grid = camera.pixel_grid()
        places = camera.ground(grid)
        depths = camera.project(places_on_ground(places))[1].reshape(depth.shape)
        is_ground = np.abs(np.nan_to_num(depths, nan=-1.0) - depth) < 0.05 + 0.01 * depth

        def shown(mask: Mask, places: Any = places, is_ground: Any = is_ground) -> Image:
            seen: Image = (scene.allows(mask, places).reshape(is_ground.shape) & is_ground).astype(np.uint8)
            return seen

        views.append(
            (
                camera,
                (backdrop.image_rgb * 255 + 0.5).astype(np.uint8),
                depth.astype(np.float16),
                shown(scene.is_walkable),
                shown(scene.is_road),
                brightness,
            )
        )
    return views

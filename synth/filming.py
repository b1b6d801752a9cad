"""The pictures that a world's cameras record, moment by moment, with the truth about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import default_rng

from records import FloatArray, Image, IntArray
from synth.cameras import Camera, places_on_ground
from synth.compositing import Placed, composite
from synth.effects import apply_effects
from synth.people import Person
from synth.render_people import Sprite, View, render_person
from synth.render_scenes import Backdrop, light_scene, light_seen, render_backdrop
from synth.render_vehicles import render_vehicle
from synth.worlds import Driver, Pose, Recording, Walker, World

_PHASES = 14
_TURN_RAD = np.pi / 15
_PITCH_RAD = 0.1
_SIZE_STEP = 1.5
_NEAREST_M = 2.6
_LEAST_PX, _MOST_PX = 10, 900
_HIDDEN = 0.02
_SUNNY = 0.35
_CLOUDS_S = 23.0
_LONGEST_SHADOW_M = 6.0


@dataclass(frozen=True, eq=False)
class FilmedFrame:
    """One picture of a recording.

    Attributes
    ----------
    image_bgr : (H, W, 3) uint8; index 0, 1, 2, …; time_s on the world's clock.
    boxes_xyxy : (N, 4) float32 around the whole of each person and vehicle, also what is hidden or outside.
    visibility : (N,) share of it that is seen, more than 2 %.
    class_ids, identities : (N,).
    """

    index: int
    time_s: float
    image_bgr: Image
    boxes_xyxy: FloatArray
    visibility: FloatArray
    class_ids: IntArray
    identities: IntArray


def film(world: World, recording: Recording) -> Iterator[FilmedFrame]:
    """Yield the frames of one recording; the same world gives the same frames."""
    number = world.recordings.index(recording)
    backdrop = render_backdrop(light_scene(world.scene), recording.camera, default_rng([world.seed, number]))
    backdrop = replace(backdrop, image_rgb=world.weather.veil(backdrop.image_rgb, backdrop.depth_m))
    people, vehicles = _People(world, recording.camera), _Vehicles(world, recording.camera)
    noise = default_rng([world.seed, number, 1])
    for index in range(round(world.duration_s * world.frame_rate)):
        time_s = recording.start_s + index / world.frame_rate
        placed = [*people.placed(time_s), *vehicles.placed(time_s)]
        yield _frame(world, recording, backdrop, placed, index, time_s, noise)


def _frame(
    world: World,
    recording: Recording,
    backdrop: Backdrop,
    placed: list[Placed],
    index: int,
    time_s: float,
    noise: np.random.Generator,
) -> FilmedFrame:
    sun = world.scene.light.sun[1]
    cast = 0.45 * min(1.0, sun) if sun > _SUNNY else 0.0
    made = composite(backdrop.image_rgb, backdrop.depth_m, placed, shadow=0.3 + 0.25 * min(1.0, sun), cast=cast)
    clouds = np.float32(1 + world.unsteady * np.sin(2 * np.pi * time_s / _CLOUDS_S))
    image = apply_effects(world.weather.fall(made.image_rgb * clouds, noise), recording.effects, noise)
    seen = made.visibility > _HIDDEN
    return FilmedFrame(
        index,
        time_s,
        np.ascontiguousarray(image[..., ::-1]),
        made.boxes_xyxy[seen],
        made.visibility[seen],
        made.class_ids[seen],
        made.identities[seen],
    )


class _People:
    """Walkers as one camera sees them; poses are rounded so that most sprites are drawn once."""

    def __init__(self, world: World, camera: Camera) -> None:
        self._world, self._camera = world, camera
        self._drawn: dict[tuple[int, int, int, int, int], Sprite] = {}

    def placed(self, time_s: float) -> list[Placed]:
        """Return the walkers who are in view at that time."""
        poses = [(walker, walker.way.at(time_s)) for walker in self._world.walkers]
        return [item for walker, pose in poses if pose is not None for item in self._place(walker, pose)]

    def _place(self, walker: Walker, pose: Pose) -> list[Placed]:
        """Return the walker at the right place of the picture, or nothing where they are not in view."""
        foot = places_on_ground(np.array([pose.place_m]))
        pixels, depths = self._camera.project(foot)
        depth = float(depths[0])
        if depth < _NEAREST_M or not np.isfinite(pixels).all():
            return []
        height_px = self._camera.focal_px / depth * walker.person.body.height_m
        x, y = float(pixels[0, 0]), float(pixels[0, 1])
        is_outside = abs(x - self._camera.width / 2) > self._camera.width / 2 + height_px
        if is_outside or y < 0 or y > self._camera.height + 1.2 * height_px or not _LEAST_PX < height_px < _MOST_PX:
            return []
        azimuth = float(self._camera.azimuth_rad(foot)[0])
        pitch = float(self._camera.elevation_rad(foot + np.array([0, 0, 0.9]))[0])
        sprite, scale = self._sprite(walker, pose, azimuth, pitch, height_px)
        item = _placed(sprite, scale, (x, y), depth, walker.identity, flatness=float(np.sin(max(pitch, 0.08))))
        cast = cast_outline(self._world, self._camera, pose.place_m, walker.person.body.height_m, 0.24)
        return [replace(item, image_rgb=self._world.weather.veil(item.image_rgb, depth), cast_xy=cast)]

    def _sprite(
        self, walker: Walker, pose: Pose, azimuth: float, pitch: float, height_px: float
    ) -> tuple[Sprite, float]:
        heading = round((pose.heading_rad - azimuth - np.pi) / _TURN_RAD)
        phase = round(walker.gait_phase_rad(pose.gone_m) / (2 * np.pi) * _PHASES) % _PHASES
        size, lean = int(np.ceil(np.log(height_px) / np.log(_SIZE_STEP))), round(pitch / _PITCH_RAD)
        key = (walker.identity, heading, phase, size, lean)
        if key not in self._drawn:
            self._drawn[key] = self._draw(walker.person, heading, phase, size, lean, azimuth, walker.identity)
        return self._drawn[key], height_px / _SIZE_STEP**size

    def _draw(
        self, person: Person, heading: int, phase: int, size: int, lean: int, azimuth: float, identity: int
    ) -> Sprite:
        height_px = float(np.clip(_SIZE_STEP**size, _LEAST_PX, _MOST_PX))
        view = View(
            heading_rad=heading * _TURN_RAD,
            pitch_rad=float(np.clip(lean * _PITCH_RAD, -0.5, 1.4)),
            gait_phase_rad=2 * np.pi * phase / _PHASES,
            light=light_seen(self._world.scene.light, azimuth),
            height_px=height_px,
            distance_m=max(_NEAREST_M, self._camera.focal_px / height_px * person.body.height_m),
        )
        return render_person(person, view, default_rng([self._world.seed, identity]))


def _placed(
    sprite: Sprite, scale: float, foot_xy: tuple[float, float], depth: float, identity: int, *, flatness: float
) -> Placed:
    """Scale a sprite and put its anchor on the ground, between the pixels."""
    import cv2

    left, top = foot_xy[0] - sprite.anchor_xy[0] * scale, foot_xy[1] - sprite.anchor_xy[1] * scale
    x0, y0 = int(np.floor(left)) - 1, int(np.floor(top)) - 1
    height, width = sprite.alpha.shape
    size = (int(np.ceil(width * scale)) + 3, int(np.ceil(height * scale)) + 3)
    move = np.array([[scale, 0, left - x0 + (scale - 1) / 2], [0, scale, top - y0 + (scale - 1) / 2]])
    # Colours are weighted by alpha on the way, so that the black outside does not bleed in.
    alpha = cv2.warpAffine(sprite.alpha, move, size, flags=cv2.INTER_LINEAR)
    colours = cv2.warpAffine(sprite.image_rgb * sprite.alpha[..., None], move, size, flags=cv2.INTER_LINEAR)
    half = width * scale * 0.45
    return Placed(
        (colours / np.maximum(alpha, 1e-3)[..., None]).astype(np.float32),
        alpha.astype(np.float32),
        x0,
        y0,
        depth,
        foot_xy,
        (half, max(1.0, half * flatness)),
        0,
        identity,
    )


class _Vehicles:
    """Vehicles as one camera sees them; those that stand still are drawn once."""

    def __init__(self, world: World, camera: Camera) -> None:
        self._world, self._camera = world, camera
        self._standing: dict[int, Placed | None] = {}

    def placed(self, time_s: float) -> list[Placed]:
        """Return the vehicles that are in view at that time."""
        found = [self._at(driver, time_s) for driver in self._world.drivers]
        return [item for item in found if item is not None]

    def _at(self, driver: Driver, time_s: float) -> Placed | None:
        if driver.way.speed_m_s == 0:
            if driver.identity not in self._standing:
                self._standing[driver.identity] = self._place(driver, driver.way.at(time_s))
            return self._standing[driver.identity]
        return self._place(driver, driver.way.at(time_s))

    def _place(self, driver: Driver, pose: Pose | None) -> Placed | None:
        if pose is None:
            return None
        camera, ground = self._camera, places_on_ground(np.array([pose.place_m]))
        pixels, depths = camera.project(ground)
        if not np.isfinite(pixels).all():
            return None
        sprite = render_vehicle(driver.vehicle, camera, pose.place_m, pose.heading_rad, self._world.scene.light)
        if sprite is None:
            return None
        image_rgb: FloatArray = (sprite.image_rgb / 255).astype(np.float32)
        alpha: FloatArray = (sprite.alpha / 255).astype(np.float32)
        half = sprite.alpha.shape[1] * 0.5
        flatness = float(np.sin(max(camera.elevation_rad(ground)[0], 0.08)))
        return Placed(
            self._world.weather.veil(image_rgb, float(depths[0])),
            alpha,
            sprite.left,
            sprite.top,
            float(depths[0]),
            (float(pixels[0, 0]), float(pixels[0, 1])),
            (half, max(1.0, half * flatness * 0.8)),
            driver.class_id,
            driver.identity,
            float(np.hypot(driver.vehicle.length_m, driver.vehicle.width_m)) / 2,
        )


def cast_outline(
    world: World, camera: Camera, place_m: tuple[float, float], height_m: float, half_width_m: float
) -> FloatArray | None:
    """Return (N, 2) pixels around the shadow of an upright thing on the ground; None where the sun is too weak."""
    light = world.scene.light
    if light.sun[1] <= _SUNNY:
        return None
    x, y, z = light.to_sun
    along = -np.array([x, y]) / max(float(np.hypot(x, y)), 1e-6)
    length = min(height_m * float(np.hypot(x, y)) / max(z, 0.1), _LONGEST_SHADOW_M)
    across = np.array([-along[1], along[0]]) * half_width_m
    foot = np.array(place_m)
    shares = ((0.0, 0.5), (0.3, 0.8), (0.75, 1.0), (0.9, 0.5), (1.0, 0.35))
    edge = [foot + along * length * far + across * wide for far, wide in shares]
    edge += [foot + along * length * far - across * wide for far, wide in reversed(shares)]
    pixels, _ = camera.project(places_on_ground(np.array(edge)))
    return pixels.astype(np.float32) if np.isfinite(pixels).all() else None

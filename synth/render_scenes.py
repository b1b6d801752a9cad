"""A scene seen by a camera: its picture without people and vehicles, and the depth of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from records import FloatArray
from synth.cameras import Camera
from synth.light import Light, to_display, to_linear
from synth.props import Prop
from synth.scenes import GROUND_PX_PER_M, Scene, Wall
from synth.textures import WALL_PX_PER_M

_SKY_DEPTH_M = 1e4
_LEVELS = 4
_GRAIN_SIDE = 256
_GRAIN_PX_PER_M = 90


@dataclass(frozen=True, eq=False)
class Backdrop:
    """What a camera sees where nobody is.

    Attributes
    ----------
    image_rgb : (H, W, 3) float32 display values, 0 to 1.
    depth_m : (H, W) float32 along the axis of view; the sky is 10 km away.
    """

    camera: Camera
    image_rgb: FloatArray
    depth_m: FloatArray


@dataclass(frozen=True, eq=False)
class LitScene:
    """A scene under its light: each surface as a pyramid of display values, each level half the size of the last."""

    scene: Scene
    ground: tuple[FloatArray, ...]
    walls: tuple[tuple[FloatArray, ...], ...]
    props: tuple[FloatArray, ...]


def light_scene(scene: Scene) -> LitScene:
    """Light a scene once for all its cameras."""
    light = scene.light
    level = light.sky[1] * 0.75 + light.sun[1] * 0.35 + light.ground[1] * 0.25
    return LitScene(
        scene,
        _pyramid(_lit(scene.ground_rgb, light, (0.0, 0.0, 1.0))),
        tuple(_pyramid(_lit(wall.texture, light, (*wall.normal, 0.0))) for wall in scene.walls),
        tuple(to_display(to_linear(prop.image_rgb) * np.float32(level)) for prop, _ in scene.props),
    )


def render_backdrop(lit: LitScene, camera: Camera, rng: Generator) -> Backdrop:
    """Render a scene without anything that moves; ``rng`` draws the ground's fine grain alone."""
    rays = camera.directions(camera.pixel_grid()).reshape(camera.height, camera.width, 3).astype(np.float32)
    image = _sky(lit.scene, rays)
    depth = np.full(rays.shape[:2], _SKY_DEPTH_M, np.float32)
    _draw_ground(lit, camera, rays, image, depth, rng)
    for wall, levels in zip(lit.scene.walls, lit.walls, strict=True):
        _draw_wall(wall, levels, camera, rays, image, depth)
    things = list(zip(lit.scene.props, lit.props, strict=True))
    for (prop, place), picture in sorted(things, key=lambda item: -_depth_of(camera, item[0][1])):
        _draw_prop(prop, picture, place, camera, image, depth)
    return Backdrop(camera, np.clip(image, 0, 1), depth)


def light_seen(light: Light, azimuth_rad: float) -> Light:
    """Return the world's light in the frame of a view along ``azimuth_rad``; see `Light.to_sun`."""
    return light.turned(azimuth_rad + np.pi)


def _sky(scene: Scene, rays: FloatArray) -> FloatArray:
    height, width = scene.sky_rgb.shape[:2]
    up = rays[..., 2] / np.hypot(rays[..., 0], rays[..., 1])
    u = (np.arctan2(rays[..., 1], rays[..., 0]) / (2 * np.pi) * width) % width
    v = np.clip((1 - up) * height - 1, 0, height - 1)
    picture = cv2.remap(scene.sky_rgb, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return picture.astype(np.float32)


def _lit(surface: FloatArray, light: Light, normal: tuple[float, float, float]) -> FloatArray:
    """Return display values of a matt surface under the light."""
    facing = max(0.0, float(np.dot(normal, light.to_sun)))
    upward = 0.5 + 0.5 * normal[2]
    total = facing * np.array(light.sun) + upward * np.array(light.sky) + (1 - upward) * np.array(light.ground)
    return to_display(to_linear(surface) * total.astype(np.float32))


def _pyramid(texture: FloatArray) -> tuple[FloatArray, ...]:
    levels = [texture]
    while len(levels) < _LEVELS and min(levels[-1].shape[:2]) >= 8:
        height, width = levels[-1].shape[:2]
        smaller = cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        levels.append(smaller.astype(np.float32))
    return tuple(levels)


def _draw_ground(
    lit: LitScene, camera: Camera, rays: FloatArray, image: FloatArray, depth: FloatArray, rng: Generator
) -> None:
    """Paint the ground; each pixel from the level of the map's pyramid that suits its distance."""
    is_ground = rays[..., 2] < -1e-3
    along = np.where(is_ground, -camera.position_m[2] / np.minimum(rays[..., 2], -1e-3), 0).astype(np.float32)
    x = camera.position_m[0] + rays[..., 0] * along
    y = camera.position_m[1] + rays[..., 1] * along
    footprint = along / camera.focal_px * GROUND_PX_PER_M * 1.5
    wanted = np.clip(np.floor(np.log2(np.maximum(footprint, 1))), 0, _LEVELS - 1).astype(np.int8)
    for level, texture in enumerate(lit.ground):
        chosen = is_ground & (wanted == level)
        if not chosen.any():
            continue
        scale = GROUND_PX_PER_M * texture.shape[0] / lit.ground[0].shape[0]
        u, v = (x + lit.scene.half_m) * scale - 0.5, (y + lit.scene.half_m) * scale - 0.5
        painted = cv2.remap(texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        image[chosen] = painted[chosen]
    grain = rng.standard_normal((_GRAIN_SIDE, _GRAIN_SIDE), np.float32)
    rough = cv2.remap(
        cv2.GaussianBlur(grain, (0, 0), 0.8),
        (x * _GRAIN_PX_PER_M) % _GRAIN_SIDE,
        (y * _GRAIN_PX_PER_M) % _GRAIN_SIDE,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    fade = 0.12 / (1 + along / camera.focal_px * _GRAIN_PX_PER_M)
    image[is_ground] *= (1 + rough * fade)[is_ground][:, None]
    depth[is_ground] = along[is_ground]
    haze = np.clip((along - 60) / 400, 0, 0.6)[..., None] * is_ground[..., None]
    image += (0.75 * float(np.mean(lit.scene.sky_rgb)) - image) * haze


def _draw_wall(
    wall: Wall,
    levels: tuple[FloatArray, ...],
    camera: Camera,
    rays: FloatArray,
    image: FloatArray,
    depth: FloatArray,
) -> None:
    a, length = np.array(wall.a), wall.length_m
    normal = np.array(wall.normal)
    along = np.array([-normal[1], normal[0]])
    eye = np.array(camera.position_m)
    distance = float(normal @ (eye[:2] - a))
    if distance <= 0.05:
        return  # seen from behind
    towards = rays[..., 0] * np.float32(normal[0]) + rays[..., 1] * np.float32(normal[1])
    reach = np.where(towards < -1e-4, -distance / np.minimum(towards, -1e-4), _SKY_DEPTH_M).astype(np.float32)
    u = (eye[0] - a[0] + rays[..., 0] * reach) * along[0] + (eye[1] - a[1] + rays[..., 1] * reach) * along[1]
    z = eye[2] + rays[..., 2] * reach
    seen = (u >= 0) & (u < length) & (z >= 0) & (z < wall.height_m) & (reach < depth)
    if not seen.any():
        return
    footprint = float(np.median(reach[seen])) / camera.focal_px * WALL_PX_PER_M
    texture = levels[int(np.clip(round(np.log2(max(footprint, 1))), 0, len(levels) - 1))]
    map_x = (u / length * texture.shape[1] - 0.5).astype(np.float32)
    map_y = ((1 - z / wall.height_m) * texture.shape[0] - 0.5).astype(np.float32)
    painted = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image[seen] = painted[seen]
    depth[seen] = reach[seen]


def _depth_of(camera: Camera, place: tuple[float, float]) -> float:
    return float(camera.project(np.array([[*place, 0.0]]))[1][0])


def _draw_prop(
    prop: Prop,
    lit: FloatArray,
    place: tuple[float, float],
    camera: Camera,
    image: FloatArray,
    depth: FloatArray,
) -> None:
    pixels, depths = camera.project(np.array([[*place, 0.0], [*place, prop.height_m]]))
    if depths[0] < 0.6 or not np.isfinite(pixels).all():
        return
    scale = abs(pixels[0, 1] - pixels[1, 1]) / prop.image_rgb.shape[0]
    if scale * prop.image_rgb.shape[0] < 4 or scale * prop.image_rgb.shape[0] > 4 * image.shape[0]:
        return
    _darken_ground(camera, place, min(prop.width_m, 3.0), image)
    size = (max(2, round(lit.shape[1] * scale)), max(3, round(lit.shape[0] * scale)))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture, alpha = cv2.resize(lit, size, interpolation=flags), cv2.resize(prop.alpha, size, interpolation=flags)
    x0, y0 = round(float(pixels[0, 0]) - size[0] / 2), round(float(pixels[0, 1]) - size[1])
    inside = overlap((x0, y0, *size), image.shape[1], image.shape[0])
    if inside is None:
        return
    rows, columns, part_rows, part_columns = inside
    cover = alpha[part_rows, part_columns] * (depth[rows, columns] > depths[0] - 0.15)
    image[rows, columns] += (picture[part_rows, part_columns] - image[rows, columns]) * cover[..., None]
    depth[rows, columns][cover > 0.5] = depths[0]


def _darken_ground(camera: Camera, place: tuple[float, float], width_m: float, image: FloatArray) -> None:
    """Put a soft contact shadow under a thing."""
    pixels, depths = camera.project(np.array([[*place, 0.0], [place[0], place[1] + 0.3, 0.0]]))
    radius = width_m * camera.focal_px / depths[0] / 2
    flat = max(0.06, float(np.sin(camera.elevation_rad(np.array([[*place, 0.0]]))[0])))
    if np.isfinite(pixels).all() and radius >= 1:
        blend_ellipse(image, (float(pixels[0, 0]), float(pixels[0, 1])), (radius * 1.1, radius * flat + 1), 0.35)


def blend_ellipse(image: FloatArray, centre: tuple[float, float], radii: tuple[float, float], strength: float) -> None:
    """Darken an ellipse softly, by ``strength`` in its middle."""
    reach = (int(radii[0] * 1.4) + 2, int(radii[1] * 1.4) + 2)
    box = (round(centre[0]) - reach[0], round(centre[1]) - reach[1], 2 * reach[0] + 1, 2 * reach[1] + 1)
    inside = overlap(box, image.shape[1], image.shape[0])
    if inside is None:
        return
    rows, columns, _, _ = inside
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5 - centre[1]) / radii[1]
    x = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - centre[0]) / radii[0]
    shade = strength * np.exp(-1.5 * (x[None] ** 2 + y[:, None] ** 2))
    image[rows, columns] *= (1 - shade)[..., None].astype(np.float32)


def overlap(box: tuple[int, int, int, int], width: int, height: int) -> tuple[slice, slice, slice, slice] | None:
    """Return which rows and columns of a picture a box x, y, width, height covers, and which of the box; or None."""
    x, y, w, h = box
    x0, y0, x1, y1 = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
    if x0 >= x1 or y0 >= y1:
        return None
    return slice(y0, y1), slice(x0, x1), slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)

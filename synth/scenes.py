"""Places drawn at random: a street, a square or a park with its buildings and the things that stand there.

A scene is the same for all its cameras. Its ground is a map seen from above,
its buildings are upright walls, its things are flat pictures (`synth.props`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from records import FloatArray
from synth.light import Light, sample_light
from synth.props import Prop, make_prop
from synth.textures import asphalt, colour, earthy, facade, grass, hedge, paving, plain, sky

GROUND_PX_PER_M = 20
KINDS = ("street", "square", "park", "yard")

Mask = NDArray[np.bool_]
_GREENERY = ("tree", "bush", "tree", "bench", "lamp", "bin", "sign", "fence", "pillar", "tripod")
_TOWN = ("pole", "lamp", "sign", "board", "bin", "bollard", "bench", "potted", "pillar", "parasol", "tree", "cone")


@dataclass(frozen=True, eq=False)
class Wall:
    """An upright wall from ``a`` to ``b`` (x, y in metres), seen from the right hand when going from a to b.

    Attributes
    ----------
    texture : (H, W, 3) float32 RGB at `synth.textures.WALL_PX_PER_M`, its last row at the ground.
    """

    a: tuple[float, float]
    b: tuple[float, float]
    height_m: float
    texture: FloatArray

    @property
    def length_m(self) -> float:
        return float(np.hypot(self.b[0] - self.a[0], self.b[1] - self.a[1]))

    @property
    def normal(self) -> tuple[float, float]:
        """Return the direction in plan to the side from which it is seen."""
        return (self.b[1] - self.a[1]) / self.length_m, -(self.b[0] - self.a[0]) / self.length_m


@dataclass(frozen=True, eq=False)
class Scene:
    """A place.

    Attributes
    ----------
    half_m : the ground's map covers -half_m to half_m in x and y; beyond it the map repeats, mirrored.
    ground_rgb : (S, S, 3) float32 at `GROUND_PX_PER_M`; row 0 is y = -half_m.
    is_walkable, is_road : (S, S), where people walk and where vehicles drive or stand.
    props : things and the places of their feet.
    sky_rgb : (H, W, 3), repeated around the horizon.
    light : in the frame of the world.
    is_night : lamps light it, the sky is dark.
    """

    kind: str
    half_m: float
    ground_rgb: FloatArray
    is_walkable: Mask
    is_road: Mask
    walls: tuple[Wall, ...]
    props: tuple[tuple[Prop, tuple[float, float]], ...]
    sky_rgb: FloatArray
    light: Light
    is_night: bool

    def allows(self, mask: Mask, places_m: NDArray[np.float64]) -> Mask:
        """Tell for (N, 2) places whether ``mask`` is set there; False outside the map."""
        cells = np.nan_to_num((places_m + self.half_m) * GROUND_PX_PER_M, nan=-1.0)
        inside = ((cells >= 0) & (cells < mask.shape[0])).all(axis=1)
        safe = np.where(inside[:, None], cells, 0).astype(np.int64)
        allowed: Mask = inside & mask[safe[:, 1], safe[:, 0]]
        return allowed


def sample_scene(rng: Generator, *, kind: str | None = None, half_m: float = 30.0, night: float = 0.15) -> Scene:
    """Draw a place.

    Parameters
    ----------
    kind : one of `KINDS`; None draws one.
    night : probability of a night.
    """
    kind = str(rng.choice(KINDS, p=[0.4, 0.3, 0.18, 0.12])) if kind is None else kind
    is_night = bool(rng.random() < night)
    side = int(2 * half_m * GROUND_PX_PER_M)
    road_m = rng.uniform(3, 11) if kind == "street" else 0.0
    walk_m = rng.uniform(2, 7)
    front_m = {"street": road_m / 2 + walk_m, "square": half_m * rng.uniform(0.35, 0.8)}.get(kind, half_m * 0.9)
    ground, is_road = _ground(rng, kind, side, road_m)
    walls = _buildings(rng, kind, front_m, half_m, is_night=is_night)
    y, x = (np.mgrid[:side, :side] + 0.5) / GROUND_PX_PER_M - half_m
    is_walkable = np.abs(y) < front_m - 0.3
    if kind != "street":
        is_walkable &= np.abs(x) < front_m - 0.3
    names = _GREENERY if kind == "park" else _TOWN
    props = []
    for _ in range(int(rng.integers(10, 60))):
        at = (float(rng.uniform(-half_m, half_m)), float(rng.uniform(-front_m, front_m)))
        is_kerb = kind == "street" and rng.random() < 0.7
        if is_kerb:
            at = (at[0], float(np.sign(at[1]) * rng.uniform(road_m / 2 + 0.3, front_m - 0.3)))
        if kind == "street" and abs(at[1]) < road_m / 2:
            continue
        props.append((make_prop(rng, str(rng.choice(names))), at))
    light = sample_light(rng)
    _cast_shadows(ground, rng, light, kind, front_m)
    if is_night:
        light = light.dimmed(float(rng.uniform(0.25, 0.6)))
    brightness = rng.uniform(0.02, 0.12) if is_night else rng.uniform(0.8, 1.05)
    return Scene(
        kind,
        half_m,
        ground,
        is_walkable & ~is_road if kind == "street" and rng.random() < 0.6 else is_walkable,
        is_road,
        walls,
        tuple(props),
        sky(rng, 128, 512, brightness=brightness),
        light,
        is_night,
    )


def _ground(rng: Generator, kind: str, side: int, road_m: float) -> tuple[FloatArray, Mask]:
    """Return the map from above and where the road is."""
    px = GROUND_PX_PER_M
    is_road = np.zeros((side, side), np.bool_)
    middle = side // 2
    if kind == "park":
        ground = grass(rng, side)
        path = np.zeros((side, side), np.uint8)
        for _ in range(int(rng.integers(1, 4))):
            points = middle + (rng.uniform(0, side, (2, 2)) - middle) * 1.2
            thick = int(rng.uniform(1.5, 6) * px)
            cv2.line(path, points[0].astype(int).tolist(), points[1].astype(int).tolist(), 1, thick)
        surface = asphalt(rng, side, px) if rng.random() < 0.5 else plain(rng, side, side, earthy(rng), rough=0.1)
        ground[path > 0] = surface[path > 0]
        return ground, is_road
    if kind == "yard":
        ground = asphalt(rng, side, px)
        if rng.random() < 0.6:
            edge = int(side * rng.uniform(0.1, 0.45))
            ground[:edge] = grass(rng, side)[:edge]
        is_road[int(side * 0.5) :] = True
        _bays(ground, rng)
        return ground, is_road
    ground = paving(rng, side, px) if rng.random() < 0.7 else asphalt(rng, side, px)
    if kind == "square":
        if rng.random() < 0.4:  # a pattern of another stone
            tone = colour(rng, grey=0.9).tolist()
            for radius in range(
                int(rng.uniform(1, 3) * px), int(rng.uniform(4, 12) * px), int(rng.uniform(0.8, 2) * px)
            ):
                cv2.circle(ground, (middle, middle), radius, tone, max(1, int(0.15 * px)), cv2.LINE_AA)
        return ground, is_road
    half = int(road_m / 2 * px)
    is_road[middle - half : middle + half] = True
    ground[middle - half : middle + half] = asphalt(rng, side, px)[middle - half : middle + half]
    _markings(ground, rng, middle, half)
    return ground, is_road


def _markings(ground: FloatArray, rng: Generator, middle: int, half: int) -> None:
    """Draw kerbs, lines and zebra crossings along a street in x."""
    px, side = GROUND_PX_PER_M, ground.shape[0]
    kerb = earthy(rng)
    for edge in (middle - half, middle + half):
        ground[edge - 3 : edge + 1] = kerb
        if rng.random() < 0.3:
            ground[edge + 4 : edge + 6] = (0.75, 0.65, 0.15)
    paint = np.array([0.85, 0.85, 0.82], np.float32) * rng.uniform(0.6, 1)
    if half > 2.2 * px and rng.random() < 0.7:
        dash = int(rng.uniform(1, 4) * px)
        for x in range(0, side, 2 * dash):
            ground[middle - 1 : middle + 2, x : x + dash] = paint
    for _ in range(int(rng.integers(0, 3))):
        x0 = int(rng.uniform(0.2, 0.8) * side)
        for row in range(middle - half + 6, middle + half - 6, px):
            ground[row : row + px // 2, x0 : x0 + int(3.2 * px)] = paint


def _bays(ground: FloatArray, rng: Generator) -> None:
    px, side = GROUND_PX_PER_M, ground.shape[0]
    paint = np.array([0.85, 0.85, 0.82], np.float32) * rng.uniform(0.5, 1)
    for x in range(0, side, int(2.5 * px)):
        ground[int(side * 0.6) : int(side * 0.6) + 5 * px, x : x + 3] = paint


def _cast_shadows(ground: FloatArray, rng: Generator, light: Light, kind: str, front_m: float) -> None:
    """Darken what houses and trees keep from the sun."""
    if light.sun[1] < 0.3 or rng.random() < 0.3:
        return
    side, px = ground.shape[0], GROUND_PX_PER_M
    shade = np.zeros((side, side), np.float32)
    slope = np.hypot(light.to_sun[0], light.to_sun[1]) / max(light.to_sun[2], 0.2)
    reach = int(min(rng.uniform(4, 14) * slope, 2 * front_m * 0.8) * px)
    edge = int((side / 2 / px - front_m) * px)
    if kind in ("street", "square"):
        rows = slice(edge, edge + reach) if light.to_sun[1] < 0 else slice(side - edge - reach, side - edge)
        shade[rows] = 1
        for x in range(0, side, int(rng.uniform(6, 14) * px)):  # roofs of unequal height, gaps between the houses
            gap = int(rng.uniform(0, 5) * px)
            shade[:, x : x + gap] = 0
    for _ in range(int(rng.integers(0, 12))):
        at, axes = rng.integers(0, side, 2), (rng.uniform(0.8, 3.5, 2) * px).astype(int)
        cv2.ellipse(shade, at.tolist(), axes.tolist(), float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    cv2.GaussianBlur(shade, (0, 0), rng.uniform(2, 7), dst=shade)
    ground *= (1 - np.float32(rng.uniform(0.3, 0.55)) * shade)[..., None]


def _buildings(rng: Generator, kind: str, front_m: float, half_m: float, *, is_night: bool) -> tuple[Wall, ...]:
    """Return rows of fronts around the place, one house beside the other."""
    walls: list[Wall] = []
    low = kind in ("park", "yard")

    def row(start: tuple[float, float], along: tuple[float, float], length: float) -> None:
        done = 0.0
        while done < length:
            width = min(rng.uniform(6, 22), length - done + 0.1)
            height = rng.uniform(2.5, 8) if low else rng.uniform(4, 16)
            if rng.random() < (0.9 if kind == "park" else 0.3 if low else 0.04):
                height = rng.uniform(2, 9)
                a = (start[0] + along[0] * done, start[1] + along[1] * done)
                b = (a[0] + along[0] * width, a[1] + along[1] * width)
                walls.append(Wall(a, b, height, hedge(rng, width, height)))
            elif rng.random() < 0.95:
                setback = rng.uniform(0, 0.6)
                a = (start[0] + along[0] * done - along[1] * setback, start[1] + along[1] * done + along[0] * setback)
                b = (a[0] + along[0] * width, a[1] + along[1] * width)
                walls.append(Wall(a, b, height, facade(rng, width, height, is_night=is_night)))
            done += width

    reach = half_m * 1.5 if kind == "street" else front_m
    row((-reach, front_m), (1.0, 0.0), 2 * reach)
    row((reach, -front_m), (-1.0, 0.0), 2 * reach)
    if kind != "street":
        row((front_m, front_m), (0.0, -1.0), 2 * front_m)
        row((-front_m, -front_m), (0.0, 1.0), 2 * front_m)
    return tuple(walls)

"""Which vehicles are rendered: body types, measures, paint, plates; and their surfaces in metres.

A vehicle's own frame: x forwards, y to its left, z up, the origin on the ground under its middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from records import FloatArray
from synth.cameras import Points

BODY_TYPES = ("car", "estate", "suv", "van", "bus", "truck", "motorcycle", "bicycle")
CLASS_OF_BODY = {
    "car": "car", "estate": "car", "suv": "car", "van": "car", "bus": "bus", "truck": "truck",
    "motorcycle": "motorcycle", "bicycle": "bicycle",
}  # fmt: skip
"""COCO calls a van a car or a truck; here it is a car."""

_PLATE_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_PLATE_M = (0.52, 0.11)


@dataclass(frozen=True, kw_only=True, eq=False)
class Vehicle:
    """One vehicle.

    Attributes
    ----------
    body : one of `BODY_TYPES`.
    length_m, width_m, height_m : outer measures.
    paint : RGB display values; second_paint : of a truck's box or a stripe.
    plate : text on the plate, empty where it has none; plate_colour its ground.
    has_lights : whether its lamps are on.
    """

    body: str
    length_m: float
    width_m: float
    height_m: float
    paint: FloatArray
    second_paint: FloatArray
    plate: str
    plate_colour: FloatArray
    glass: float
    has_lights: bool


@dataclass(frozen=True, eq=False)
class Face:
    """One flat polygon.

    Attributes
    ----------
    corners_m : (N, 3) in the vehicle's frame, counter-clockwise as seen from outside.
    tone : RGB, 0 to 1.
    gloss : 0 matt, 1 a mirror of sky and ground.
    glow : light of its own.
    text : written across it, from corner 0 (top left) to corner 2 (bottom right).
    layer : faces of a higher layer lie upon those of a lower one.
    """

    corners_m: Points
    tone: FloatArray
    gloss: float = 0.0
    glow: float = 0.0
    text: str = ""
    layer: int = 0


def sample_vehicle(rng: Generator, *, body: str | None = None) -> Vehicle:
    """Draw a vehicle of one body type, or of any."""
    share = [0.34, 0.14, 0.14, 0.12, 0.07, 0.08, 0.05, 0.06]
    body = str(rng.choice(BODY_TYPES, p=share)) if body is None else body
    length, width, height = {
        "car": (4.2, 1.75, 1.45), "estate": (4.6, 1.8, 1.5), "suv": (4.5, 1.85, 1.72), "van": (5.2, 1.95, 2.25),
        "bus": (11.5, 2.5, 3.1), "truck": (7.5, 2.4, 3.1), "motorcycle": (2.1, 0.75, 1.15),
        "bicycle": (1.75, 0.55, 1.05),
    }[body]  # fmt: skip
    digits = "".join(str(digit) for digit in rng.integers(0, 10, 4))
    plate = "".join(rng.choice(list(_PLATE_LETTERS), 3)) + digits
    return Vehicle(
        body=body,
        length_m=length * rng.uniform(0.9, 1.1),
        width_m=width * rng.uniform(0.96, 1.04),
        height_m=height * rng.uniform(0.95, 1.08),
        paint=_paint(rng),
        second_paint=_paint(rng),
        plate="" if body == "bicycle" else plate,
        plate_colour=np.array([[0.95, 0.95, 0.92], [0.95, 0.8, 0.15], [0.1, 0.25, 0.65]], np.float32)[
            rng.choice(3, p=[0.7, 0.15, 0.15])
        ],
        glass=float(rng.uniform(0.06, 0.25)),
        has_lights=bool(rng.random() < 0.2),
    )


def _paint(rng: Generator) -> FloatArray:
    common = np.array(
        [[0.9, 0.9, 0.9], [0.72, 0.73, 0.75], [0.45, 0.46, 0.48], [0.2, 0.2, 0.22], [0.06, 0.06, 0.07],
         [0.55, 0.06, 0.07], [0.08, 0.15, 0.4], [0.25, 0.4, 0.6], [0.1, 0.28, 0.16], [0.75, 0.66, 0.5],
         [0.85, 0.65, 0.1], [0.8, 0.35, 0.08]]
    )  # fmt: skip
    chances = np.array([6, 6, 4, 5, 5, 2.5, 2.5, 1.5, 1, 1, 1, 0.6])
    tone = common[rng.choice(len(common), p=chances / chances.sum())]
    varied: FloatArray = np.clip(tone * rng.uniform(0.8, 1.15) + rng.normal(0, 0.02, 3), 0.02, 0.98).astype(np.float32)
    return varied


def faces_of(vehicle: Vehicle) -> list[Face]:
    """Return a vehicle's surfaces, those that lie upon others in higher layers."""
    if vehicle.body in ("motorcycle", "bicycle"):
        return list(_two_wheeler(vehicle))
    return [*_body(vehicle), *_wheels(vehicle), *_lamps_and_plates(vehicle)]


_PROFILES: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {
    # the lower body and the cabin above it, as shares of length (−0.5 tail to 0.5 nose) and height
    "car": (
        [(-0.5, 0.2), (0.48, 0.16), (0.5, 0.36), (0.46, 0.52), (0.24, 0.6), (-0.36, 0.64), (-0.48, 0.6)],
        [(0.25, 0.6), (0.08, 0.97), (-0.2, 1.0), (-0.38, 0.63)],
    ),
    "estate": (
        [(-0.5, 0.2), (0.48, 0.16), (0.5, 0.36), (0.46, 0.5), (0.24, 0.58), (-0.49, 0.62)],
        [(0.25, 0.58), (0.09, 0.96), (-0.1, 1.0), (-0.43, 0.96), (-0.49, 0.62)],
    ),
    "suv": (
        [(-0.5, 0.22), (0.48, 0.2), (0.5, 0.4), (0.47, 0.56), (0.26, 0.62), (-0.49, 0.64)],
        [(0.26, 0.62), (0.13, 0.96), (-0.1, 1.0), (-0.45, 0.97), (-0.49, 0.64)],
    ),
    "van": (
        [(-0.5, 0.14), (0.48, 0.12), (0.5, 0.3), (0.46, 0.44), (0.38, 0.5), (-0.5, 0.5)],
        [(0.38, 0.5), (0.24, 0.95), (0.1, 1.0), (-0.49, 0.99), (-0.5, 0.5)],
    ),
    "bus": (
        [(-0.5, 0.1), (0.5, 0.1), (0.5, 0.42), (-0.5, 0.42)],
        [(0.5, 0.42), (0.485, 0.97), (-0.49, 1.0), (-0.5, 0.42)],
    ),
    "truck": (
        [(0.22, 0.12), (0.5, 0.12), (0.5, 0.42), (0.22, 0.42)],
        [(0.5, 0.42), (0.46, 0.8), (0.24, 0.82), (0.22, 0.42)],
    ),
}


def _body(vehicle: Vehicle) -> Iterator[Face]:
    lower, cabin = (np.array(profile) * [vehicle.length_m, vehicle.height_m] for profile in _PROFILES[vehicle.body])
    half = vehicle.width_m / 2
    narrow = half * (0.8 if vehicle.body in ("car", "estate", "suv") else 0.93)
    yield from _extruded(lower, half, half, vehicle.paint, 0.35, 0)
    if vehicle.body == "truck":
        box = np.array([[-0.5, 0.3], [0.19, 0.3], [0.19, 1.0], [-0.5, 1.0]]) * [vehicle.length_m, vehicle.height_m]
        yield from _extruded(box, half, half, vehicle.second_paint, 0.1, 0)
        frame = np.array([[-0.5, 0.17], [0.22, 0.17], [0.22, 0.3], [-0.5, 0.3]]) * [vehicle.length_m, vehicle.height_m]
        yield from _extruded(frame, half * 0.7, half * 0.7, np.full(3, 0.1, np.float32), 0, 0)
    yield from _extruded(cabin, half, narrow, vehicle.paint, 0.3, 1)
    yield from _glass(vehicle, cabin, half, narrow)


def _extruded(
    profile: Points, half: float, half_top: float, tone: FloatArray, gloss: float, layer: int
) -> Iterator[Face]:
    """Yield the sides and strips of a profile (x, z), counter-clockwise as seen from the vehicle's right."""
    low, high = profile[:, 1].min(), profile[:, 1].max()
    halves = half + (half_top - half) * (profile[:, 1] - low) / max(high - low, 1e-6)
    right = np.stack([profile[:, 0], -halves, profile[:, 1]], axis=1)
    left = right * [1, -1, 1]
    yield Face(right, tone, gloss, layer=layer)
    yield Face(left[::-1], tone, gloss, layer=layer)
    for index in range(len(profile)):
        after = (index + 1) % len(profile)
        yield Face(np.stack([right[after], right[index], left[index], left[after]]), tone, gloss, layer=layer)


def _glass(vehicle: Vehicle, cabin: Points, half: float, narrow: float) -> Iterator[Face]:
    """Yield windows, slightly outside the cabin's own faces."""
    tone = np.array([0.9, 1.0, 1.1], np.float32) * np.float32(vehicle.glass)
    low, high = cabin[:, 1].min(), cabin[:, 1].max()

    def at(x: float, z: float, out: float = 0.012) -> tuple[float, float, float]:
        return x, -(half + (narrow - half) * (z - low) / (high - low)) - out, z

    centre = cabin.mean(axis=0)
    pane = centre + (cabin - centre) * [0.9, 0.74]
    count = {"bus": 7, "car": 2, "truck": 1}.get(vehicle.body, 3)
    if vehicle.body == "van":
        count, pane = 1, centre + (cabin - centre) * [0.3, 0.74] + [0.27 * vehicle.length_m, 0]
    left, right = pane[:, 0].min(), pane[:, 0].max()
    edges = np.linspace(left, right, count + 1)
    for start, end in pairwise(edges):
        gap = 0.03
        clipped = np.array([[np.clip(x, start + gap, end - gap), z] for x, z in pane])
        side = np.array([at(x, z) for x, z in clipped])
        yield Face(side, tone, 0.75, layer=2)
        yield Face(side[::-1] * [1, -1, 1], tone, 0.75, layer=2)
    for (x0, z0), (x1, z1) in ((cabin[0], cabin[1]), (cabin[-2], cabin[-1])):
        steps = np.array([[x0, z0], [x1, z1]])
        inner = steps[0] + (steps[1] - steps[0]) * np.array([[0.1], [0.9]])
        out = 0.012 if x0 > 0 else -0.012
        bottom, top = inner
        a, b = at(float(bottom[0]) + out, float(bottom[1]), -0.1), at(float(top[0]) + out, float(top[1]), -0.1)
        yield Face(np.array([b, a, (a[0], -a[1], a[2]), (b[0], -b[1], b[2])]), tone, 0.75, layer=2)


def _wheels(vehicle: Vehicle) -> Iterator[Face]:
    radius = {"bus": 0.48, "truck": 0.48, "van": 0.35, "suv": 0.36}.get(vehicle.body, 0.32)
    half = vehicle.width_m / 2
    axles = [-0.3, 0.32] if vehicle.body != "truck" else [-0.38, -0.2, 0.34]
    turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    for axle in axles:
        centre = np.array([axle * vehicle.length_m, 0, radius])
        for share, grey, layer, out in (
            (1.15, 0.03, 3, 0.013),
            (1.0, 0.09, 4, 0.02),
            (0.62, 0.5, 5, 0.025),
            (0.2, 0.2, 6, 0.03),
        ):
            ring = np.stack([np.cos(turn), np.zeros_like(turn), np.sin(turn)], axis=1) * radius * share + centre
            ring[:, 2] = np.maximum(ring[:, 2], 0)
            right = ring - [0, half + out, 0]
            tone = np.full(3, grey, np.float32)
            yield Face(right, tone, layer=layer)
            yield Face((right * [1, -1, 1])[::-1], tone, layer=layer)


def _lamps_and_plates(vehicle: Vehicle) -> Iterator[Face]:
    half, height = vehicle.width_m / 2, vehicle.height_m
    lamp_z = 0.3 * height if vehicle.body in ("bus", "truck", "van") else 0.44 * height
    glow = 1.0 if vehicle.has_lights else 0.0
    for is_front in (True, False):
        x = (0.5 if is_front else -0.5) * vehicle.length_m + (0.02 if is_front else -0.02)
        tone = np.array([0.95, 0.95, 0.88] if is_front else [0.65, 0.05, 0.05], np.float32)
        for side in (-1, 1):
            middle = side * half * 0.76
            yield _upright(x, middle, lamp_z, 0.36, 0.16, tone, glow, "", is_front)
        grille = np.full(3, 0.07, np.float32)
        yield _upright(x, 0, 0.24 * height, half * 1.1, 0.12 * height * 0.6, grille, 0.0, "", is_front)
        if vehicle.plate:
            ahead = x + (0.01 if is_front else -0.01)
            plate = _upright(ahead, 0, 0.26 * height, *_PLATE_M, vehicle.plate_colour, 0.0, vehicle.plate, is_front)
            yield Face(plate.corners_m, plate.tone, text=plate.text, layer=5)


def _upright(
    x: float, y: float, z: float, wide: float, high: float, tone: FloatArray, glow: float, text: str, is_front: bool
) -> Face:
    """Return a rectangle across the vehicle that looks forwards or backwards, top left corner first."""
    a, b = (y - wide / 2, y + wide / 2) if is_front else (y + wide / 2, y - wide / 2)
    corners = np.array([[x, a, z + high / 2], [x, a, z - high / 2], [x, b, z - high / 2], [x, b, z + high / 2]])
    return Face(corners, tone, glow=glow, text=text, layer=4)


def _two_wheeler(vehicle: Vehicle) -> Iterator[Face]:
    """Yield flat parts that are seen from both sides: rings, a frame, a saddle, handlebars."""
    is_motor = vehicle.body == "motorcycle"
    radius, thick = (0.3, 0.11) if is_motor else (0.34, 0.04)
    reach = vehicle.length_m / 2 - radius
    dark = np.full(3, 0.07, np.float32)
    turn = np.linspace(0, 2 * np.pi, 24)
    for x in (-reach, reach):
        for start, end in pairwise(turn):
            arc = np.array([[np.cos(angle), 0, np.sin(angle)] for angle in (start, end)])
            quad = np.concatenate([arc * radius, arc[::-1] * (radius - thick)]) + np.array([x, 0, radius])
            yield from _both_sides(quad, dark)
        if is_motor:
            hub = np.stack([np.cos(turn), 0 * turn, np.sin(turn)], axis=1) * 0.16 + [x, 0, radius]
            yield from _both_sides(hub, np.full(3, 0.4, np.float32))
    saddle, bars = 0.75 * vehicle.height_m, vehicle.height_m
    bars_x, tube = reach * 0.72, 0.05 if not is_motor else 0.09
    beams = [
        ((-reach, radius), (-0.1, 0.3)), ((-0.1, 0.3), (bars_x, saddle)), ((-0.1, 0.3), (-0.25, saddle)),
        ((-0.25, saddle * 0.92), (bars_x, saddle * 0.92)), ((bars_x, bars), (reach, radius)),
        ((-reach, radius), (-0.25, saddle * 0.9)),
    ]  # fmt: skip
    for a, b in beams:
        yield from _both_sides(_beam(a, b, tube), vehicle.paint)
    if is_motor:
        tank = np.array([[-0.15, 0, 0.55], [0.35, 0, 0.6], [0.32, 0, 0.85], [0.0, 0, 0.88], [-0.2, 0, 0.74]])
        engine = np.array([[-0.2, 0, 0.2], [0.25, 0, 0.2], [0.3, 0, 0.55], [-0.2, 0, 0.55]])
        yield from _both_sides(engine, np.full(3, 0.22, np.float32))
        for offset in (-0.13, 0.0, 0.13):
            yield from _both_sides(tank + np.array([0, offset, 0]), vehicle.paint)
    yield from _both_sides(_beam((-0.55 if is_motor else -0.38, saddle), (-0.1, saddle), 0.08), dark)
    grip = np.array(
        [[bars_x, -0.3, bars], [bars_x, 0.3, bars], [bars_x, 0.3, bars - 0.05], [bars_x, -0.3, bars - 0.05]]
    )
    yield from _both_sides(grip, dark)


def _beam(a: tuple[float, float], b: tuple[float, float], thick: float) -> Points:
    (x0, z0), (x1, z1) = a, b
    length = max(float(np.hypot(x1 - x0, z1 - z0)), 1e-6)
    across = np.array([-(z1 - z0), 0, x1 - x0]) / length * thick / 2
    ends = np.array([[x0, 0, z0], [x1, 0, z1]])
    return np.stack([ends[0] - across, ends[1] - across, ends[1] + across, ends[0] + across])


def _both_sides(corners: Points, tone: FloatArray) -> Iterator[Face]:
    yield Face(corners, tone, 0.2, layer=0)
    yield Face(corners[::-1], tone, 0.2, layer=0)

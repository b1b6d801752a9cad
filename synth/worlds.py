"""A world: one place, several cameras, people and vehicles that move through it on one clock."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator, default_rng

from records import CLASS_NAMES
from synth.cameras import Camera, Points
from synth.effects import CameraEffects, sample_effects
from synth.people import Person, sample_person
from synth.scenes import Scene, sample_scene
from synth.vehicles import CLASS_OF_BODY, Vehicle, sample_vehicle
from synth.weather import CLEAR, Weather

_STEP_M = 0.25
_CLEARANCE_M = 0.75
_FREE_M = 6.0
_SPREAD_M = 26.0
_DOUBLE_STEP = 0.83
"""Length of two steps, as a share of the stature."""
_BODIES = ("car", "car", "estate", "suv", "van", "bus", "truck", "bicycle")


@dataclass(frozen=True)
class Pose:
    """Where something is at one moment: x, y in metres, heading counter-clockwise from +x, metres gone so far."""

    place_m: tuple[float, float]
    heading_rad: float
    gone_m: float


@dataclass(frozen=True, eq=False)
class Way:
    """A path that is followed at one speed.

    Attributes
    ----------
    points_m : (N, 2), N at least 2; speed_m_s : 0 stands at its first point for ever.
    start_s : on the world's clock, when the first point is left.
    """

    points_m: Points
    speed_m_s: float
    start_s: float

    def at(self, time_s: float) -> Pose | None:
        """Return where it is then; None before its start and after its end."""
        steps = np.diff(self.points_m, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        gone = (time_s - self.start_s) * self.speed_m_s
        if self.speed_m_s == 0:
            gone = 0.0
        if gone < 0 or gone > lengths.sum():
            return None
        before = np.concatenate([[0], np.cumsum(lengths)])
        index = int(np.clip(np.searchsorted(before, gone, side="right") - 1, 0, len(steps) - 1))
        place = self.points_m[index] + steps[index] * (gone - before[index]) / max(lengths[index], 1e-9)
        heading = float(np.arctan2(steps[index, 1], steps[index, 0]))
        return Pose((float(place[0]), float(place[1])), heading, float(gone))


@dataclass(frozen=True, eq=False)
class Walker:
    """One person on their way; ``identity`` is unique in the world, ``phase_rad`` where their gait begins."""

    identity: int
    person: Person
    way: Way
    phase_rad: float

    def gait_phase_rad(self, gone_m: float) -> float:
        """Return the phase of the gait after some metres."""
        return self.phase_rad + 2 * np.pi * gone_m / (_DOUBLE_STEP * self.person.body.height_m)


@dataclass(frozen=True, eq=False)
class Driver:
    """One vehicle on its way, or parked."""

    identity: int
    vehicle: Vehicle
    way: Way

    @property
    def class_id(self) -> int:
        return CLASS_NAMES.index(CLASS_OF_BODY[self.vehicle.body])


@dataclass(frozen=True, eq=False)
class Recording:
    """One camera of a world: what it does to pictures, and when it was switched on, on the world's clock."""

    camera: Camera
    effects: CameraEffects
    start_s: float


@dataclass(frozen=True, eq=False)
class World:
    """Everything that is needed to render the recordings again.

    Attributes
    ----------
    unsteady : share by which the light comes and goes with the clouds.
    """

    seed: int
    scene: Scene
    recordings: tuple[Recording, ...]
    walkers: tuple[Walker, ...]
    drivers: tuple[Driver, ...]
    duration_s: float
    frame_rate: int
    weather: Weather = CLEAR
    unsteady: float = 0.03


def sample_world(
    seed: int,
    *,
    cameras: int = 2,
    duration_s: float = 30.0,
    frame_rate: int = 12,
    people: int = 14,
    vehicles: int = 6,
    width: int = 768,
    height: int = 432,
    weather: Weather = CLEAR,
    is_night: bool = False,
) -> World:
    """Draw a street with cameras along it and people who walk from one to the next.

    Parameters
    ----------
    duration_s : of each recording.
    people, vehicles : how many pass; each has an identity from 1 on.
    width, height : of the pictures.

    Raises
    ------
    ValueError
        for less than one camera or a duration that is not positive.
    """
    if cameras < 1 or duration_s <= 0:
        raise ValueError(f"there must be a camera and a duration, not {cameras} and {duration_s}")
    rng = default_rng(seed)
    scene = sample_scene(rng, kind="street", half_m=34.0, night=float(is_night))
    front_m = max(abs(wall.a[1]) for wall in scene.walls)
    road_m = _road_half(scene)
    recordings = tuple(_recording(rng, index, cameras, road_m, front_m, width, height) for index in range(cameras))
    walkers = _walkers(rng, scene, people, duration_s, road_m, front_m)
    drivers = _drivers(rng, vehicles, duration_s, road_m, scene.half_m, first=people + 1)
    scene = replace(scene, props=tuple(item for item in scene.props if not _is_in_the_way(recordings, item[1])))
    return World(seed, scene, recordings, walkers, drivers, duration_s, frame_rate, weather)


def _is_in_the_way(recordings: tuple[Recording, ...], place: tuple[float, float]) -> bool:
    """Tell whether a thing stands so near before a camera that it hides much of the view."""
    away = np.array([np.hypot(*np.subtract(place, item.camera.position_m[:2])) for item in recordings])
    return bool((away < _FREE_M).any())


def _road_half(scene: Scene) -> float:
    """Return half of the road's width in metres."""
    rows = np.flatnonzero(scene.is_road[:, 0])
    return len(rows) / len(scene.is_road) * scene.half_m


def _recording(
    rng: Generator, index: int, count: int, road_m: float, front_m: float, width: int, height: int
) -> Recording:
    """Put cameras along the street, one looking up, the next down, their views side by side."""
    direction = 1 if index % 2 == 0 else -1
    x = direction * (_SPREAD_M * (index // 2 * 2 / max(count, 2) - 0.5) - 5)
    side = 1 if index % 4 in (0, 3) else -1
    y = side * min(road_m + 0.6, front_m - 0.5)
    aim = (0.0 if direction == 1 else np.pi) - side * direction * rng.uniform(0.05, 0.25)
    camera = Camera(
        f"camera-{index + 1}",
        (float(x), float(y), float(rng.uniform(3.0, 4.6))),
        float(aim),
        float(rng.uniform(0.2, 0.32)),
        float(width * rng.uniform(0.82, 1.05)),
        width,
        height,
        k1=float(-rng.uniform(0.0, 0.06)),
    )
    effects = sample_effects(rng, strength=0.5)
    return Recording(camera, effects, start_s=float(np.round(rng.uniform(0, 3) * (index > 0), 1)))


def _walkers(
    rng: Generator, scene: Scene, count: int, duration_s: float, road_m: float, front_m: float
) -> tuple[Walker, ...]:
    walkers: list[Walker] = []
    reach = 22.0
    obstacles = np.array([place for _, place in scene.props]).reshape(-1, 2)
    while len(walkers) < count:
        together = min(count - len(walkers), int(rng.choice([1, 2, 3], p=[0.7, 0.24, 0.06])))
        is_forward, side = rng.random() < 0.5, rng.choice([-1, 1])
        lane = float(side * rng.uniform(road_m + 0.7, max(front_m - 0.7, road_m + 0.8)))
        speed = float(rng.uniform(1.05, 1.75))
        start = float(rng.uniform(-0.45, 0.7) * duration_s)
        for mate in range(together):
            offset = (mate - (together - 1) / 2) * 0.65
            x = np.arange(-reach, reach, _STEP_M) * (1 if is_forward else -1)
            sway = 0.25 * np.sin(x * rng.uniform(0.1, 0.3) + rng.uniform(0, 6)) * rng.uniform(0, 1)
            points = _around(np.stack([x, lane + offset + sway], axis=1), obstacles)
            way = Way(points, speed, start + float(rng.uniform(-0.15, 0.15)) * mate)
            walkers.append(Walker(len(walkers) + 1, sample_person(rng), way, float(rng.uniform(0, 2 * np.pi))))
    return tuple(walkers)


def _around(points: Points, obstacles: Points) -> Points:
    """Bend a way so that it passes things at arm's length."""
    bent: Points = points.copy()
    for obstacle in obstacles:
        away = bent - obstacle
        near = np.exp(-((away[:, 0] / 1.6) ** 2))
        gap = _CLEARANCE_M - np.abs(away[:, 1])
        direction = np.where(away[:, 1] >= 0, 1.0, -1.0)
        direction = np.full(len(bent), direction[int(np.argmax(near))])
        bent[:, 1] += np.where(gap > 0, near * gap * direction, 0.0)
    return bent


def _drivers(
    rng: Generator, count: int, duration_s: float, road_m: float, half_m: float, *, first: int
) -> tuple[Driver, ...]:
    drivers = []
    for number in range(count):
        direction = 1 if number % 2 else -1
        vehicle = sample_vehicle(rng, body=str(rng.choice(_BODIES)))
        if road_m < vehicle.width_m:
            vehicle = sample_vehicle(rng, body="bicycle")
        lane = -direction * max(road_m / 2, min(road_m - vehicle.width_m / 2 - 0.2, road_m * 0.55))
        is_parked = number % 3 == 2
        ends = np.array([[-1.6 * half_m, lane], [1.6 * half_m, lane]], np.float64)[::direction]
        if is_parked:
            lane = -direction * (road_m - vehicle.width_m / 2 - 0.15)
            x = float(rng.uniform(-9, 9))
            ends = np.array([[x, lane], [x + direction, lane]])
        speed = 0.0 if is_parked else float(rng.uniform(4.5, 9))
        drivers.append(Driver(first + number, vehicle, Way(ends, speed, float(rng.uniform(-4, duration_s - 4)))))
    return tuple(drivers)

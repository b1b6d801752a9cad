"""What a person carries: bags on the back, at the side and in the hand, a phone at the ear."""

from __future__ import annotations

import numpy as np

from records import FloatArray
from synth.people import Person
from synth.render_people_pose import Pose, Vector
from synth.surfaces import Surface, tube

_UP = np.array([0, 0, 1], np.float32)
_AHEAD = np.array([1, 0, 0], np.float32)


def carried_surfaces(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    """Return the surfaces of bag and phone, in the frame of `Pose`."""
    surfaces = _BAGS[person.bag](person, pose, points_per_m)
    if person.arm == "phone":
        arm = pose.arms[0 if person.is_left_handed else 1]
        surfaces.append(
            _box(arm.finger, arm.wrist + (arm.finger - arm.wrist) * 0.6, 0.03, 0.012, (0.08, 0.08, 0.09), points_per_m)
        )
    return surfaces


def _backpack(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    tall, ahead = person.body.height_m, pose.chest_forward
    behind = np.float32(0.085 * tall * person.body.girth + person.top.cloth.looseness_m + 0.02)
    size = 0.85 + (person.seed % 11) * 0.035
    top = pose.chest + (pose.neck - pose.chest) * 0.45 - ahead * behind
    foot = top - 0.21 * tall * size * _UP - ahead * 0.02
    whole = tube(
        [top + 0.02 * _UP, top, 0.5 * (top + foot) - ahead * 0.02, foot, foot - 0.02 * _UP],
        np.array([[0.3, 0.2], [0.95, 0.8], [1.0, 1.0], [0.95, 0.9], [0.3, 0.3]])
        * [0.075 * tall * size, 0.05 * tall * size],
        ahead,
        points_per_m=points_per_m,
        squareness=0.35,
    )
    colours = np.broadcast_to(np.asarray(person.bag_colour, np.float32), whole.points.shape).copy()
    colours[(whole.share[:, 0] > 0.52) & (whole.share[:, 0] < 0.56)] *= 0.6
    left = np.array([-ahead[1], ahead[0], 0], np.float32)
    straps = [_strap(person, pose, side * left, points_per_m) for side in (-1.0, 1.0)]
    return [whole.coloured(colours), *straps]


def _strap(person: Person, pose: Pose, sideways: Vector, points_per_m: float) -> Surface:
    tall, ahead = person.body.height_m, pose.chest_forward
    out = np.float32(0.062 * tall * person.body.girth * 1.08 + person.top.cloth.looseness_m + 0.008)
    path = [
        pose.neck + sideways * (0.055 * tall) - ahead * out * 0.7,
        pose.neck + sideways * (0.06 * tall) + 0.018 * tall * _UP,
        pose.neck + sideways * (0.062 * tall) + ahead * out * 0.75 - 0.02 * tall * _UP,
        pose.chest + sideways * (0.068 * tall) + ahead * out,
        pose.chest + sideways * (0.09 * tall) + ahead * out * 0.6 - 0.09 * tall * _UP,
    ]
    dark = tuple(channel * 0.8 for channel in person.bag_colour)
    return tube(path, [0.014] * 5, ahead + sideways * 0.5, points_per_m=points_per_m).coloured(dark)


def _shoulder_bag(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    tall, ahead = person.body.height_m, pose.chest_forward
    side = 1.0 if person.is_left_handed else -1.0
    left = np.array([-ahead[1], ahead[0], 0], np.float32) * np.float32(side)
    out = 0.095 * tall * person.body.girth + person.top.cloth.looseness_m + 0.04
    hanging = pose.pelvis + left * np.float32(out) - 0.01 * tall * _UP - ahead * 0.03
    size = 0.8 + (person.seed % 13) * 0.045
    bag = _box(
        hanging + 0.08 * size * _UP,
        hanging - 0.12 * size * _UP,
        0.05 * size,
        0.17 * size,
        person.bag_colour,
        points_per_m,
    )
    deep = np.float32(0.075 * tall * person.body.girth + person.top.cloth.looseness_m + 0.012)
    crosses = person.seed % 3 > 0
    shoulder = pose.neck + left * np.float32((-0.06 if crosses else 0.085) * tall)
    dark = tuple(channel * 0.75 for channel in person.bag_colour)
    straps = [
        tube(
            [
                shoulder + 0.02 * tall * _UP,
                shoulder + way * ahead * deep * 0.8 - 0.03 * tall * _UP,
                0.5 * (pose.chest + pose.waist)
                + left * np.float32((0.01 if crosses else 0.09) * tall)
                + way * ahead * deep,
                hanging + 0.08 * size * _UP + way * ahead * 0.07,
            ],
            [0.012] * 4,
            left + ahead * 0.3,
            points_per_m=points_per_m,
        ).coloured(dark)
        for way in (-1.0, 1.0)
    ]
    return [bag, *straps]


def _in_hand(person: Person, pose: Pose, size: FloatArray, points_per_m: float) -> list[Surface]:
    arm = pose.arms[0 if person.is_left_handed else 1]
    grip = 0.4 * arm.wrist + 0.6 * arm.finger
    top = grip - 0.13 * size[2] * _UP
    bag = _box(top, top - size[2] * _UP, size[1], size[0], person.bag_colour, points_per_m)
    handles = [
        tube([grip, top + way * 0.5 * size[0] * _AHEAD], [0.009, 0.009], [0, 1, 0], points_per_m=points_per_m).coloured(
            tuple(channel * 0.8 for channel in person.bag_colour)
        )
        for way in (-1.0, 1.0)
    ]
    return [bag, *handles]


def _handbag(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    return _in_hand(person, pose, np.array([0.14, 0.055, 0.2], np.float32), points_per_m)


def _carrier(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    return _in_hand(person, pose, np.array([0.16, 0.07, 0.34], np.float32), points_per_m)


def _trolley(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    arm = pose.arms[0 if person.is_left_handed else 1]
    side = 0.28 if person.is_left_handed else -0.28
    foot = np.array([-0.55, side, 0.06], np.float32)
    top = foot + np.array([-0.08, 0, 0.52], np.float32)
    case = _box(top, foot, 0.19, 0.11, person.bag_colour, points_per_m)
    rod = tube([top, arm.finger], [0.012, 0.012], [0, 1, 0], points_per_m=points_per_m).coloured((0.3, 0.3, 0.32))
    return [case, rod]


def _nothing(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    return []


def _box(
    top: Vector, foot: Vector, half_width_m: float, half_depth_m: float, colour: tuple[float, ...], points_per_m: float
) -> Surface:
    """Return an upright box with round edges; the width lies across the way, the depth along it."""
    size = np.array([half_width_m, half_depth_m], np.float32)
    along = (np.asarray(foot) - top) * 0.06
    whole = tube(
        [top, top + along, foot - along, foot],
        np.array([[0.4, 0.4], [1, 1], [1, 1], [0.4, 0.4]], np.float32) * size,
        [1, 0, 0],
        points_per_m=points_per_m,
        squareness=0.4,
    )
    return whole.coloured(np.asarray(colour, np.float32))


_BAGS = {
    "none": _nothing,
    "backpack": _backpack,
    "shoulder": _shoulder_bag,
    "handbag": _handbag,
    "trolley": _trolley,
    "carrier": _carrier,
}

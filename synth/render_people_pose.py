"""Where a walking person's joints are, from the phase of the gait.

The frame is the person's own: x forwards, y to their left, z up, metres, the ground at z = 0. The curves
are the mean joint angles of level walking (e.g. Winter, Biomechanics and Motor Control of Human Movement).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.people import Person

Vector = NDArray[np.float32]

_CYCLE = np.array([0.0, 0.12, 0.3, 0.5, 0.62, 0.74, 0.87, 1.0])  # share of the cycle since the heel's strike
_HIP_DEG = np.array([28.0, 22, 5, -10, -3, 16, 29, 28])
_KNEE_DEG = np.array([4.0, 17, 9, 10, 38, 60, 25, 4])
_FOOT_DEG = np.array([0.0, -4, 7, 8, -16, -6, 1, 0])
_SHOE_SOLE_M = 0.035


@dataclass(frozen=True, eq=False)
class Leg:
    """Joints of one leg, (3,) float32 each."""

    hip: Vector
    knee: Vector
    ankle: Vector
    toe: Vector


@dataclass(frozen=True, eq=False)
class Arm:
    """Joints of one arm, (3,) float32 each."""

    shoulder: Vector
    elbow: Vector
    wrist: Vector
    finger: Vector


@dataclass(frozen=True, eq=False)
class Pose:
    """All joints; legs and arms are left first.

    Attributes
    ----------
    pelvis, waist, chest, neck, head : from the bottom up; head is the middle of the skull.
    pelvis_forward, chest_forward, head_forward : unit vectors, where these parts look.
    """

    legs: tuple[Leg, Leg]
    arms: tuple[Arm, Arm]
    pelvis: Vector
    waist: Vector
    chest: Vector
    neck: Vector
    head: Vector
    pelvis_forward: Vector
    chest_forward: Vector
    head_forward: Vector


def walk(person: Person, phase_rad: float, *, stride: float = 1.0, head_turn_rad: float = 0.0) -> Pose:
    """Return the joints at a phase of the gait.

    Parameters
    ----------
    phase_rad : 0 where the left heel strikes the ground, 2π one double step later.
    stride : factor on the person's own; 0 stands.
    """
    body = person.body
    tall = body.height_m
    swing = body.stride * stride
    yaw = 0.12 * swing * np.cos(phase_rad)
    pelvis_forward, pelvis_left = _heading(-yaw)
    chest_forward, chest_left = _heading(yaw * 1.2)
    head_forward, _ = _heading(head_turn_rad)
    lean = np.array([np.sin(body.lean_rad), 0, np.cos(body.lean_rad)], np.float32)
    pelvis = np.array([0, 0, 0.52 * tall], np.float32)
    legs = tuple(
        _leg(person, pelvis + side * 0.046 * tall * body.hips * pelvis_left, phase_rad + offset, swing, side)
        for side, offset in ((1.0, 0.0), (-1.0, np.pi))
    )
    lift = _SHOE_SOLE_M - min(min(leg.ankle[2] - 0.045 * tall, leg.toe[2]) for leg in legs)
    legs = tuple(Leg(*(_raised(joint, lift) for joint in (leg.hip, leg.knee, leg.ankle, leg.toe))) for leg in legs)
    pelvis = _raised(pelvis, lift)
    chest = pelvis + lean * np.float32(0.235 * tall)
    neck = pelvis + lean * np.float32(0.315 * tall)
    head = neck + np.array([0.012 * tall, 0, 0.098 * tall], np.float32) + 0.3 * (lean - [0, 0, 1]).astype(np.float32)
    arms = tuple(
        _arm(
            person,
            neck + chest_left * np.float32(side * 0.103 * tall * body.shoulders),
            phase_rad + offset,
            swing,
            side,
        )
        for side, offset in ((1.0, np.pi), (-1.0, 0.0))
    )
    return Pose(
        legs=(legs[0], legs[1]),
        arms=(arms[0], arms[1]),
        pelvis=pelvis,
        waist=pelvis + lean * np.float32(0.105 * tall),
        chest=chest,
        neck=neck,
        head=head,
        pelvis_forward=pelvis_forward,
        chest_forward=chest_forward,
        head_forward=head_forward,
    )


def _leg(person: Person, hip: Vector, phase_rad: float, swing: float, side: float) -> Leg:
    tall = person.body.height_m
    cycle = phase_rad / (2 * np.pi) % 1.0
    thigh = np.radians(np.interp(cycle, _CYCLE, _HIP_DEG)) * swing
    shank = thigh - np.radians(np.interp(cycle, _CYCLE, _KNEE_DEG)) * swing
    foot = shank + np.radians(np.interp(cycle, _CYCLE, _FOOT_DEG)) * swing
    spread = side * 0.012 * tall
    knee = hip + _swung(0.245 * tall, thigh) + np.array([0, spread * 0.2, 0], np.float32)
    ankle = knee + _swung(0.24 * tall, shank) + np.array([0, spread * 0.2, 0], np.float32)
    forwards = np.array([np.cos(foot), side * 0.12, np.sin(foot)], np.float32)
    toe = ankle + np.float32(0.105 * tall) * forwards - np.array([0, 0, 0.026 * tall], np.float32)
    return Leg(hip, knee, ankle, toe)


def _arm(person: Person, shoulder: Vector, phase_rad: float, swing: float, side: float) -> Arm:
    body, tall = person.body, person.body.height_m
    does = person.arm if (side > 0) == person.is_left_handed or person.arm == "folded" else "swing"
    shoulder = shoulder - np.array([0, 0, 0.012 * tall], np.float32)
    upper = 0.32 * np.cos(phase_rad) * swing * body.arm_swing - 0.03
    fore = upper + 0.22 + 0.28 * body.arm_swing * swing * (0.5 + 0.5 * np.cos(phase_rad))
    out, inwards = 0.10 + 0.05 * (body.girth - 1), 0.02
    if does == "phone":
        upper, fore, out, inwards = 0.45, 2.75, 0.12, 0.1
    elif does == "pocket":
        upper, fore, out, inwards = -0.35, 0.5, 0.2, 0.1
    elif does == "carry":
        upper, fore, out, inwards = 0.05 + 0.2 * (upper + 0.03), 0.12, 0.13, 0.0
    elif does == "folded":
        upper, fore, out, inwards = 0.25, 1.45, 0.12, 0.8
    outwards = np.array([0, side, 0], np.float32)
    elbow = shoulder + _swung(0.172 * tall, upper) + np.float32(0.172 * tall * out) * outwards
    fore_length = 0.15 * tall * (1 - 0.25 * inwards)
    wrist = elbow + _swung(fore_length, fore) - np.float32(0.15 * tall * inwards) * outwards
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    finger = wrist + (along * np.float32(0.085 * tall)).astype(np.float32)
    return Arm(shoulder, elbow.astype(np.float32), wrist.astype(np.float32), finger)


def _swung(length_m: float, angle_rad: float) -> Vector:
    """Return a bone that hangs down, swung forwards by the angle."""
    return np.array([length_m * np.sin(angle_rad), 0, -length_m * np.cos(angle_rad)], np.float32)


def _heading(yaw_rad: float) -> tuple[Vector, Vector]:
    """Return the unit vectors forwards and to the left after a turn about z."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([cos, sin, 0], np.float32), np.array([-sin, cos, 0], np.float32)


def _raised(joint: Vector, lift_m: float) -> Vector:
    return joint + np.array([0, 0, lift_m], np.float32)

"""The surfaces of a dressed body in a pose: trunk, legs, arms, head, hair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from records import FloatArray
from synth.cloth import folds, pattern
from synth.people import Cloth, Person
from synth.render_people_pose import Arm, Leg, Pose, Vector
from synth.surfaces import Surface, Tube, tube

_FRONT = np.pi / 2
_UP = np.array([0, 0, 1], np.float32)


def body_surfaces(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    """Return the surfaces of the person without what they carry, in the frame of `Pose`."""
    surfaces = _trunk(person, pose, points_per_m)
    for side, leg in enumerate(pose.legs):
        surfaces += _leg(person, pose, leg, person.seed + 11 * (side + 1), points_per_m)
    for side, arm in enumerate(pose.arms):
        surfaces += _arm(person, pose, arm, person.seed + 101 * (side + 1), points_per_m)
    if "skirt" in person.bottom.kind and person.top.kind != "dress":
        surfaces.append(_skirt(person, pose, points_per_m))
    return surfaces + head_surfaces(person, pose, points_per_m)


def _trunk(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    """Return the top down to its hem, a coat's skirts included, the seat of the trousers, and the neck."""
    body, top, tall = person.body, person.top, person.body.height_m
    wide, deep, hips = _widths(person)
    loose = top.cloth.looseness_m
    shoulders = 0.1 * tall * body.shoulders
    belly = 0.018 * tall * body.belly * body.girth
    ahead = pose.chest_forward
    below, below_radii = _below_hips(person, pose, top.cloth, max(top.hem, 0.06))
    path = [
        *below[::-1],
        pose.pelvis,
        pose.waist + 0.5 * belly * ahead,
        0.5 * (pose.waist + pose.chest) + 0.3 * belly * ahead,
        pose.chest,
        0.4 * pose.chest + 0.6 * pose.neck,
        pose.neck - 0.004 * tall * _UP,
        pose.neck + 0.012 * tall * _UP,
    ]
    radii = np.array(
        [
            [hips, deep * 1.14],
            [wide * 0.95, deep + belly],
            [wide, deep * 1.05 + 0.7 * belly],
            [0.5 * (wide * 1.08 + shoulders), deep * 1.12],
            [shoulders, deep * 0.94],
            [shoulders * 0.74, deep * 0.7],
            [0.037 * tall, 0.035 * tall],
        ]
    )
    radii[:5] += loose
    all_radii = np.concatenate([below_radii[::-1], radii])
    forward = ahead + pose.pelvis_forward
    relief = folds(top.cloth, person.seed, hanging=0.6 if top.hem > 0.22 else 0.0)
    trunk = tube(path, all_radii, forward, points_per_m=points_per_m, relief=relief, squareness=0.1)
    seat_path = [pose.pelvis - share * tall * _UP for share in (0.075, 0.035, 0.0)] + [pose.waist]
    seat_radii = [[hips * 0.5, deep * 0.6], [hips * 0.92, deep * 1.08], [hips * 0.98, deep * 1.12], [wide * 0.9, deep]]
    seat = tube(seat_path, seat_radii, forward, points_per_m=points_per_m)
    neck_path = [pose.neck - 0.01 * tall * _UP, pose.head - 0.04 * tall * _UP]
    neck = tube(neck_path, [0.036 * tall, 0.033 * tall], forward, points_per_m=points_per_m)
    return [
        _worn_top(person, trunk, hips_z=float(pose.pelvis[2])),
        seat.coloured(pattern(person.bottom.cloth, _from_top(seat), person.seed + 9)),
        neck.coloured(body.skin),
    ]


def _worn_top(person: Person, trunk: Tube, *, hips_z: float) -> Surface:
    """Return the trunk in the top's colours; where a jacket stands open it shows the inner, below the hips nothing."""
    top = person.top
    turned = _from_top(trunk)
    colours = pattern(top.cloth, turned, person.seed, is_trunk=True)
    from_front = np.abs(trunk.around - np.float32(_FRONT))
    if not top.opening:
        if top.kind in ("shirt", "jacket", "coat"):
            colours *= (1 - 0.2 * np.exp(-((from_front / 0.05) ** 2)))[..., None]
        return trunk.coloured(colours)
    edge = from_front - np.float32(top.opening) * (0.75 + 0.5 * turned.share)
    inner = pattern(top.inner, turned, person.seed + 5, is_trunk=True)
    colours = colours + (inner - colours) * np.clip(-edge * 12, 0, 1)[..., None]
    colours *= (1 - 0.35 * np.exp(-((edge / 0.06) ** 2)))[..., None]
    return _kept(trunk, (edge > 0) | (trunk.points[..., 2] > hips_z - 0.06), colours)


def _widths(person: Person) -> tuple[float, float, float]:
    """Return half of the waist's width, half of the trunk's depth, half of the hips' width, metres."""
    body = person.body
    stout = body.height_m * body.girth
    return 0.086 * stout, 0.061 * stout, 0.092 * body.height_m * body.hips * (0.55 + 0.45 * body.girth)


def _below_hips(person: Person, pose: Pose, cloth: Cloth, length: float) -> tuple[list[Vector], FloatArray]:
    """Return path and radii of what hangs from the pelvis: ``length`` is its share of the leg's length."""
    _, deep, hips = _widths(person)
    knees = 0.5 * (pose.legs[0].knee + pose.legs[1].knee)
    ankles = 0.5 * (pose.legs[0].ankle + pose.legs[1].ankle)
    steps = np.linspace(0, length, 4)[1:] if length > 0.2 else np.array([length])
    path = [
        pose.pelvis + (knees - pose.pelvis) * min(step / 0.5, 1.0) + (ankles - knees) * max(step / 0.5 - 1, 0.0)
        for step in steps
    ]
    # Cloth hangs over both thighs: it reaches as far forwards and backwards as they do.
    stride = float(abs(pose.legs[0].knee[0] - pose.legs[1].knee[0])) * 0.5
    spread = cloth.looseness_m * (1 + 1.2 * steps)
    radii = np.stack(
        [hips * (1.03 + 0.05 * steps) + spread, deep * 1.16 + spread + stride * np.minimum(steps / 0.5, 1.25)], axis=1
    )
    return path, radii.astype(np.float32)


def _skirt(person: Person, pose: Pose, points_per_m: float) -> Surface:
    wide, deep, hips = _widths(person)
    cloth = person.bottom.cloth
    below, below_radii = _below_hips(person, pose, cloth, person.bottom.length)
    radii = np.concatenate([[[wide * 0.92, deep], [hips + 0.004, deep * 1.14]], below_radii])
    relief = folds(cloth, person.seed + 21, hanging=0.8)
    hanging = tube(
        [pose.waist, pose.pelvis, *below], radii, pose.pelvis_forward, points_per_m=points_per_m, relief=relief
    )
    return hanging.coloured(pattern(cloth, hanging, person.seed + 21))


def _leg(person: Person, pose: Pose, leg: Leg, seed: int, points_per_m: float) -> list[Surface]:
    body, bottom, tall = person.body, person.bottom, person.body.height_m
    forward = pose.pelvis_forward
    thick = 0.55 + 0.45 * body.girth
    hip = leg.hip + (leg.hip - leg.knee) * 0.06
    path = [hip, 0.5 * (leg.hip + leg.knee), leg.knee, 0.65 * leg.knee + 0.35 * leg.ankle, leg.ankle]
    bare = np.array([0.046, 0.043, 0.032, 0.033, 0.021], np.float32) * np.float32(tall * thick)
    covered = 1.0 if "skirt" not in bottom.kind else 0.0
    loose = bottom.cloth.looseness_m * covered
    flare = {"wide": np.array([0, 0.2, 0.9, 1.4, 2.2]), "trousers": np.array([0, 0.3, 0.7, 0.9, 1.6])}
    dressed = bare + loose * flare.get(bottom.kind, np.array([0.3, 0.8, 1.0, 0.5, 0.3]))
    is_bare = bottom.kind == "shorts" or covered == 0
    covered_share = bottom.length if covered else 0.0
    shin = None
    if is_bare or bottom.length < 1:
        shin = tube(*_between(path, bare, max(0.0, covered_share - 0.06), 1.0), forward, points_per_m=points_per_m)
    surfaces = []
    if shin is not None:
        sock = shin.points[..., 2:] < leg.ankle[2] + 0.045 * tall
        surfaces.append(shin.coloured(np.where(sock, person.socks, np.asarray(person.body.skin)).astype(np.float32)))
    if covered:
        cut = _between(path, dressed, 0.0, bottom.length)
        cloth = tube(*cut, forward, points_per_m=points_per_m, relief=folds(bottom.cloth, seed))
        surfaces.append(cloth.coloured(pattern(bottom.cloth, cloth, person.seed + 9)))
    ahead = leg.toe - leg.ankle
    ahead[2] = 0
    ahead /= max(float(np.linalg.norm(ahead)), 1e-6)
    heel = leg.ankle - ahead * np.float32(0.028 * tall) - 0.02 * tall * _UP
    shoe = tube(
        [
            heel,
            0.7 * heel + 0.3 * leg.toe,
            0.3 * heel + 0.7 * leg.toe,
            leg.toe,
            leg.toe + ahead * np.float32(0.012 * tall),
        ],
        [
            [0.014 * tall, 0.018 * tall],
            [0.02 * tall, 0.03 * tall],
            [0.024 * tall, 0.02 * tall],
            [0.023 * tall, 0.014 * tall],
            [0.004, 0.004],
        ],
        [0, 0, 1],
        points_per_m=points_per_m,
    )
    sole = np.clip(-2.5 * shoe.normals[..., 2:] - 0.3, 0, 1) * 0.4
    surfaces.append(shoe.coloured(np.asarray(person.shoes, np.float32) * (1 - sole)))
    return surfaces


def _arm(person: Person, pose: Pose, arm: Arm, seed: int, points_per_m: float) -> list[Surface]:
    body, top, tall = person.body, person.top, person.body.height_m
    thick = 0.6 + 0.4 * body.girth
    inside = (arm.shoulder - pose.neck) * 0.2
    path = [
        arm.shoulder - 0.7 * inside + 0.012 * tall * _UP,
        arm.shoulder - 0.014 * tall * _UP,
        0.55 * arm.shoulder + 0.45 * arm.elbow,
        arm.elbow,
        0.5 * (arm.elbow + arm.wrist),
        arm.wrist,
    ]
    bare = np.array([0.006, 0.027, 0.029, 0.024, 0.024, 0.016], np.float32) * np.float32(tall * thick)
    dressed = bare + np.float32(top.cloth.looseness_m) * np.array([0.2, 0.5, 0.65, 0.7, 0.7, 0.7], np.float32)
    forward = pose.chest_forward + np.array([0, 0, 0.3], np.float32)
    surfaces = []
    if top.sleeve < 1:
        bare_from = max(0.0, top.sleeve - 0.06)
        skin = tube(*_between(path, bare, bare_from, 1.0), forward, points_per_m=points_per_m)
        surfaces.append(skin.coloured(body.skin))
    if top.sleeve > 0.1:
        sleeve = tube(
            *_between(path, dressed, 0.0, top.sleeve), forward, points_per_m=points_per_m, relief=folds(top.cloth, seed)
        )
        surfaces.append(sleeve.coloured(pattern(top.cloth, sleeve, person.seed)))
    hand = tube(
        [arm.wrist, 0.5 * (arm.wrist + arm.finger), arm.finger],
        [[0.014 * tall, 0.014 * tall], [0.015 * tall, 0.022 * tall], [0.006, 0.008]],
        forward,
        points_per_m=points_per_m,
    )
    return [*surfaces, hand.coloured(body.skin)]


def head_surfaces(person: Person, pose: Pose, points_per_m: float) -> list[Surface]:
    """Return the head with face, hair and hat."""
    tall = person.body.height_m
    unit = np.float32(0.064 * min(tall, 1.85))  # half of a head's height
    ahead = pose.head_forward
    up = np.array([0, 0, 1], np.float32)
    middle = pose.head
    skull = _egg(middle, ahead, unit, (0.68, 0.82), points_per_m)
    local = (skull.points - middle) / unit
    front, high = local @ ahead, local[..., 2]
    surfaces = [skull.coloured(_face(person, local, front, high, ahead))]
    style = person.hair_style
    if style != "bald" and person.hat in ("none", "cap", "brim"):
        grown = {"crop": 1.05, "short": 1.12, "bob": 1.17, "long": 1.16, "bun": 1.1, "tail": 1.1}[style]
        cap = _egg(
            middle + 0.06 * unit * up - 0.05 * unit * ahead, ahead, unit * np.float32(grown), (0.7, 0.82), points_per_m
        )
        where = (cap.points - middle) / unit
        hairline = where @ ahead * 1.05 - where[..., 2] * 0.85
        keep = (hairline < 0.18) & (where[..., 2] > (-0.35 if style != "bob" else -0.95))
        surfaces.append(_kept(cap, keep, _strands(person, cap)))
    surfaces += _long_hair(person, middle, ahead, up, unit, points_per_m)
    return surfaces + _hat(person, pose, middle, ahead, up, unit, points_per_m)


def _face(person: Person, local: FloatArray, front: FloatArray, high: FloatArray, ahead: Vector) -> FloatArray:
    """Return the (V, T, 3) colours of the skull: skin, eyes, mouth, beard, and hair where it grows short."""
    skin = np.asarray(person.body.skin, np.float32)
    side = np.abs(local @ np.array([-ahead[1], ahead[0], 0], np.float32))
    colours: FloatArray = np.broadcast_to(skin, local.shape).copy()
    colours *= 1 - 0.04 * np.clip(-high, 0, 1)[..., None]
    is_front = front > 0.3
    eyes = is_front & (np.abs(high - 0.08) < 0.09) & (np.abs(side - 0.3) < 0.14)
    mouth = is_front & (np.abs(high + 0.48) < 0.06) & (side < 0.24)
    colours[eyes] *= 0.5
    colours[mouth] *= np.array([0.82, 0.6, 0.6], np.float32)
    if person.has_beard:
        colours[(front > -0.1) & (high < -0.3) & ~mouth] = np.asarray(person.hair, np.float32) * 1.1
    if person.hair_style != "bald":
        colours[(front * 1.05 - high * 0.85 < 0.02) & (high > -0.55)] = person.hair
    return colours


def _long_hair(
    person: Person, middle: Vector, ahead: Vector, up: Vector, unit: np.float32, points_per_m: float
) -> list[Surface]:
    if person.hair_style not in ("long", "bun", "tail"):
        return []
    back = middle - 0.75 * unit * ahead
    if person.hair_style == "bun":
        knot = _egg(
            back + 0.35 * unit * up - 0.25 * unit * ahead, ahead, unit * np.float32(0.42), (1.0, 0.9), points_per_m
        )
        return [knot.coloured(_strands(person, knot))]
    fall = (1.6 if person.hair_style == "long" else 1.5) + (person.seed % 7) * 0.2
    wide = 0.82 if person.hair_style == "long" else 0.24
    path = [
        middle + 0.5 * unit * up - 0.5 * unit * ahead,
        back - 0.1 * unit * up,
        back - fall * 0.6 * unit * up - 0.15 * unit * ahead,
        back - fall * unit * up - 0.15 * unit * ahead,
    ]
    radii = [
        [wide * unit, 0.3 * unit],
        [wide * unit, 0.42 * unit],
        [0.9 * wide * unit, 0.32 * unit],
        [0.5 * wide * unit, 0.12 * unit],
    ]
    fallen = tube(path, radii, ahead, points_per_m=points_per_m)
    return [fallen.coloured(_strands(person, fallen))]


def _hat(
    person: Person, pose: Pose, middle: Vector, ahead: Vector, up: Vector, unit: np.float32, points_per_m: float
) -> list[Surface]:
    if person.hat == "none":
        return []
    colour = np.asarray(person.hat_colour, np.float32)
    if person.hat == "scarf":
        wound = tube(
            [pose.neck - 0.2 * unit * up, pose.neck + 0.35 * unit * up, pose.neck + 0.8 * unit * up],
            [[1.0 * unit, 0.95 * unit], [0.98 * unit, 0.98 * unit], [0.7 * unit, 0.7 * unit]],
            ahead,
            points_per_m=points_per_m,
        )
        return [wound.coloured(colour)]
    size = {"hood": 1.3, "beanie": 1.17}.get(person.hat, 1.16)
    dome = _egg(
        middle + 0.08 * unit * up - 0.06 * unit * ahead, ahead, unit * np.float32(size), (0.74, 0.84), points_per_m
    )
    where = (dome.points - middle) / unit
    if person.hat == "hood":
        keep = (where @ ahead * 1.1 - where[..., 2] * 0.35 < 0.42) | (where[..., 2] < -0.95)
    else:
        keep = where[..., 2] > (0.3 if person.hat != "beanie" else 0.22) - 0.12 * (where @ ahead)
    surfaces = [_kept(dome, keep, np.broadcast_to(colour, dome.points.shape))]
    if person.hat in ("cap", "brim"):
        reach = (0.75, 1.45) if person.hat == "cap" else (1.35, 1.5)
        centre = middle + 0.38 * unit * up + (0.55 * unit * ahead if person.hat == "cap" else 0 * up)
        brim = tube(
            [centre, centre - 0.02 * unit * up, centre - 0.1 * unit * up],
            [
                [0.05 * unit, 0.05 * unit],
                [reach[0] * unit * 0.9, reach[0] * unit * 0.9],
                [reach[0] * unit, reach[0] * unit],
            ],
            ahead,
            points_per_m=points_per_m,
        )
        surfaces.append(
            Surface(
                brim.points.reshape(-1, 3),
                np.broadcast_to(up, brim.points.shape).reshape(-1, 3),
                brim.coloured(colour * 0.9).colours,
            )
        )
    return surfaces


def _egg(middle: Vector, ahead: Vector, unit: np.float32, shape: tuple[float, float], points_per_m: float) -> Tube:
    """Return an egg, ``unit`` half of its height, the chin narrower than the crown."""
    level = np.cos(np.linspace(np.pi, 0, 9))
    ring = np.sqrt(np.clip(1 - level**2, 0, 1)) * (1 + 0.1 * level)
    path = middle + np.stack([np.zeros(9), np.zeros(9), level], axis=1) * unit
    path += np.outer(np.clip(-level, 0, 1) * 0.1 * unit, ahead)
    return tube(path, np.stack([ring * shape[0], ring * shape[1]], axis=1) * unit, ahead, points_per_m=points_per_m)


def _strands(person: Person, hair: Tube) -> FloatArray:
    """Return the (V, T, 3) colours of hair."""
    streaks = np.sin(hair.around * 23 + person.seed % 5) + np.sin(hair.around * 41 + hair.along * 30)
    result: FloatArray = np.asarray(person.hair, np.float32) * (1 + 0.09 * streaks[..., None])
    return result


def _kept(whole: Tube, keep: NDArray[np.bool_], colours: FloatArray) -> Surface:
    """Return the part of a surface where ``keep`` (V, T) is true."""
    return Surface(whole.points[keep], whole.normals[keep], np.ascontiguousarray(colours[keep], np.float32))


def _between(path: list[Vector], radii: FloatArray, start: float, end: float) -> tuple[FloatArray, FloatArray]:
    """Return the part of a limb between two shares of its length: (K, 3) path and (K,) radii."""
    points = np.asarray(path, np.float32)
    reach = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    reach /= reach[-1]
    inner = reach[(reach > start + 0.01) & (reach < end - 0.01)]
    at = np.concatenate([[start], inner, [end]])
    cut = np.stack([np.interp(at, reach, points[:, axis]) for axis in range(3)], axis=1)
    return cut.astype(np.float32), np.interp(at, reach, radii).astype(np.float32)


def _from_top(whole: Tube) -> Tube:
    """Return a tube that was laid from the bottom up as seen from its top."""
    return Tube(
        points=whole.points,
        normals=whole.normals,
        along=whole.along[-1] - whole.along,
        share=1 - whole.share,
        around=whole.around,
        girth=whole.girth,
    )

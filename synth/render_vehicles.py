"""A vehicle's picture as a camera sees it: shaded polygons, far ones first."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from records import FloatArray, Image
from synth.cameras import Camera, Points
from synth.light import Light, to_display, to_linear
from synth.vehicles import Face, Vehicle, faces_of

_OVERSAMPLING = 2
_SUBPIXEL_BITS = 4
_LARGEST_PX = 1600
_NEAREST_M = 0.3


@dataclass(frozen=True, eq=False)
class VehicleSprite:
    """What is pasted.

    Attributes
    ----------
    image_rgb : (H, W, 3) uint8; alpha : (H, W) uint8.
    left, top : where it lies in the camera's picture, pixels.
    """

    image_rgb: Image
    alpha: Image
    left: int
    top: int


def render_vehicle(
    vehicle: Vehicle, camera: Camera, place_m: tuple[float, float], heading_rad: float, light: Light
) -> VehicleSprite | None:
    """Render a vehicle that stands or drives in the world.

    Parameters
    ----------
    place_m, heading_rad : of its middle, in the world; heading counter-clockwise from +x.
    light : in the frame of the world.

    Returns
    -------
    None where part of it lies behind the lens, or where it is larger than can be drawn.
    """
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    eye = np.array(camera.position_m)
    faces = faces_of(vehicle)
    ends = np.cumsum([len(face.corners_m) for face in faces])
    placed = np.concatenate([face.corners_m for face in faces]) @ turn.T + [*place_m, 0]
    everywhere, depths = camera.project(placed)
    if depths.min() < _NEAREST_M:
        return None
    shown: list[tuple[int, float, Points, FloatArray, str]] = []
    for face, end in zip(faces, ends, strict=True):
        part = slice(end - len(face.corners_m), end)
        corners, pixels = placed[part], everywhere[part]
        normal = _normal(corners)
        away = corners.mean(axis=0) - eye
        if normal @ away >= 0:
            continue
        shown.append((face.layer, -float(np.linalg.norm(away)), pixels, _shade(face, normal, light), face.text))
    if not shown:
        return None
    everything = np.concatenate([pixels for _, _, pixels, _, _ in shown])
    low, high = np.floor(everything.min(axis=0)).astype(int) - 1, np.ceil(everything.max(axis=0)).astype(int) + 1
    width, height = (int(side) for side in high - low)
    if max(width, height) > _LARGEST_PX:
        return None
    image = np.zeros((height * _OVERSAMPLING, width * _OVERSAMPLING, 3), np.float32)
    alpha = np.zeros(image.shape[:2], np.float32)
    bodies = sorted((item for item in shown), key=lambda item: (item[0] > 1, item[0] if item[0] > 1 else 0, item[1]))
    for _, _, pixels, tone, text in bodies:
        _fill(image, alpha, (pixels - low) * _OVERSAMPLING, tone, text)
    _reflect(image, alpha)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    small = small / np.maximum(cover, 1e-3)[..., None]
    return VehicleSprite(
        (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8),
        (cover * 255 + 0.5).astype(np.uint8),
        int(low[0]),
        int(low[1]),
    )


def _normal(corners: Points) -> Points:
    """Return the unit normal by Newell's method, outwards for corners counter-clockwise from outside."""
    x, y, z = corners.T
    x1, y1, z1 = np.concatenate([corners[1:], corners[:1]]).T
    normal = np.array([y @ z1 - z @ y1, z @ x1 - x @ z1, x @ y1 - y @ x1])
    unit: Points = normal / max(float(np.linalg.norm(normal)), 1e-9)
    return unit


def _shade(face: Face, normal: Points, light: Light) -> FloatArray:
    facing = max(0.0, float(normal @ np.array(light.to_sun)))
    upward = 0.5 + 0.5 * float(normal[2])
    sky, ground = np.array(light.sky), np.array(light.ground)
    around = upward * sky + (1 - upward) * ground
    matt = to_linear(face.tone) * (facing * np.array(light.sun) + around)
    mirrored = (sky * 0.55 if normal[2] > 0.25 else ground * 0.25 + sky * 0.12) * (0.5 + 0.5 * abs(float(normal[0])))
    linear = matt * (1 - 0.5 * face.gloss) + mirrored * face.gloss * 0.6 + face.glow
    return to_display(linear.astype(np.float32))


def _fill(image: FloatArray, alpha: FloatArray, pixels: Points, tone: FloatArray, text: str) -> None:
    points = np.round(pixels * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(image, [points], tone.tolist(), cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.fillPoly(alpha, [points], 1.0, cv2.LINE_AA, _SUBPIXEL_BITS)
    if text and np.hypot(*(pixels[3] - pixels[0])) > 12:
        plate = np.ones((44, 208, 3), np.float32) * tone
        ink = (0.05, 0.05, 0.08) if tone.mean() > 0.35 else (0.95, 0.95, 0.95)
        cv2.putText(plate, text, (8, 36), cv2.FONT_HERSHEY_DUPLEX, 1.25, ink, 3, cv2.LINE_AA)
        corners = np.array([[0, 0], [0, 44], [208, 44], [208, 0]], np.float32)
        warp = cv2.getPerspectiveTransform(corners, pixels.astype(np.float32))
        size = (image.shape[1], image.shape[0])
        mask = cv2.warpPerspective(np.ones((44, 208), np.float32), warp, size, flags=cv2.INTER_AREA)[..., None]
        image[:] = image * (1 - mask) + cv2.warpPerspective(plate, warp, size, flags=cv2.INTER_AREA) * mask


def _reflect(image: FloatArray, alpha: FloatArray) -> None:
    """Lay a soft vertical change of brightness over the whole: light from above, dirt below."""
    height = image.shape[0]
    ramp = np.interp(np.arange(height), [0, 0.45 * height, height], [1.1, 1.0, 0.8]).astype(np.float32)
    image *= ramp[:, None, None]
    image *= alpha[..., None] > 0

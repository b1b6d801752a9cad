"""Draw surfaces as a pitched camera sees them: points into a depth buffer, shadows, ambient occlusion, light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from records import FloatArray
from synth.light import Light, shade, to_display, to_linear
from synth.surfaces import Surface

_FACING = -0.08  # points that look away by more than this are not drawn
_SHADOW_CELL_M = 0.03
_SHADOW_BIAS_M = 0.05


@dataclass(frozen=True, kw_only=True)
class Lens:
    """A camera that looks at the foot of what is drawn.

    Attributes
    ----------
    pitch_rad : how far it looks down; 0 is level, π/2 straight down.
    distance_m : from the thing; near ones show more perspective.
    px_per_m : pixels a metre takes at that distance.
    """

    pitch_rad: float
    distance_m: float
    px_per_m: float


@dataclass(frozen=True, eq=False)
class Sprite:
    """A rendered thing, cut out tightly.

    Attributes
    ----------
    image_rgb : (H, W, 3) float32 display values, 0 to 1; black where alpha is 0.
    alpha : (H, W) float32, 0 to 1.
    anchor_xy : pixel (may lie outside) of the point on the ground below the thing's middle.
    """

    image_rgb: FloatArray
    alpha: FloatArray
    anchor_xy: tuple[float, float]


def render_surface(surface: Surface, lens: Lens, light: Light) -> Sprite:
    """Draw a surface that stands around the origin of the view's frame.

    Parameters
    ----------
    surface : in the frame of the view: x towards the camera along the ground, y to the
        picture's right, z up. Its points should lie closer than a pixel, `oversampling` counted in.

    Raises
    ------
    ValueError
        when none of it faces the camera.
    """
    scale = oversampling(lens.px_per_m)
    seen = np.flatnonzero(_facing(surface, lens) > _FACING)
    if not len(seen):
        raise ValueError("a surface must face the camera somewhere")
    columns, rows, depth = _projected(surface.points[seen], lens, scale)
    left, top = int(np.floor(columns.min())) - scale, int(np.floor(rows.min())) - scale
    left, top = left - left % scale, top - top % scale
    width = _rounded(int(columns.max()) - left + 1 + scale, scale)
    height = _rounded(int(rows.max()) - top + 1 + scale, scale)
    pixel = (rows - top).astype(np.int64) * width + (columns - left).astype(np.int64)
    nearest = _nearest(pixel, depth, width * height).reshape(height, width)
    nearest = _without_pinholes(nearest)
    mask = nearest >= 0
    drawn = seen[nearest[mask]]
    depth_image = np.zeros((height, width), np.float32)
    depth_image[mask] = depth[nearest[mask]]
    openness = _openness(depth_image, mask, lens.px_per_m * scale)[mask]
    openness *= 0.72 + 0.28 * np.clip(surface.points[drawn, 2] / 0.25, 0, 1)  # the ground takes light from the feet
    lit = _lit(surface, drawn, light)
    linear = np.zeros((height, width, 3), np.float32)
    linear[mask] = shade(to_linear(surface.colours[drawn]), surface.normals[drawn], light, openness, lit)
    return _sprite(linear, mask.astype(np.float32), scale, (-left / scale, -top / scale))


def oversampling(px_per_m: float) -> int:
    """Return how many times finer than the picture is drawn, to smooth its edges."""
    return 3 if px_per_m < 30 else 2 if px_per_m < 110 else 1


def _facing(surface: Surface, lens: Lens) -> FloatArray:
    """Return (N,) cosines between the normals and the way to the camera."""
    camera = lens.distance_m * np.array([np.cos(lens.pitch_rad), 0, np.sin(lens.pitch_rad)], np.float32)
    to_camera = camera - surface.points
    to_camera /= np.linalg.norm(to_camera, axis=1, keepdims=True)
    result: FloatArray = np.einsum("nc,nc->n", surface.normals, to_camera)
    return result


def _projected(points: FloatArray, lens: Lens, scale: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return column, row (the origin at 0, 0) and metres towards the camera."""
    cos, sin = np.float32(np.cos(lens.pitch_rad)), np.float32(np.sin(lens.pitch_rad))
    towards = points[:, 0] * cos + points[:, 2] * sin
    upward = points[:, 2] * cos - points[:, 0] * sin
    zoom = np.float32(lens.px_per_m * scale * lens.distance_m) / (np.float32(lens.distance_m) - towards)
    return points[:, 1] * zoom, -upward * zoom, towards


def _nearest(cell: NDArray[np.int64], height: FloatArray, count: int) -> NDArray[np.int64]:
    """Return for each of ``count`` cells the point that lies highest in it, −1 where there is none."""
    low = float(height.min())
    level = ((height - low) * (65535 / max(float(height.max()) - low, 1e-6))).astype(np.uint16)
    order = np.argsort(level, kind="stable")  # a radix sort at 16 bits
    winners = np.full(count, -1, np.int64)
    winners[cell[order]] = order  # of repeated cells NumPy keeps the last
    return winners


def _without_pinholes(nearest: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fill single empty cells between two points."""
    filled = nearest.copy()
    for first, middle, last in (
        (nearest[:, :-2], filled[:, 1:-1], nearest[:, 2:]),
        (nearest[:-2], filled[1:-1], nearest[2:]),
    ):
        hole = (middle < 0) & (first >= 0) & (last >= 0)
        middle[hole] = first[hole]
    return filled


def _openness(depth: FloatArray, mask: NDArray[np.bool_], px_per_m: float) -> FloatArray:
    """Return (H, W), 1 where nothing near stands closer to the camera: ambient occlusion in the picture's plane."""
    weight = mask.astype(np.float32)
    result = np.ones_like(depth)
    for reach_m, strength in ((0.03, 0.3), (0.11, 0.4)):
        sigma = max(0.8, reach_m * px_per_m)
        around = cv2.GaussianBlur(depth * weight, (0, 0), sigma) / np.maximum(
            cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3
        )
        result *= 1 - strength * np.clip((around - depth) / (1.2 * reach_m), 0, 1)
    return result


def _lit(surface: Surface, drawn: NDArray[np.int64], light: Light) -> FloatArray:
    """Return (N,) how much sun falls on the drawn points: a depth buffer as the sun sees it."""
    if max(light.sun) < 0.03:
        return np.zeros(len(drawn), np.float32)
    sun = np.asarray(light.to_sun, np.float32)
    across = np.cross(sun, [0, 0, 1] if abs(sun[2]) < 0.95 else [1, 0, 0]).astype(np.float32)
    across /= np.linalg.norm(across)
    plane = np.stack([across, np.cross(sun, across), sun], axis=1)
    casting = surface.points[::3] @ plane
    low, high = casting.min(axis=0), casting.max(axis=0)
    columns = int((high[0] - low[0]) / _SHADOW_CELL_M) + 1
    rows = int((high[1] - low[1]) / _SHADOW_CELL_M) + 1

    def cell_of(points: FloatArray) -> NDArray[np.int64]:
        x = np.clip((points[:, 0] - low[0]) / _SHADOW_CELL_M, 0, columns - 1).astype(np.int64)
        y = np.clip((points[:, 1] - low[1]) / _SHADOW_CELL_M, 0, rows - 1).astype(np.int64)
        return y * columns + x

    winners = _nearest(cell_of(casting), casting[:, 2], rows * columns)
    height = np.where(winners >= 0, casting[winners, 2], np.float32(-9)).astype(np.float32).reshape(rows, columns)
    height = cv2.GaussianBlur(np.where(height < -8, casting[:, 2].min(), height), (3, 3), 0.7)
    receiving = surface.points[drawn] @ plane
    above = height.ravel()[cell_of(receiving)] - receiving[:, 2]
    result: FloatArray = 1 - np.clip((above - _SHADOW_BIAS_M) / 0.04, 0, 1)
    return result


def _sprite(linear: FloatArray, alpha: FloatArray, scale: int, anchor_xy: tuple[float, float]) -> Sprite:
    """Average the fine picture down and cut it tightly."""
    if scale > 1:
        size = (linear.shape[1] // scale, linear.shape[0] // scale)
        linear = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    linear, alpha = linear[top:bottom, left:right], alpha[top:bottom, left:right]
    image = to_display(linear / np.maximum(alpha, 1e-3)[..., None]) * (alpha > 0)[..., None]
    return Sprite(image.astype(np.float32), alpha.copy(), (anchor_xy[0] - float(left), anchor_xy[1] - float(top)))


def _rounded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple

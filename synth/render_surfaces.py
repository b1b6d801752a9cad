"""Draw surfaces as a pitched camera sees them: points into a depth buffer, shadows, ambient occlusion, light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from records import FloatArray
from synth.light import Light, shade, to_display, to_linear
from synth.surfaces import Surface

_FACING = -0.05  # points that look away by more than this are not drawn
_PINHOLE_M = 0.012
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
    heading_rad : where the thing's x axis points: 0 to the camera, π/2 to the picture's right, π away.
    """

    pitch_rad: float
    distance_m: float
    px_per_m: float
    heading_rad: float = 0.0


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
    """Draw a surface that stands around its origin.

    Parameters
    ----------
    surface : in a frame of its own: z up, the ground at z = 0, x where `Lens.heading_rad` says.
        Its points should lie closer than a pixel, `oversampling` counted in.
    light : in the frame of the view.

    Raises
    ------
    ValueError
        when none of it faces the camera.
    """
    scale = oversampling(lens.px_per_m)
    light = light.turned(lens.heading_rad)
    seen = np.flatnonzero(_facing(surface, lens) > _FACING * lens.distance_m)
    if not len(seen):
        raise ValueError("a surface must face the camera somewhere")
    columns, rows, depth = _projected(surface.points[seen], lens, scale)
    left, top = int(np.floor(columns.min())) - scale, int(np.floor(rows.min())) - scale
    left, top = left - left % scale, top - top % scale
    width = _rounded(int(columns.max()) - left + 1 + scale, scale)
    height = _rounded(int(rows.max()) - top + 1 + scale, scale)
    pixel = (rows - top).astype(np.int64) * width + (columns - left).astype(np.int64)
    nearest = _nearest(pixel, depth, width * height).reshape(height, width)
    nearest = _without_pinholes(nearest, depth)
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
    """Return (N,) how much the points look at the camera, in metres times the cosine."""
    level = np.cos(lens.pitch_rad)
    towards = np.array([level * np.cos(lens.heading_rad), -level * np.sin(lens.heading_rad), np.sin(lens.pitch_rad)])
    camera = (lens.distance_m * towards).astype(np.float32)
    result: FloatArray = surface.normals @ camera - np.einsum("nc,nc->n", surface.normals, surface.points)
    return result


def _projected(points: FloatArray, lens: Lens, scale: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return column, row (the origin at 0, 0) and metres towards the camera."""
    cos_heading, sin_heading = np.float32(np.cos(lens.heading_rad)), np.float32(np.sin(lens.heading_rad))
    cos, sin = np.float32(np.cos(lens.pitch_rad)), np.float32(np.sin(lens.pitch_rad))
    x, y, z = points.T
    ahead, right = x * cos_heading - y * sin_heading, x * sin_heading + y * cos_heading
    towards = ahead * cos + z * sin
    zoom = np.float32(lens.px_per_m * scale * lens.distance_m) / (np.float32(lens.distance_m) - towards)
    return right * zoom, (ahead * sin - z * cos) * zoom, towards


def _nearest(cell: NDArray[np.int64], height: FloatArray, count: int) -> NDArray[np.int64]:
    """Return for each of ``count`` cells the point that lies highest in it, −1 where there is none."""
    low = float(height.min())
    level = ((height - low) * (65535 / max(float(height.max()) - low, 1e-6))).astype(np.uint16)
    order = np.argsort(level, kind="stable")  # a radix sort at 16 bits
    winners = np.full(count, -1, np.int64)
    winners[cell[order]] = order  # of repeated cells NumPy keeps the last
    return winners


def _without_pinholes(nearest: NDArray[np.int64], depth: FloatArray) -> NDArray[np.int64]:
    """Fill single cells that are empty, or show something far behind, between two that are alike."""
    filled: NDArray[np.int64] = nearest.copy()
    for first, middle, last in (
        (np.s_[:, :-2], np.s_[:, 1:-1], np.s_[:, 2:]),
        (np.s_[:-2], np.s_[1:-1], np.s_[2:]),
    ):
        height = np.where(filled < 0, np.float32(-99), depth[filled])
        hole = height[middle] < np.minimum(height[first], height[last]) - _PINHOLE_M
        filled[middle] = np.where(hole, filled[first], filled[middle])
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
        cells: NDArray[np.int64] = y * columns + x
        return cells

    winners = _nearest(cell_of(casting), casting[:, 2], rows * columns)
    height = np.where(winners >= 0, casting[winners, 2], np.float32(-9)).astype(np.float32).reshape(rows, columns)
    height = np.where(height < -8, casting[:, 2].min(), height)
    height = np.asarray(cv2.GaussianBlur(height, (3, 3), 0.7), np.float32)
    receiving = surface.points[drawn] @ plane
    above = height.ravel()[cell_of(receiving)] - receiving[:, 2]
    result: FloatArray = 1 - np.clip((above - _SHADOW_BIAS_M) / 0.04, 0, 1)
    return result


def _sprite(linear: FloatArray, alpha: FloatArray, scale: int, anchor_xy: tuple[float, float]) -> Sprite:
    """Average the fine picture down and cut it tightly."""
    if scale > 1:
        size = (linear.shape[1] // scale, linear.shape[0] // scale)
        linear, alpha = (
            np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA), np.float32) for layer in (linear, alpha)
        )
    else:
        linear, alpha = (np.asarray(cv2.GaussianBlur(layer, (3, 3), 0.55), np.float32) for layer in (linear, alpha))
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    linear, alpha = linear[top:bottom, left:right], alpha[top:bottom, left:right]
    whole: FloatArray = linear / np.maximum(alpha, np.float32(1e-3))[..., None]
    image = to_display(whole) * (alpha > 0)[..., None]
    return Sprite(image.astype(np.float32), alpha.copy(), (anchor_xy[0] - float(left), anchor_xy[1] - float(top)))


def _rounded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple

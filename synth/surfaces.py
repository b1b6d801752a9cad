"""Surfaces made of rings: tubes along a path, from a finger to a coat, as clouds of points dense enough to draw.

Metres; the frame is whatever the path's is. Angles around a tube are 0 at its left side and π/2 at its front.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from records import FloatArray

Relief = Callable[[FloatArray, FloatArray], FloatArray]
"""From metres along (V, 1) and radians around (1, T) to metres outwards (V, T)."""


@dataclass(frozen=True, eq=False)
class Surface:
    """Points of a surface, with what light needs to know of them.

    Attributes
    ----------
    points, normals : (N, 3) float32; normals point outwards, of unit length.
    colours : (N, 3) float32 display values, 0 to 1.
    """

    points: FloatArray
    normals: FloatArray
    colours: FloatArray


@dataclass(frozen=True, eq=False)
class Tube:
    """The grid of a tube, before it is coloured.

    Attributes
    ----------
    points, normals : (V, T, 3) float32.
    along : (V, 1) metres from the path's start; share : (V, 1) the same from 0 to 1.
    around : (1, T) radians.
    girth : (V, 1) metres, mean radius of a ring.
    """

    points: FloatArray
    normals: FloatArray
    along: FloatArray
    share: FloatArray
    around: FloatArray
    girth: FloatArray

    def coloured(self, colours: ArrayLike) -> Surface:
        """Return the surface in one colour (3,) or in one for each point (V, T, 3)."""
        whole = np.broadcast_to(np.asarray(colours, np.float32), self.points.shape)
        return Surface(self.points.reshape(-1, 3), self.normals.reshape(-1, 3), whole.reshape(-1, 3))


def tube(
    path: ArrayLike,
    radii: ArrayLike,
    forward: ArrayLike,
    *,
    points_per_m: float,
    relief: Relief | None = None,
    squareness: float = 0.0,
) -> Tube:
    """Lay rings along a smooth curve.

    Parameters
    ----------
    path : (K, 3) where the curve goes through, K ≥ 2.
    radii : (K, 2) sideways and forwards, or (K, 1) or (K,) for circles.
    forward : (3,) which side is the front; not along the path.
    points_per_m : how dense the points lie.
    squareness : 0 gives ellipses, towards 1 boxes with round edges.
    """
    knots = _knots(path, radii)
    steps = np.linalg.norm(np.diff(knots, axis=0), axis=1) + 1e-6
    reach = np.concatenate([[0.0], np.cumsum(steps)])
    count = int(np.clip(np.ceil(reach[-1] * points_per_m), 4, 4096))
    along = np.linspace(0, reach[-1], count)
    curve = _hermite(knots, np.interp(along, reach, np.arange(len(knots))))
    centres, radius = curve[:, :3], np.maximum(curve[:, 3:], 1e-4)
    sideways, front = _frames(centres, np.asarray(forward, np.float32))
    turns = int(np.clip(np.ceil(2 * np.pi * float(radius.max()) * points_per_m), 6, 4096))
    around = np.linspace(0, 2 * np.pi, turns, endpoint=False, dtype=np.float32)
    cos, sin = np.cos(around), np.sin(around)
    if squareness:
        stretch = (np.abs(cos) ** (2 / (1 - squareness)) + np.abs(sin) ** (2 / (1 - squareness))) ** (
            (squareness - 1) / 2
        )
        cos, sin = cos * stretch, sin * stretch
    along_column, around_row = along[:, None].astype(np.float32), around[None]
    left, ahead = radius[:, :1] * cos, radius[:, 1:] * sin
    if relief is not None:
        grown = 1 + relief(along_column, around_row) / np.maximum(radius.mean(axis=1, keepdims=True), 0.01)
        left, ahead = left * grown, ahead * grown
    points = centres[:, None] + left[..., None] * sideways[:, None] + ahead[..., None] * front[:, None]
    grid: FloatArray = points.astype(np.float32)
    return Tube(
        points=grid,
        normals=_normals(grid, centres),
        along=along_column,
        share=along_column / np.float32(reach[-1]),
        around=around_row,
        girth=radius.mean(axis=1, keepdims=True).astype(np.float32),
    )


def joined(surfaces: list[Surface]) -> Surface:
    """Return all surfaces as one."""
    return Surface(
        np.concatenate([one.points for one in surfaces]),
        np.concatenate([one.normals for one in surfaces]),
        np.concatenate([one.colours for one in surfaces]),
    )


def _knots(path: ArrayLike, radii: ArrayLike) -> NDArray[np.float32]:
    """Return (K, 5): position and both radii of each ring that is given."""
    centres = np.asarray(path, np.float32)
    sizes = np.asarray(radii, np.float32).reshape(len(centres), -1)
    if centres.ndim != 2 or centres.shape[1] != 3 or len(centres) < 2 or sizes.shape[1] not in (1, 2):
        raise ValueError(f"path must be (K, 3) and radii (K, 2), K at least 2, not {centres.shape} and {sizes.shape}")
    return np.concatenate([centres, np.broadcast_to(sizes, (len(centres), 2))], axis=1)


def _hermite(knots: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the Catmull-Rom curve through ``knots`` at the parameters 0 to K − 1."""
    slopes = np.gradient(knots, axis=0) * np.float32(0.8)
    start = np.minimum(at.astype(np.int64), len(knots) - 2)
    t = (at - start).astype(np.float32)[:, None]
    t2, t3 = t * t, t * t * t
    result: NDArray[np.float32] = (
        (2 * t3 - 3 * t2 + 1) * knots[start]
        + (t3 - 2 * t2 + t) * slopes[start]
        + (3 * t2 - 2 * t3) * knots[start + 1]
        + (t3 - t2) * slopes[start + 1]
    )
    return result


def _frames(centres: FloatArray, forward: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (V, 3) unit vectors to the left and to the front, both square to the curve."""
    tangents = np.gradient(centres, axis=0)
    length = np.linalg.norm(tangents, axis=1, keepdims=True)
    whole = centres[-1] - centres[0]
    # Where only the radius changes (a cap) the curve stands still; take the direction of the whole.
    tangents = np.where(
        length > 1e-6, tangents / np.maximum(length, 1e-6), whole / max(float(np.linalg.norm(whole)), 1e-6)
    )
    front = forward - (tangents @ forward)[:, None] * tangents
    front /= np.maximum(np.linalg.norm(front, axis=1, keepdims=True), 1e-6)
    upward = -tangents if whole[2] < 0 else tangents
    return np.cross(upward, front).astype(np.float32), front.astype(np.float32)


def _normals(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Return the (V, T, 3) unit normals of a grid of points, away from the curve of its centres."""
    down = np.empty_like(points)
    down[1:-1] = points[2:] - points[:-2]
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    across = np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1)
    normals = np.empty_like(points)
    for axis, (first, second) in enumerate(((1, 2), (2, 0), (0, 1))):
        normals[..., axis] = down[..., first] * across[..., second] - down[..., second] * across[..., first]
    length = np.sqrt(np.einsum("vtc,vtc->vt", normals, normals))
    outwards = np.einsum("vtc,vtc->v", normals, points - centres[:, None])
    normals *= (np.where(outwards < 0, -1, 1)[:, None].astype(np.float32) / np.maximum(length, 1e-12))[..., None]
    return normals

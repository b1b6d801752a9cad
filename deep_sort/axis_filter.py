"""Kalman filters of boxes whose axes move independently: all tracks at once, time in seconds.

Centre x, centre y, width and height each have a position ``z`` and a speed
``v`` with a 2×2 covariance of their own, so that the filter is a handful of
elementwise operations. The speed is a random walk (white noise acceleration
of density q): a step's noise follows from its length, not from the frame rate.

    Q = q [[dt³/3, dt²/2], [dt²/2, dt]]

The noise grows with the height of the box, as in SORT and DeepSORT.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SIZE_HALF_LIFE_S = 0.3  # the size of a track that is not seen soon stops changing
_STATE = ("z", "v", "pzz", "pzv", "pvv")


@dataclass(frozen=True, kw_only=True)
class MotionNoise:
    """How people move and how detectors err: standard deviations as shares of the height of the box.

    Attributes
    ----------
    position, size : of a measured centre and of a measured side.
    acceleration, size_acceleration : of the speed gained in one second.
    start_speed, start_growth : of the unknown speed of a new track, a second.

    Raises
    ------
    ValueError
        for values that are not finite and above 0.
    """

    position: float = 0.1
    size: float = 0.12
    acceleration: float = 0.6
    size_acceleration: float = 0.15
    start_speed: float = 0.7
    start_growth: float = 0.2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{field.name} must be above 0, not {value}")


class AxisFilter:
    """The states of T tracks.

    Attributes
    ----------
    z : (T, 4) float64 centre x, centre y, width, height in pixels.
    v : (T, 4) their speeds, pixels a second.
    pzz, pzv, pvv : (T, 4) the covariances of each axis' ``(z, v)``.
    """

    z: Floats
    v: Floats
    pzz: Floats
    pzv: Floats
    pvv: Floats

    def __init__(self, noise: MotionNoise) -> None:
        self._measured = np.array([noise.position, noise.position, noise.size, noise.size])
        self._driving = np.array([noise.acceleration] * 2 + [noise.size_acceleration] * 2)
        self._starting = np.array([noise.start_speed] * 2 + [noise.start_growth] * 2)
        for name in _STATE:
            setattr(self, name, np.zeros((0, 4)))

    def __len__(self) -> int:
        return len(self.z)

    def keep(self, chosen: Mask) -> None:
        """Drop all tracks but those ``chosen``, (T,) bool."""
        for name in _STATE:
            setattr(self, name, getattr(self, name)[chosen])

    def start(self, z: Floats) -> None:
        """Append tracks that stand still at the measurements ``z`` (N, 4)."""
        heights, still = z[:, 3:], np.zeros_like(z)
        begun = (z, still, (heights * self._measured) ** 2, still, (heights * self._starting) ** 2)
        for name, rows in zip(_STATE, begun, strict=True):
            setattr(self, name, np.concatenate([getattr(self, name), rows]))

    def predict(self, seconds: float, is_coasting: Mask) -> None:
        """Move all tracks on; the sizes of those that were not seen in the last frame come to rest.

        Parameters
        ----------
        is_coasting : (T,) bool.
        """
        self.v[is_coasting, 2:] *= 0.5 ** (seconds / _SIZE_HALF_LIFE_S)
        self.z += self.v * seconds
        np.maximum(self.z[:, 2:], 1.0, out=self.z[:, 2:])
        density = (self.z[:, 3:] * self._driving) ** 2
        self.pzz += seconds * (2 * self.pzv + seconds * self.pvv) + density * (seconds**3 / 3)
        self.pzv += seconds * self.pvv + density * (seconds**2 / 2)
        self.pvv += density * seconds

    def warp(self, affine: Floats) -> None:
        """Follow the camera.

        Parameters
        ----------
        affine : (2, 3) similarity that carries points of the last frame to this one.
        """
        linear = affine[:, :2]
        scale = math.sqrt(abs(float(np.linalg.det(linear))))
        self.z[:, :2] = self.z[:, :2] @ linear.T + affine[:, 2]
        self.v[:, :2] = self.v[:, :2] @ linear.T
        self.z[:, 2:] *= scale
        self.v[:, 2:] *= scale
        for covariance in (self.pzz, self.pzv, self.pvv):
            covariance *= scale**2

    def squared_distances(self, z: Floats) -> Floats:
        """Return the (T, N) squared Mahalanobis distances to the measurements ``z`` (N, 4)."""
        spread = self.pzz + (self.z[:, 3:] * self._measured) ** 2
        off = z[None] - self.z[:, None]
        distances: Floats = np.einsum("tnk,tnk,tk->tn", off, off, 1 / spread)
        return distances

    def update(self, rows: Indices, z: Floats) -> None:
        """Correct the tracks of ``rows`` (K,), each at most once, by the measurements ``z`` (K, 4)."""
        pzz, pzv = self.pzz[rows], self.pzv[rows]
        spread = pzz + (self.z[rows, 3:] * self._measured) ** 2
        gain, speed_gain = pzz / spread, pzv / spread
        off = z - self.z[rows]
        self.z[rows] += gain * off
        self.v[rows] += speed_gain * off
        self.pzz[rows] = (1 - gain) * pzz
        self.pzv[rows] = (1 - gain) * pzv
        self.pvv[rows] -= speed_gain * pzv
        self.z[rows, 2:] = np.maximum(self.z[rows, 2:], 1.0)


def xyxy_to_cxcywh(boxes_xyxy: Floats) -> Floats:
    """Return (N, 4) boxes as centre x, centre y, width, height."""
    return np.concatenate([(boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2, boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]], axis=1)


def cxcywh_to_xyxy(boxes_cxcywh: Floats) -> Floats:
    """Return (N, 4) boxes as left, top, right, bottom."""
    half = boxes_cxcywh[:, 2:] / 2
    return np.concatenate([boxes_cxcywh[:, :2] - half, boxes_cxcywh[:, :2] + half], axis=1)

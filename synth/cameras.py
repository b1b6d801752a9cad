"""Pinhole cameras with a lens, calibrated exactly: from metres to pixels and back.

The world is in metres: x and y on the ground, z up. A camera that looks along
+y has yaw 90°. Pixels are (x, y) with (0, 0) at the outer corner of the first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records import FloatArray

Points = NDArray[np.float64]

_NEAREST_M = 0.05
_UNDISTORT_ROUNDS = 8


@dataclass(frozen=True)
class Camera:
    """One calibrated camera.

    Attributes
    ----------
    position_m : x, y, z of the lens.
    yaw_rad : direction of view in plan, counter-clockwise from +x.
    pitch_rad : how far it looks down; 0 is level.
    roll_rad : about the axis of view, clockwise.
    focal_px : focal length in pixels.
    k1, k2 : radial distortion, r' = r (1 + k1 r² + k2 r⁴) with r in focal lengths (Brown's model).
    """

    name: str
    position_m: tuple[float, float, float]
    yaw_rad: float
    pitch_rad: float
    focal_px: float
    width: int
    height: int
    roll_rad: float = 0.0
    k1: float = 0.0
    k2: float = 0.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or self.focal_px <= 0:
            raise ValueError(f"size and focal length must be positive, not {self.width}×{self.height}, {self.focal_px}")

    @property
    def rotation(self) -> Points:
        """Return (3, 3): the rows are the camera's right, down and forward in the world."""
        yaw, pitch, roll = self.yaw_rad, self.pitch_rad, self.roll_rad
        forward = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), -np.sin(pitch)])
        right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
        down = np.cross(forward, right)
        turned = np.cos(roll) * right + np.sin(roll) * down
        return np.stack([turned, np.cross(forward, turned), forward])

    def project(self, points_m: Points) -> tuple[Points, Points]:
        """Return (N, 2) pixels and (N,) depths in metres along the axis of view.

        Pixels of points that are not in front of the lens are NaN.
        """
        local = (np.asarray(points_m, np.float64).reshape(-1, 3) - np.array(self.position_m)) @ self.rotation.T
        depths = local[:, 2]
        safe = np.where(depths > _NEAREST_M, depths, np.nan)
        flat = local[:, :2] / safe[:, None]
        square = (flat**2).sum(axis=1, keepdims=True)
        bent = flat * (1 + self.k1 * square + self.k2 * square**2)
        return bent * self.focal_px + np.array([self.width / 2, self.height / 2]), depths

    def directions(self, pixels: Points) -> Points:
        """Return (N, 3) directions in the world whose part along the axis of view is 1.

        The lens is undone by fixed-point iteration.
        """
        bent = (np.asarray(pixels, np.float64).reshape(-1, 2) - [self.width / 2, self.height / 2]) / self.focal_px
        flat = bent
        if self.k1 or self.k2:
            for _ in range(_UNDISTORT_ROUNDS):
                square = (flat**2).sum(axis=1, keepdims=True)
                flat = bent / (1 + self.k1 * square + self.k2 * square**2)
        return np.concatenate([flat, np.ones((len(flat), 1))], axis=1) @ self.rotation

    def ground(self, pixels: Points) -> Points:
        """Return the (N, 2) places on the ground that pixels show; NaN at and above the horizon."""
        rays = self.directions(pixels)
        falling = np.where(rays[:, 2] < -1e-9, rays[:, 2], np.nan)
        places: Points = np.array(self.position_m[:2]) - rays[:, :2] * (self.position_m[2] / falling)[:, None]
        return places

    def pixels_per_metre(self, points_m: Points) -> FloatArray:
        """Return (N,) how many pixels a metre across the view covers there."""
        scale: FloatArray = (self.focal_px / np.maximum(self.project(points_m)[1], _NEAREST_M)).astype(np.float32)
        return scale

    def elevation_rad(self, points_m: Points) -> FloatArray:
        """Return (N,) the angle at which points are looked down upon."""
        away = np.asarray(points_m, np.float64).reshape(-1, 3) - np.array(self.position_m)
        angles: FloatArray = np.arctan2(-away[:, 2], np.hypot(away[:, 0], away[:, 1])).astype(np.float32)
        return angles

    def azimuth_rad(self, points_m: Points) -> FloatArray:
        """Return (N,) the direction in plan from the lens to points."""
        away = np.asarray(points_m, np.float64).reshape(-1, 3) - np.array(self.position_m)
        angles: FloatArray = np.arctan2(away[:, 1], away[:, 0]).astype(np.float32)
        return angles

    def pixel_grid(self) -> Points:
        """Return (height · width, 2) the centres of all pixels, row by row."""
        y, x = np.mgrid[: self.height, : self.width]
        return np.stack([x.ravel() + 0.5, y.ravel() + 0.5], axis=1)

    def to_json(self) -> dict[str, Any]:
        """Return the calibration with its matrices, for a file."""
        intrinsics = [[self.focal_px, 0.0, self.width / 2], [0.0, self.focal_px, self.height / 2], [0.0, 0.0, 1.0]]
        return {**asdict(self), "intrinsics": intrinsics, "rotation": self.rotation.tolist()}


def places_on_ground(places_m: Points) -> Points:
    """Return (N, 3) points for (N, 2) places on the ground."""
    flat = np.asarray(places_m, np.float64).reshape(-1, 2)
    return np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)

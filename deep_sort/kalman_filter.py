"""The Kalman filter of all tracks at once: boxes that move with constant velocity.

The state is ``x, y, a, h`` (centre, aspect ratio, height) and their velocities
a frame; ``x, y, a, h`` are measured. The noise grows with the height, as in
the paper's code: a standard deviation of 1/20 of it in position and 1/160 in
velocity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CHI2INV95 = (3.8414588, 5.9914645, 7.8147279, 9.4877290, 11.070498, 12.591587, 14.067140, 15.507313, 16.918978)
"""The 0.95 quantile of the chi-square distribution with 1, 2, …, 9 degrees of freedom."""

GATE = CHI2INV95[3]
"""Squared Mahalanobis distance (4 degrees of freedom) beyond which a box is not the track's."""

_POSITION_WEIGHT = 1 / 20
_VELOCITY_WEIGHT = 1 / 160
_MIN_HEIGHT_PX = 1.0  # keeps the covariances regular for boxes of next to no height

# Standard deviations are `_BY_HEIGHT * height + _FIXED`, here for x, y, a, h and their velocities.
_BY_HEIGHT = (
    np.array([1, 1, 0, 1, 0, 0, 0, 0]) * _POSITION_WEIGHT + np.array([0, 0, 0, 0, 1, 1, 0, 1]) * _VELOCITY_WEIGHT
)
_START_BY_HEIGHT = _BY_HEIGHT * np.array([2, 2, 2, 2, 10, 10, 10, 10])
_FIXED = np.array([0, 0, 1e-2, 0, 0, 0, 1e-5, 0])
_MEASURED_BY_HEIGHT = _BY_HEIGHT[:4]
_MEASURED_FIXED = np.array([0, 0, 1e-1, 0])


def _variances(heights: Floats, by_height: Floats, fixed: Floats) -> Floats:
    deviations = np.maximum(heights, _MIN_HEIGHT_PX)[:, None] * by_height + fixed
    return deviations * deviations


def _add_to_diagonals(matrices: Floats, variances: Floats) -> None:
    size = matrices.shape[-1]
    matrices.reshape(-1, size * size)[:, :: size + 1] += variances


def initiate(measurements: Floats) -> tuple[Floats, Floats]:
    """Return the states of new tracks, at rest and uncertain about it.

    Parameters
    ----------
    measurements : (N, 4) float64 ``x, y, a, h``.

    Returns
    -------
    (N, 8) means and (N, 8, 8) covariances, float64.
    """
    means = np.concatenate([measurements, np.zeros_like(measurements)], axis=1)
    covariances = np.zeros((len(measurements), 8, 8))
    _add_to_diagonals(covariances, _variances(measurements[:, 3], _START_BY_HEIGHT, _FIXED))
    return means, covariances


def predict(means: Floats, covariances: Floats) -> tuple[Floats, Floats]:
    """Move the states one frame on: ``m ← F m``, ``P ← F P Fᵀ + Q``.

    A shrinking box stops shrinking before its size would become negative.

    Parameters
    ----------
    means : (T, 8) float64.
    covariances : (T, 8, 8) float64.

    Returns
    -------
    New arrays of the same shapes; the given ones are untouched.
    """
    moved, spread = means.copy(), covariances.copy()
    sizes, size_speeds = moved[:, 2:4], moved[:, 6:8]
    size_speeds[sizes + size_speeds <= 0] = 0
    moved[:, :4] += moved[:, 4:]
    # F is the identity with ones from each velocity to its position: rows, then columns, are added.
    spread[:, :4] += spread[:, 4:]
    spread[:, :, :4] += spread[:, :, 4:]
    _add_to_diagonals(spread, _variances(means[:, 3], _BY_HEIGHT, _FIXED))
    return moved, spread


def project(means: Floats, covariances: Floats) -> tuple[Floats, Floats]:
    """Return the expected measurements, (T, 4), and their covariances, (T, 4, 4), noise included."""
    expected = means[:, :4]
    innovation = covariances[:, :4, :4].copy()
    _add_to_diagonals(innovation, _variances(means[:, 3], _MEASURED_BY_HEIGHT, _MEASURED_FIXED))
    return expected, innovation


def update(means: Floats, covariances: Floats, measurements: Floats) -> tuple[Floats, Floats]:
    """Correct each state by its measurement: ``K = P Hᵀ S⁻¹``, ``m ← m + K (z − H m)``, ``P ← P − K H P``.

    Parameters
    ----------
    means : (T, 8) float64.
    covariances : (T, 8, 8) float64.
    measurements : (T, 4) float64 ``x, y, a, h``, one a state.

    Returns
    -------
    New arrays of the same shapes; the given ones are untouched.
    """
    expected, innovation = project(means, covariances)
    transposed_gain = np.linalg.solve(innovation, covariances[:, :4])
    corrected = means + ((measurements - expected)[:, None] @ transposed_gain)[:, 0]
    narrowed = covariances - covariances[:, :, :4] @ transposed_gain
    narrowed = (narrowed + narrowed.transpose(0, 2, 1)) / 2  # rounding must not make it lopsided over a long video
    return corrected, narrowed


def squared_gating_distances(means: Floats, covariances: Floats, measurements: Floats) -> Floats:
    """Return the (T, N) squared Mahalanobis distances between states and measurements.

    Parameters
    ----------
    means : (T, 8) float64.
    covariances : (T, 8, 8) float64.
    measurements : (N, 4) float64 ``x, y, a, h``.
    """
    expected, innovation = project(means, covariances)
    residuals = measurements[None] - expected[:, None]
    distances: Floats = np.einsum("tni,tni->tn", residuals @ np.linalg.inv(innovation), residuals)
    return distances

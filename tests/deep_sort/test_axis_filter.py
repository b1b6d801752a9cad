"""The Kalman filter of independent axes, compared with the textbook's matrices."""

from __future__ import annotations

import numpy as np
import pytest

from deep_sort.axis_filter import AxisFilter, MotionNoise, cxcywh_to_xyxy, xyxy_to_cxcywh

NOISE = MotionNoise()
MEASURED = np.array([NOISE.position, NOISE.position, NOISE.size, NOISE.size])
DRIVING = np.array([NOISE.acceleration, NOISE.acceleration, NOISE.size_acceleration, NOISE.size_acceleration])
STARTING = np.array([NOISE.start_speed, NOISE.start_speed, NOISE.start_growth, NOISE.start_growth])


class PlainFilter:
    """One track as four textbook filters with 2×2 matrices."""

    def __init__(self, z: np.ndarray) -> None:
        self.x = np.stack([z, np.zeros(4)], axis=1)
        self.p = [np.diag([(z[3] * MEASURED[k]) ** 2, (z[3] * STARTING[k]) ** 2]) for k in range(4)]

    def predict(self, dt: float) -> None:
        f = np.array([[1, dt], [0, 1]])
        self.x = self.x @ f.T
        for k in range(4):
            q = (self.x[3, 0] * DRIVING[k]) ** 2 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
            self.p[k] = f @ self.p[k] @ f.T + q

    def spread(self) -> np.ndarray:
        return np.array([self.p[k][0, 0] + (self.x[3, 0] * MEASURED[k]) ** 2 for k in range(4)])

    def update(self, z: np.ndarray) -> None:
        spread, off = self.spread(), z - self.x[:, 0]
        for k in range(4):
            gain = self.p[k][:, 0] / spread[k]
            self.x[k] = self.x[k] + gain * off[k]
            self.p[k] = self.p[k] - np.outer(gain, self.p[k][0])


def test_all_tracks_at_once_equal_the_textbook() -> None:
    rng = np.random.default_rng(1)
    start = np.column_stack([rng.uniform(0, 500, (6, 2)), rng.uniform(20, 60, 6), rng.uniform(60, 200, 6)])
    fast, plain = AxisFilter(NOISE), [PlainFilter(z) for z in start]
    fast.start(start[:2])
    fast.start(start[2:])
    for step in range(12):
        dt = 0.04 * (1 + step % 3)
        fast.predict(dt, np.zeros(6, bool))
        rows = np.flatnonzero(rng.random(6) < 0.7)
        z = fast.z[rows] + rng.normal(0, 5, (len(rows), 4))
        for one in plain:
            one.predict(dt)
        expected = [[((m - one.x[:, 0]) ** 2 / one.spread()).sum() for m in z] for one in plain]
        np.testing.assert_allclose(fast.squared_distances(z), np.reshape(expected, (6, len(z))), rtol=1e-8)
        fast.update(rows, z)
        for row, m in zip(rows, z, strict=True):
            plain[row].update(m)
        np.testing.assert_allclose(fast.z, [one.x[:, 0] for one in plain], rtol=1e-8)
        np.testing.assert_allclose(fast.v, [one.x[:, 1] for one in plain], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(fast.pvv, [[p[1, 1] for p in one.p] for one in plain], rtol=1e-7)


def test_the_noise_of_a_step_depends_on_its_length_and_not_on_the_frame_rate() -> None:
    start = np.array([[100.0, 100, 40, 100]])
    one, many = AxisFilter(NOISE), AxisFilter(NOISE)
    one.start(start)
    many.start(start)
    one.predict(1.0, np.zeros(1, bool))
    for _ in range(50):
        many.predict(0.02, np.zeros(1, bool))
    for name in ("pzz", "pzv", "pvv"):
        np.testing.assert_allclose(getattr(one, name), getattr(many, name), rtol=1e-9)


def test_sizes_never_vanish() -> None:
    tracks = AxisFilter(NOISE)
    tracks.start(np.array([[50.0, 50, 30, 60]]))
    for size in (20.0, 8.0, 2.0, 0.1, 0.1):
        tracks.predict(0.2, np.zeros(1, bool))
        tracks.update(np.array([0]), np.array([[50, 50, size / 2, size]]))
    for _ in range(50):
        tracks.predict(0.2, np.ones(1, bool))
    assert (tracks.z[:, 2:] >= 1).all()
    assert np.isfinite(tracks.squared_distances(np.array([[50.0, 50, 1, 1]]))).all()


def test_kept_tracks_keep_their_states() -> None:
    tracks = AxisFilter(NOISE)
    tracks.start(np.arange(12.0).reshape(3, 4) + 1)
    tracks.keep(np.array([True, False, True]))
    assert len(tracks) == 2
    assert tracks.z[:, 0].tolist() == [1, 9]


def test_forms_of_a_box_turn_into_each_other() -> None:
    boxes = np.array([[1.0, 2, 5, 12], [-3, 0, 3, 4]])
    assert xyxy_to_cxcywh(boxes).tolist() == [[3, 7, 4, 10], [0, 2, 6, 4]]
    np.testing.assert_array_equal(cxcywh_to_xyxy(xyxy_to_cxcywh(boxes)), boxes)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_noise_must_be_positive(value: float) -> None:
    with pytest.raises(ValueError, match="acceleration must be above 0"):
        MotionNoise(acceleration=value)

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from deep_sort import kalman_filter
from tests.deep_sort.plain_deep_sort import PlainKalmanFilter


def random_measurements(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.column_stack(
        [
            rng.uniform(-50, 2000, count),
            rng.uniform(-50, 1100, count),
            rng.uniform(0.2, 3, count),
            rng.uniform(5, 600, count),
        ]
    )


@pytest.mark.parametrize("count", [0, 1, 7])
def test_filter_agrees_with_the_written_out_one_over_twenty_frames(count: int) -> None:
    rng = np.random.default_rng(3)
    measurements = random_measurements(rng, count)
    means, covariances = kalman_filter.initiate(measurements)
    plain = [PlainKalmanFilter(measurement) for measurement in measurements]
    for frame in range(20):
        means, covariances = kalman_filter.predict(means, covariances)
        for one in plain:
            one.predict()
        if frame % 3:
            measurements = measurements + rng.normal(0, [3, 3, 0.02, 2], (count, 4))
            means, covariances = kalman_filter.update(means, covariances, measurements)
            for one, measurement in zip(plain, measurements, strict=True):
                one.update(measurement)
        assert means.shape == (count, 8)
        assert covariances.shape == (count, 8, 8)
        for row, one in enumerate(plain):
            np.testing.assert_allclose(means[row], one.mean, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(covariances[row], one.covariance, rtol=1e-7, atol=1e-9)


def test_gating_distances_agree_with_the_written_out_ones() -> None:
    rng = np.random.default_rng(4)
    starts = random_measurements(rng, 5)
    means, covariances = kalman_filter.predict(*kalman_filter.initiate(starts))
    others = random_measurements(rng, 3)
    distances = kalman_filter.squared_gating_distances(means, covariances, others)
    assert distances.shape == (5, 3)
    for row, start in enumerate(starts):
        plain = PlainKalmanFilter(start)
        plain.predict()
        for column, other in enumerate(others):
            assert distances[row, column] == pytest.approx(plain.squared_distance(other), rel=1e-9)


def test_gating_distances_are_right_for_covariances_with_all_correlations() -> None:
    rng = np.random.default_rng(5)
    factors = rng.normal(size=(2, 8, 8))
    covariances = factors @ factors.transpose(0, 2, 1) * 10
    means = np.array([[100, 100, 0.5, 80, 1, 2, 0, 0], [300, 200, 0.4, 120, 0, 0, 0, 0]], float)
    measurements = random_measurements(rng, 4)
    moved, spread = kalman_filter.predict(means, covariances)
    distances = kalman_filter.squared_gating_distances(moved, spread, measurements)
    for row in range(2):
        plain = PlainKalmanFilter(means[row, :4])
        plain.mean, plain.covariance = means[row].copy(), covariances[row]
        plain.predict()
        np.testing.assert_allclose(spread[row], plain.covariance, rtol=1e-9)
        np.testing.assert_allclose(distances[row], [plain.squared_distance(z) for z in measurements], rtol=1e-7)


def test_the_given_states_are_untouched() -> None:
    means, covariances = kalman_filter.initiate(np.array([[50, 60, 0.5, 100]], float))
    means[0, 7] = -200
    before = means.copy(), covariances.copy()
    moved, spread = kalman_filter.predict(means, covariances)
    kalman_filter.update(moved, spread, np.array([[51, 60, 0.5, 101]], float))
    np.testing.assert_array_equal(means, before[0])
    np.testing.assert_array_equal(covariances, before[1])


def test_a_constant_velocity_is_learned_and_carried_on() -> None:
    means, covariances = kalman_filter.initiate(np.array([[0, 0, 0.5, 100]], float))
    for frame in range(1, 60):
        means, covariances = kalman_filter.predict(means, covariances)
        means, covariances = kalman_filter.update(means, covariances, np.array([[4.0 * frame, -2.0 * frame, 0.5, 100]]))
    for _ in range(10):
        means, covariances = kalman_filter.predict(means, covariances)
    assert means[0, 0] == pytest.approx(4 * 69, abs=1)
    assert means[0, 1] == pytest.approx(-2 * 69, abs=1)


def test_uncertainty_grows_while_coasting_and_shrinks_when_seen() -> None:
    means, covariances = kalman_filter.initiate(np.array([[0, 0, 0.5, 100]], float))
    traces = []
    for _ in range(5):
        means, covariances = kalman_filter.predict(means, covariances)
        traces.append(np.trace(covariances[0, :4, :4]))
    assert traces == sorted(traces)
    _, narrowed = kalman_filter.update(means, covariances, means[:, :4])
    assert np.trace(narrowed[0, :4, :4]) < traces[-1]


def test_covariances_stay_symmetric_and_positive_over_a_long_video() -> None:
    rng = np.random.default_rng(6)
    measurements = random_measurements(rng, 4)
    means, covariances = kalman_filter.initiate(measurements)
    for frame in range(3000):
        means, covariances = kalman_filter.predict(means, covariances)
        if frame % 90 < 30:
            noisy = measurements * rng.normal(1, 0.01, measurements.shape)
            means, covariances = kalman_filter.update(means, covariances, noisy)
    np.testing.assert_array_equal(covariances, covariances.transpose(0, 2, 1))
    assert np.linalg.eigvalsh(covariances).min() > 0


def test_a_shrinking_box_never_turns_inside_out_while_coasting() -> None:
    means, covariances = kalman_filter.initiate(np.array([[0, 0, 0.5, 100]], float))
    means[0, 6:] = [-0.1, -30]
    for _ in range(100):
        means, covariances = kalman_filter.predict(means, covariances)
        assert means[0, 2] > 0
        assert means[0, 3] > 0
    assert np.isfinite(covariances).all()


def test_boxes_of_next_to_no_height_keep_the_filter_regular() -> None:
    measurements = np.array([[10, 10, 1e6, 1e-6]])
    means, covariances = kalman_filter.predict(*kalman_filter.initiate(measurements))
    distances = kalman_filter.squared_gating_distances(means, covariances, measurements)
    means, covariances = kalman_filter.update(means, covariances, measurements)
    assert distances[0, 0] == pytest.approx(0)
    assert np.isfinite(means).all()
    assert np.isfinite(covariances).all()


def test_gate_table_holds_the_quantiles_of_the_chi_square_distribution() -> None:
    np.testing.assert_allclose(kalman_filter.CHI2INV95, chi2.ppf(0.95, np.arange(1, 10)), rtol=1e-7)
    assert kalman_filter.CHI2INV95[4 - 1] == kalman_filter.GATE

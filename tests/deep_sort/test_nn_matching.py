from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from deep_sort.nn_matching import NearestNeighbourMetric


def as_features(rows: object) -> np.ndarray:
    return np.asarray(rows, np.float32)


def taught(metric: NearestNeighbourMetric, history: list[tuple[int, np.ndarray]]) -> NearestNeighbourMetric:
    for key, feature in history:
        metric.add([key], metric.prepare(feature[None])[0])
    return metric


@pytest.mark.parametrize("budget", [1, 3, 7, 100, None])
@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_distance_is_that_of_the_nearest_of_the_latest_samples(kind: str, budget: int | None) -> None:
    rng = np.random.default_rng(2)
    history = [(int(rng.integers(4)), as_features(rng.normal(size=6))) for _ in range(80)]
    metric = taught(NearestNeighbourMetric(kind, budget=budget), history)
    queries = as_features(rng.normal(size=(5, 6)))
    distances = metric.distances(range(4), metric.prepare(queries)[0], np.ones((4, 5), bool))
    for key in range(4):
        latest = [feature for other, feature in history if other == key][-(budget or 1000) :]
        assert len(metric.samples(key)) == len(latest)
        for column, query in enumerate(queries):
            if kind == "cosine":
                expected = min(cosine(query, feature) for feature in latest)
            else:
                expected = min(float(((query - feature) ** 2).sum()) for feature in latest)
            assert distances[key, column] == pytest.approx(expected, abs=1e-5)


def test_length_does_not_matter_to_the_cosine() -> None:
    metric = taught(NearestNeighbourMetric("cosine", budget=5), [(0, as_features([3, 4]))])
    prepared, _ = metric.prepare(as_features([[300, 400], [-0.003, -0.004], [1e30, 1e30]]))
    np.testing.assert_allclose(metric.distances([0], prepared, np.ones((1, 3), bool)), [[0, 2, 0.01005]], atol=1e-5)


def test_distances_are_never_below_zero() -> None:
    rng = np.random.default_rng(3)
    features = as_features(rng.normal(size=(200, 50)))
    metric = taught(NearestNeighbourMetric("cosine", budget=None), [(0, feature) for feature in features])
    distances = metric.distances([0], metric.prepare(features)[0], np.ones((1, 200), bool))
    assert distances.min() >= 0
    assert distances.max() < 1e-6


@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_zero_and_not_finite_features_are_not_usable(kind: str) -> None:
    metric = NearestNeighbourMetric(kind, budget=5)
    features = as_features([[1, 0], [0, 0], [np.nan, 1], [np.inf, 1], [3e38, 3e38], [1e-30, 0]])
    prepared, is_usable = metric.prepare(features)
    assert is_usable.tolist() == [True, False, False, False, True, True]
    assert np.isfinite(prepared[is_usable]).all()


def test_pairs_outside_the_gate_and_tracks_without_samples_are_infinitely_far() -> None:
    metric = taught(NearestNeighbourMetric("cosine", budget=5), [(7, as_features([1, 0]))])
    prepared, _ = metric.prepare(as_features([[1, 0], [1, 0]]))
    admissible = np.array([[True, False], [True, True]])
    np.testing.assert_array_equal(metric.distances([7, 8], prepared, admissible), [[0, np.inf], [np.inf, np.inf]])


@pytest.mark.parametrize(("tracks", "detections"), [(0, 0), (0, 3), (2, 0)])
def test_nothing_to_compare_gives_an_empty_table(tracks: int, detections: int) -> None:
    metric = taught(NearestNeighbourMetric("cosine", budget=5), [(0, as_features([1, 0])), (1, as_features([0, 1]))])
    prepared, is_usable = metric.prepare(np.zeros((detections, 2), np.float32))
    assert is_usable.shape == (detections,)
    table = metric.distances(range(tracks), prepared, np.ones((tracks, detections), bool))
    assert table.shape == (tracks, detections)


def test_forgotten_tracks_have_no_samples() -> None:
    metric = taught(NearestNeighbourMetric("cosine", budget=5), [(0, as_features([1, 0])), (1, as_features([0, 1]))])
    metric.forget([0, 99])
    assert len(metric.samples(0)) == 0
    assert len(metric.samples(1)) == 1


def test_kept_samples_do_not_change_with_the_callers_array() -> None:
    metric = NearestNeighbourMetric("euclidean", budget=5)
    feature = as_features([[1, 0]])
    metric.add([0], feature)
    feature[:] = 9
    np.testing.assert_array_equal(metric.samples(0), [[1, 0]])


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="budget must be 1 or more, or None, not 0"):
        NearestNeighbourMetric("cosine", budget=0)
    with pytest.raises(ValueError, match="kind must be cosine or euclidean, not 'manhattan'"):
        NearestNeighbourMetric("manhattan")  # type: ignore[arg-type]  # the point of the test

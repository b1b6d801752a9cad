from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from errors import ModelError
from reid import calculate_distance_matrix
from reid.distance_blocks import DEFAULT_BLOCK_BYTES


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_distances_are_those_of_scipy(metric: str, kind: type) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((7, 16)).astype(kind), 9 * rng.standard_normal((5, 16)).astype(kind)
    b[0] = a[0]
    distances = calculate_distance_matrix(a, b, metric)
    assert distances.dtype == kind
    np.testing.assert_allclose(distances, cdist(a, b, metric), rtol=1e-6, atol=1e-6)


def test_cosine_is_the_default() -> None:
    np.testing.assert_allclose(
        calculate_distance_matrix([[1.0, 0.0]], [[0.0, 2.0], [3.0, 0.0], [-1.0, 0.0]]), [[1, 0, 2]]
    )


def test_many_rows_are_computed_in_blocks_alike() -> None:
    rng = np.random.default_rng(0)
    b = rng.standard_normal((2000, 8)).astype(np.float32)
    a = rng.standard_normal((DEFAULT_BLOCK_BYTES // (8 * 2000) + 5, 8)).astype(np.float32)
    whole = calculate_distance_matrix(a, b, "euclidean")
    np.testing.assert_allclose(whole[-6:], cdist(a[-6:], b), rtol=1e-6, atol=1e-6)


def test_vector_of_zeros_is_at_one_from_everything() -> None:
    np.testing.assert_array_equal(calculate_distance_matrix(np.zeros((1, 3)), np.eye(3)), [[1, 1, 1]])


def test_no_embeddings_give_no_distances() -> None:
    assert calculate_distance_matrix(np.zeros((0, 4)), np.ones((3, 4))).shape == (0, 3)
    assert calculate_distance_matrix(np.ones((3, 4)), np.zeros((0, 4)), "euclidean").shape == (3, 0)


def test_embeddings_of_different_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="of 4 and of 5 values"):
        calculate_distance_matrix(np.ones((2, 4)), np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"shape \(N, D\), not \(4,\)"):
        calculate_distance_matrix(np.ones(4), np.ones((2, 4)))


def test_unknown_metric_is_refused_with_the_choices() -> None:
    with pytest.raises(ModelError, match=r"no distance named “manhattan”.*cosine, euclidean"):
        calculate_distance_matrix(np.ones((2, 4)), np.ones((2, 4)), "manhattan")

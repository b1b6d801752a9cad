from __future__ import annotations

import numpy as np
import pytest

from bench.plain_reid import plain_evaluate, plain_squared_distances
from errors import DataError
from reid.distance_blocks import DistanceBlock, distance_blocks
from reid.labelled import LabelledFeatures
from reid.metrics import Evaluation, evaluate, evaluate_ranking
from tests.reid.metrics.features import line_of, make_features


@pytest.mark.parametrize(
    ("relevance", "step", "triangle", "penalty"),
    [
        ([0, 1], 0.5, 0.25, 0.5),
        ([1, 0, 1], 0.8333, 0.7917, 0.6667),
        ([0, 1, 0, 1, 1], 0.5333, 0.4056, 0.6),
        ([1], 1.0, 1.0, 1.0),
        ([1, 1, 0, 0], 1.0, 1.0, 1.0),
    ],
)
def test_published_vectors_of_precision_come_out(
    relevance: list[int], step: float, triangle: float, penalty: float
) -> None:
    result = evaluate(*line_of(relevance), metric="euclidean")
    figures = (result.mean_ap, result.mean_ap_triangle, result.mean_inp)
    assert figures == pytest.approx((step, triangle, penalty), abs=5e-5)


def test_curve_counts_the_first_hit() -> None:
    result = evaluate(*line_of([0, 0, 1, 1]), metric="euclidean")
    assert result.cmc.tolist() == [0, 0, 1, 1]
    assert (result.rank(1), result.rank(3), result.rank(20)) == (0, 1, 1)
    assert result.first_hits.tolist() == [3]
    with pytest.raises(ValueError, match="begin at 1"):
        result.rank(0)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("block_bytes", [1, 4096, 1 << 26])
def test_all_figures_equal_the_plain_evaluation(metric: str, block_bytes: int) -> None:
    query = make_features(1, 60, identities=12, spread=2)
    gallery = make_features(2, 300, identities=15, spread=2)
    result = evaluate(query, gallery, metric=metric, block_bytes=block_bytes, max_rank=20)
    if metric == "cosine":
        unit = [part.features / np.linalg.norm(part.features, axis=1, keepdims=True) for part in (query, gallery)]
        distances = 1 - unit[0] @ unit[1].T
    else:
        distances = plain_squared_distances(query.features, gallery.features)
    kept = query.identities != -1
    plain = plain_evaluate(
        distances[kept], query.identities[kept], gallery.identities, query.cameras[kept], gallery.cameras, 20
    )
    assert result.cmc == pytest.approx(plain.cmc)
    assert result.mean_ap == pytest.approx(plain.mean_ap)
    assert result.mean_ap_triangle == pytest.approx(plain.mean_ap_triangle)
    assert result.mean_inp == pytest.approx(plain.mean_inp)
    assert result.judged_queries == plain.judged_queries
    assert result.skipped_queries == len(query) - plain.judged_queries
    assert 0.1 < result.mean_ap < 0.9  # a comparison of ones or zeros would show nothing


def test_own_camera_and_junk_are_neither_right_nor_wrong() -> None:
    # nearest first: same camera, junk, wrong, right
    gallery = _line([5, -1, 9, 5], [0, 1, 1, 1])
    result = evaluate(_line([5], [0], start=0), gallery, metric="euclidean")
    assert result.first_hits.tolist() == [2]
    assert result.gallery_size == 3


def test_distractors_of_identity_0000_stay_in_the_gallery() -> None:
    result = evaluate(_line([5], [0], start=0), _line([0, 0, 5], [1, 1, 1]), metric="euclidean")
    assert result.first_hits.tolist() == [3]


def test_queries_without_a_match_are_skipped_and_counted() -> None:
    query = _line([5, 6, -1], [0, 0, 0], start=0)
    result = evaluate(query, _line([5, 6, 9], [1, 0, 1]), metric="euclidean")
    assert (result.judged_queries, result.skipped_queries) == (1, 2)
    assert np.isnan(result.average_precisions).tolist() == [False, True, True]
    assert result.rank(1) == 1


def test_nothing_to_find_at_all_is_an_error_with_a_sentence() -> None:
    with pytest.raises(DataError, match="None of the 1 query pictures"):
        evaluate(_line([5], [0], start=0), _line([5, 6], [0, 1]))
    with pytest.raises(DataError, match="None of the 0 query pictures"):
        evaluate(_line([], [], start=0), _line([5, 6], [0, 1]))


def test_embeddings_that_are_all_alike_are_worth_nothing() -> None:
    gallery = LabelledFeatures(np.ones((10, 4), np.float32), np.arange(10), np.ones(10, np.int64))
    query = LabelledFeatures(np.ones((1, 4), np.float32), np.array([0]), np.array([0]))
    assert evaluate(query, gallery).first_hits.tolist() == [10]


def test_distances_of_any_origin_are_judged_alike() -> None:
    query, gallery = make_features(1, 30, identities=6), make_features(2, 80, identities=6)
    (block,) = distance_blocks(query.features, gallery.features)
    direct = evaluate(query, gallery)
    assert evaluate_ranking([block], query, gallery).as_json() == direct.as_json()
    with pytest.raises(ValueError, match="distances of 2 queries came for 30"):
        evaluate_ranking([DistanceBlock(slice(0, 2), np.zeros((2, 80), np.float32))], query, gallery)


def test_shapes_metrics_and_values_are_checked() -> None:
    query, gallery = make_features(1, 5, identities=2), make_features(2, 5, identities=2, dimension=8)
    with pytest.raises(ValueError, match="same D"):
        evaluate(query, gallery)
    with pytest.raises(ValueError, match="cosine, euclidean"):
        evaluate(query, query, metric="manhattan")
    with pytest.raises(ValueError, match="must be finite"):
        LabelledFeatures(np.full((1, 2), np.nan, np.float32), np.zeros(1, np.int64), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="cameras must have shape"):
        LabelledFeatures(np.zeros((1, 2), np.float32), np.zeros(1, np.int64), np.zeros(2, np.int64))


def test_the_result_is_json() -> None:
    import json

    result: Evaluation = evaluate(*line_of([1, 0, 1]), metric="euclidean")
    assert json.loads(json.dumps(result.as_json()))["mAP"] == pytest.approx(5 / 6)


def _line(identities: list[int], cameras: list[int], start: int = 1) -> LabelledFeatures:
    """Return pictures at start, start + 1, … on a line, or all at 0 where start is 0."""
    places = np.arange(1, len(identities) + 1) if start else np.zeros(len(identities))
    return LabelledFeatures(
        places.astype(np.float32)[:, None], np.array(identities, np.int64), np.array(cameras, np.int64)
    )

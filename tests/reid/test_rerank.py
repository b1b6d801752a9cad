from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.plain_reid import plain_rerank
from reid.distance_blocks import unit_rows
from reid.metrics import evaluate, evaluate_ranking
from reid.rerank import Reranker, RerankOptions, expand_all, rerank
from tests.reid.metrics.features import make_features


@pytest.mark.parametrize(("k1", "k2", "weight"), [(20, 6, 0.3), (5, 1, 0.0), (7, 3, 1.0), (1, 2, 0.5)])
@pytest.mark.parametrize("block_bytes", [1, 1 << 26])
def test_reranked_distances_equal_the_plain_ones(k1: int, k2: int, weight: float, block_bytes: int) -> None:
    queries = make_features(1, 40, identities=15, spread=1.5).features
    gallery = make_features(2, 160, identities=15, spread=1.5).features
    reranker = Reranker(queries, gallery, RerankOptions(k1=k1, k2=k2, original_weight=weight), block_bytes=block_bytes)
    distances = np.concatenate([block.distances for block in reranker.blocks()])
    plain = plain_rerank(unit_rows(queries), unit_rows(gallery), k1, k2, weight)
    assert distances == pytest.approx(plain, abs=2e-6)
    assert np.ptp(plain) > 0.3


def test_blocks_are_small_and_in_order() -> None:
    queries, gallery = np.eye(6, dtype=np.float32), np.eye(6, dtype=np.float32)
    rows = [block.rows for block in Reranker(queries, gallery, block_bytes=4 * 6 * 4).blocks()]
    assert rows == [slice(0, 4), slice(4, 6)]


def test_reranking_raises_precision_where_identities_form_clusters() -> None:
    query = make_features(1, 60, identities=20, spread=2.2, dimension=32)
    gallery = make_features(2, 400, identities=20, spread=2.2, dimension=32)
    before = evaluate(query, gallery)
    after = evaluate_ranking(Reranker(query.features, gallery.features).blocks(), query, gallery)
    assert after.mean_ap > before.mean_ap + 0.02
    assert after.judged_queries == before.judged_queries


@pytest.mark.parametrize(("query_count", "gallery_count"), [(1, 1), (1, 5), (3, 2)])
def test_fewer_pictures_than_neighbours_are_no_trouble(query_count: int, gallery_count: int) -> None:
    queries, gallery = make_features(1, query_count, identities=2), make_features(2, gallery_count, identities=2)
    plain = plain_rerank(unit_rows(queries.features), unit_rows(gallery.features))
    assert rerank(queries.features, gallery.features) == pytest.approx(plain, abs=2e-6)


def test_nothing_gives_nothing() -> None:
    assert rerank(np.zeros((0, 4), np.float32), np.ones((3, 4), np.float32)).shape == (0, 3)
    assert rerank(np.ones((3, 4), np.float32), np.zeros((0, 4), np.float32)).shape == (3, 0)


def test_pictures_that_are_all_alike_stay_finite() -> None:
    assert np.isfinite(rerank(np.ones((2, 4), np.float32), np.ones((30, 4), np.float32))).all()


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="not 0, 6 and"):
        RerankOptions(k1=0)
    with pytest.raises(ValueError, match="original_weight"):
        RerankOptions(original_weight=1.5)
    with pytest.raises(ValueError, match="k must be 1 or more"):
        expand_all(np.ones((1, 2), np.float32), np.ones((1, 2), np.float32), k=0)


def test_an_expanded_picture_is_the_weighted_mean_of_its_nearest() -> None:
    queries, gallery = make_features(1, 7, identities=3).features, make_features(2, 20, identities=3).features
    everyone = unit_rows(np.concatenate([queries, gallery]))
    found = expand_all(queries, gallery, k=4, alpha=3)
    assert (found[0].shape, found[1].shape) == (queries.shape, gallery.shape)
    for row, result in zip(everyone, np.concatenate(found), strict=True):
        nearest = sorted(everyone, key=lambda other: -float(row @ other))[:4]
        total = sum(max(0.0, float(row @ other)) ** 3 * other for other in nearest)
        assert result == pytest.approx(total / np.linalg.norm(total), abs=1e-6)


def test_expansion_over_one_picture_is_the_picture_itself() -> None:
    queries = make_features(1, 3, identities=2).features
    assert expand_all(queries, queries, k=1)[0] == pytest.approx(unit_rows(queries), abs=1e-6)
    assert expand_all(queries[:1], np.zeros((0, 16), np.float32))[0] == pytest.approx(unit_rows(queries[:1]), abs=1e-6)
    assert expand_all(np.zeros((0, 16), np.float32), np.zeros((0, 16), np.float32))[1].shape == (0, 16)


def test_expansion_raises_precision_where_identities_form_clusters() -> None:
    query = make_features(1, 80, identities=10, spread=2.5, dimension=32)
    gallery = make_features(2, 400, identities=10, spread=2.5, dimension=32)
    queries, galleries = expand_all(query.features, gallery.features)
    expanded = evaluate(replace(query, features=queries), replace(gallery, features=galleries))
    assert expanded.mean_ap > evaluate(query, gallery).mean_ap + 0.03

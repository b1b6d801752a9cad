from __future__ import annotations

import numpy as np
import pytest

from errors import DataError
from reid.labelled import LabelledFeatures
from reid.metrics import evaluate, evaluate_leave_one_out, evaluate_single_shot, evaluate_vehicleid
from tests.reid.metrics.features import make_features


def points(values: list[float], identities: list[int], cameras: list[int] | None = None) -> LabelledFeatures:
    return LabelledFeatures(
        np.array(values, np.float32)[:, None],
        np.array(identities, np.int64),
        np.array(cameras or range(len(values)), np.int64),
    )


def test_single_shot_draws_one_picture_of_each_identity() -> None:
    # own identity at 1 and 4, the other's two at 2 and 3: right if 1 is drawn, wrong if 4 is
    query = points([0], [5], [9])
    result = evaluate_single_shot(query, points([1, 4, 2, 3], [5, 5, 6, 6]), metric="euclidean", repeats=4000, seed=3)
    assert result.rank(1) == pytest.approx(0.5, abs=0.03)
    assert result.cmc.shape == (2,)
    assert result.rank(2) == 1
    assert result.repeats == 4000
    assert result.mean_ap == pytest.approx((1 + 2 / 4) / 2)


def test_single_shot_never_draws_the_query_s_own_camera() -> None:
    gallery = points([0.1, 4, 2], [5, 5, 6], [9, 1, 1])
    result = evaluate_single_shot(points([0], [5], [9]), gallery, metric="euclidean", repeats=50)
    assert result.rank(1) == 0
    assert result.rank(2) == 1


def test_single_shot_repeats_exactly_from_its_seed() -> None:
    query = make_features(1, 40, identities=10, spread=3)
    gallery = make_features(2, 200, identities=10, spread=3)
    first, again, other = (evaluate_single_shot(query, gallery, seed=seed) for seed in (1, 1, 2))
    assert first.as_json() == again.as_json()
    assert first.as_json() != other.as_json()
    assert first.mean_ap == evaluate(query, gallery).mean_ap


def test_single_shot_in_small_blocks_gives_the_same() -> None:
    query, gallery = make_features(1, 40, identities=10, spread=3), make_features(2, 90, identities=10, spread=3)
    whole = evaluate_single_shot(query, gallery)
    assert evaluate_single_shot(query, gallery, block_bytes=1).cmc == pytest.approx(whole.cmc)


def test_vehicleid_puts_one_picture_of_each_identity_into_the_gallery() -> None:
    images = points([0, 1, 10, 11, 20], [1, 1, 2, 2, 3])
    result = evaluate_vehicleid(images, metric="euclidean")
    assert (result.gallery_size, result.judged_queries, result.repeats) == (3, 2, 10)
    assert result.rank(1) == result.mean_ap == result.mean_inp == 1


def test_vehicleid_equals_a_plain_count_over_its_draws() -> None:
    images = make_features(4, 80, identities=8, spread=1.5)
    images = images.select(images.identities != -1)
    result = evaluate_vehicleid(images, metric="euclidean", repeats=3, seed=5, block_bytes=1)
    generator = np.random.default_rng(5)
    names, counts = np.unique(images.identities, return_counts=True)
    offsets = (generator.random((3, len(names))) * counts).astype(int)
    places = []
    for offset in offsets:
        drawn = [int(np.flatnonzero(images.identities == name)[o]) for name, o in zip(names, offset, strict=True)]
        for row in set(range(len(images))) - set(drawn):
            distances = ((images.features[row] - images.features[drawn]) ** 2).sum(1)
            ranked = names[np.argsort(distances)]
            places.append(1 + ranked.tolist().index(images.identities[row]))
    assert result.rank(1) == pytest.approx(np.mean(np.array(places) == 1))
    assert result.mean_ap == pytest.approx(np.mean(1 / np.array(places)))
    assert 0.2 < result.rank(1) < 1


def test_vehicleid_of_single_pictures_is_an_error() -> None:
    with pytest.raises(DataError, match="None of the 3"):
        evaluate_vehicleid(points([0, 1, 2], [1, 2, 3]))


def test_leave_one_out_looks_at_the_nearest_other_picture() -> None:
    # nearest other of each: 1 -> 2 right, 2 -> 1 right, 4 -> 2 wrong (its own is at 9), 9 -> 4 right
    images = points([1, 2, 4, 9], [1, 1, 2, 2])
    result = evaluate_leave_one_out(images, metric="euclidean")
    assert result.rank(1) == 0.75
    assert result.rank(2) == 0.75
    assert result.rank(3) == 1


def test_leave_one_out_counts_an_identity_with_one_picture_as_a_miss() -> None:
    result = evaluate_leave_one_out(points([1, 2, 50], [1, 1, 3]), metric="euclidean")
    assert result.rank(1) == pytest.approx(2 / 3)
    assert result.mean_ap == 1
    assert (result.judged_queries, result.skipped_queries) == (2, 1)


def test_leave_one_out_ignores_cameras() -> None:
    images = points([1, 2], [1, 1], [7, 7])
    assert evaluate_leave_one_out(images, metric="euclidean").rank(1) == 1


def test_leave_one_out_equals_a_plain_loop() -> None:
    images = make_features(6, 70, identities=9, spread=2)
    images = images.select(images.identities != -1)
    unit = images.features / np.linalg.norm(images.features, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(1)
    expected = np.mean(images.identities[nearest] == images.identities)
    assert evaluate_leave_one_out(images, block_bytes=700).rank(1) == pytest.approx(expected)

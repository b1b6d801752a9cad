from __future__ import annotations

import numpy as np
import pytest

from errors import DataError
from reid.labelled import LabelledFeatures
from reid.verification import Verification, verify
from tests.reid.metrics.features import make_features

SAME = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.5, 0.5, 0.5, 0.3])
DIFFERENT = np.array([0.55, 0.45, 0.4, 0.4, 0.35, 0.3, 0.2, 0.2, 0.1, 0.0])


def test_the_curve_counts_pairs_at_or_above_each_threshold() -> None:
    result = Verification(SAME, DIFFERENT)
    for threshold, false_rate, true_rate in zip(
        result.thresholds, result.false_match_rates, result.true_match_rates, strict=True
    ):
        assert false_rate == np.mean(threshold <= DIFFERENT)
        assert true_rate == np.mean(threshold <= SAME)
    assert (result.false_match_rates[0], result.true_match_rates[0]) == (0, 0)
    assert (result.false_match_rates[-1], result.true_match_rates[-1]) == (1, 1)


def test_area_is_how_often_the_same_pair_is_more_alike() -> None:
    wins = (SAME[:, None] > DIFFERENT).mean() + (SAME[:, None] == DIFFERENT).mean() / 2
    assert Verification(SAME, DIFFERENT).area_under_curve == pytest.approx(wins)


def test_area_equals_scikit_learn_s() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    generator = np.random.default_rng(0)
    same, different = np.round(generator.normal(1, 1, 300), 1), np.round(generator.normal(0, 1, 900), 1)
    labels = np.repeat([1, 0], [300, 900])
    expected = metrics.roc_auc_score(labels, np.concatenate([same, different]))
    assert Verification(same, different).area_under_curve == pytest.approx(expected)


def test_equal_error_is_where_both_errors_meet() -> None:
    result = Verification(SAME, DIFFERENT)
    assert result.equal_error_rate == pytest.approx(0.1)
    assert result.equal_error.similarity == 0.5
    assert result.equal_error.false_match_rate == pytest.approx(1 - result.equal_error.true_match_rate)


def test_equal_error_of_two_normal_distributions_is_the_textbook_s() -> None:
    generator = np.random.default_rng(1)
    result = Verification(generator.normal(2, 1, 40_000), generator.normal(0, 1, 40_000))
    assert result.equal_error_rate == pytest.approx(0.1587, abs=0.004)  # one standard deviation from each mean
    assert result.equal_error.similarity == pytest.approx(1, abs=0.03)
    assert result.d_prime == pytest.approx(2, abs=0.03)
    assert result.area_under_curve == pytest.approx(0.9214, abs=0.003)  # normal cdf of √2


def test_separated_pairs_have_no_error_and_mixed_ones_half() -> None:
    apart = Verification(np.linspace(0.8, 1, 20), np.linspace(0, 0.2, 20))
    assert (apart.equal_error_rate, apart.area_under_curve) == (0, 1)
    alike = Verification(np.full(20, 0.5), np.full(20, 0.5))
    assert (alike.equal_error_rate, alike.area_under_curve) == (0.5, 0.5)
    assert np.isnan(alike.d_prime)
    assert alike.as_json()["d_prime"] is None


def test_threshold_keeps_the_wanted_false_match_rate_and_no_more() -> None:
    result = Verification(SAME, DIFFERENT)
    chosen = result.threshold_at(0.2)
    assert (chosen.false_match_rate, chosen.true_match_rate) == (0.2, 0.9)
    assert chosen.similarity == 0.45
    assert result.threshold_at(0.1).false_match_rate == 0.1
    assert result.threshold_at(0.19).similarity == result.threshold_at(0.1).similarity
    assert result.rates_at(0.45) == chosen


def test_a_rate_that_so_few_pairs_cannot_show_is_refused_with_the_lowest() -> None:
    with pytest.raises(DataError, match=r"0\.001 cannot be measured with 10 pairs.* the lowest is 0\.1"):
        Verification(SAME, DIFFERENT).threshold_at(0.001)
    with pytest.raises(ValueError, match="not 0"):
        Verification(SAME, DIFFERENT).threshold_at(0)


def test_too_few_pairs_are_refused_with_what_is_there() -> None:
    with pytest.raises(DataError, match="9 pairs of the same identity and 10 of different ones; at least 10"):
        Verification(SAME[:9], DIFFERENT)


def test_similarities_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Verification(np.full(10, np.nan), DIFFERENT)


def test_histograms_hold_every_pair_once() -> None:
    histograms = Verification(SAME, DIFFERENT).histograms(bins=9)
    assert (histograms.same.sum(), histograms.different.sum()) == (10, 10)
    assert (histograms.edges[0], histograms.edges[-1]) == (0.0, 0.9)
    assert Verification(np.ones(10), np.ones(10)).histograms().same.sum() == 10


def test_pairs_of_pictures_are_taken_across_cameras() -> None:
    images = make_features(3, 60, identities=5, spread=1)
    result = verify(images)
    kept = images.select(images.identities != -1)
    unit = kept.features / np.linalg.norm(kept.features, axis=1, keepdims=True)
    similarity = unit @ unit.T
    upper = np.triu(kept.cameras[:, None] != kept.cameras, 1)
    is_same = kept.identities[:, None] == kept.identities
    assert result.same_count == (upper & is_same).sum()
    assert result.different_count == (upper & ~is_same).sum()
    plain = Verification(similarity[upper & is_same], similarity[upper & ~is_same])
    assert result.area_under_curve == pytest.approx(plain.area_under_curve)
    assert 0.6 < result.area_under_curve < 1
    assert verify(images, across_cameras=False).same_count == np.triu(is_same, 1).sum()


def test_many_pairs_are_drawn_from_evenly() -> None:
    images = make_features(4, 400, identities=5, spread=2)
    whole, drawn = verify(images), verify(images, most_pairs=3000)
    assert (drawn.same_count, drawn.different_count) == (3000, 3000)
    assert drawn.area_under_curve == pytest.approx(whole.area_under_curve, abs=0.03)
    assert verify(images, most_pairs=3000).as_json() == drawn.as_json()


def test_one_identity_alone_cannot_be_judged() -> None:
    count = 20
    images = LabelledFeatures(np.ones((count, 2), np.float32), np.ones(count, np.int64), np.arange(count))
    with pytest.raises(DataError, match="190 pairs of the same identity and 0 of different ones"):
        verify(images)

"""Are these two pictures the same identity? Rates, thresholds and histograms from labelled pairs.

A *false match* is a pair of different identities whose similarity reaches the
threshold, a *false non-match* a pair of the same one that stays below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import DataError
from records import FloatArray, IntArray
from reid.distance_blocks import row_blocks, unit_rows
from reid.labelled import IdentityIndex, LabelledFeatures
from reid.metrics.ranking import JUNK

LEAST_PAIRS = 10
MOST_PAIRS = 1_000_000
_HISTOGRAM_BINS = 100
_PAIRS_AT_ONCE = 8192
_DRAWN_PER_WANTED = 4

Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """A similarity from which two pictures are taken for the same identity.

    Attributes
    ----------
    similarity : pairs at or above it match.
    false_match_rate : share of different pairs that match by it, as measured.
    true_match_rate : share of same pairs that match by it, as measured.
    """

    similarity: float
    false_match_rate: float
    true_match_rate: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Histograms:
    """How similarities of same and of different pairs are spread.

    Attributes
    ----------
    edges : (B + 1,) float64, rising.
    same, different : (B,) int64 counts between the edges.
    """

    edges: NDArray[np.float64]
    same: IntArray
    different: IntArray


class Verification:
    """What a set of labelled pairs says about their similarity.

    Parameters
    ----------
    same, different : (S,) and (D,) similarities of pairs of the same and of different identities; any scale on which
        more alike is higher. At least `LEAST_PAIRS` of each.

    Attributes
    ----------
    thresholds : (K,) float64, falling; the first lies above every pair.
    false_match_rates, true_match_rates : (K,) float64, rising from 0 to 1: the ROC curve.
    area_under_curve : of the ROC: how often a same pair is more alike than a different one; ties count half.
    equal_error : where false matches are as frequent as false non-matches (the nearest that was measured).
    equal_error_rate : that rate, interpolated.
    d_prime : distance of the means over the pooled standard deviation; nan where nothing varies.

    Raises
    ------
    DataError
        when there are too few pairs.
    ValueError
        when a similarity is not finite.
    """

    def __init__(self, same: NDArray[Any], different: NDArray[Any]) -> None:
        if min(len(same), len(different)) < LEAST_PAIRS:
            raise DataError("data.too_few_pairs", same=len(same), different=len(different), least=LEAST_PAIRS)
        self._same = np.sort(np.asarray(same, np.float64))
        self._different = np.sort(np.asarray(different, np.float64))
        if not (np.isfinite(self._same).all() and np.isfinite(self._different).all()):
            raise ValueError("similarities must be finite")
        levels = np.unique(np.concatenate([self._same, self._different]))[::-1]
        self.thresholds: Rates = np.concatenate([[np.nextafter(levels[0], np.inf)], levels])
        self.false_match_rates = _share_at_or_above(self._different, self.thresholds)
        self.true_match_rates = _share_at_or_above(self._same, self.thresholds)
        heights = (self.true_match_rates[1:] + self.true_match_rates[:-1]) / 2
        self.area_under_curve = float(np.sum(np.diff(self.false_match_rates) * heights))
        self.equal_error_rate, self.equal_error = self._find_equal_error()
        spread = np.sqrt((self._same.var() + self._different.var()) / 2)
        gap = self._same.mean() - self._different.mean()
        self.d_prime = float(gap / spread) if spread > 0 else float("nan")

    @property
    def same_count(self) -> int:
        """Return how many pairs of the same identity there are."""
        return len(self._same)

    @property
    def different_count(self) -> int:
        """Return how many pairs of different identities there are."""
        return len(self._different)

    @property
    def lowest_false_match_rate(self) -> float:
        """Return the lowest rate above 0 that so many pairs can show."""
        return 1 / len(self._different)

    def threshold_at(self, false_match_rate: float) -> Threshold:
        """Return the lowest threshold whose false match rate is at most the wanted one.

        Raises
        ------
        DataError
            when the pairs are too few to measure so low a rate.
        ValueError
            for a rate outside 0 to 1.
        """
        if not 0 < false_match_rate <= 1:
            raise ValueError(f"a false match rate must lie above 0 and up to 1, not {false_match_rate}")
        if false_match_rate < self.lowest_false_match_rate:
            raise DataError(
                "data.false_match_rate",
                wanted=false_match_rate,
                different=len(self._different),
                lowest=self.lowest_false_match_rate,
            )
        return self._threshold(int(np.searchsorted(self.false_match_rates, false_match_rate, side="right")) - 1)

    def rates_at(self, similarity: float) -> Threshold:
        """Return what a threshold of the caller's choice would do."""
        at = np.array([similarity])
        return Threshold(
            float(similarity),
            float(_share_at_or_above(self._different, at)[0]),
            float(_share_at_or_above(self._same, at)[0]),
        )

    def histograms(self, bins: int = _HISTOGRAM_BINS) -> Histograms:
        """Return both histograms over the range that the similarities span."""
        low = min(self._same[0], self._different[0])
        high = max(self._same[-1], self._different[-1])
        edges = np.linspace(low, high if high > low else low + 1, bins + 1)
        return Histograms(
            edges=edges, same=np.histogram(self._same, edges)[0], different=np.histogram(self._different, edges)[0]
        )

    def as_json(self) -> dict[str, Any]:
        """Return the figures without the curve, of JSON types."""
        return {
            "same_pairs": self.same_count,
            "different_pairs": self.different_count,
            "AUC": self.area_under_curve,
            "EER": self.equal_error_rate,
            "EER_threshold": self.equal_error.similarity,
            "d_prime": None if np.isnan(self.d_prime) else self.d_prime,
        }

    def _threshold(self, place: int) -> Threshold:
        return Threshold(
            float(self.thresholds[place]), float(self.false_match_rates[place]), float(self.true_match_rates[place])
        )

    def _find_equal_error(self) -> tuple[float, Threshold]:
        """Return the rate at which both kinds of error meet, on the straight line between two measured points."""
        excess = self.false_match_rates - (1 - self.true_match_rates)  # rises from -1 to 1
        after = int(np.argmax(excess >= 0))
        before = after - 1
        step = excess[after] - excess[before]
        share = -excess[before] / step
        rate = self.false_match_rates[before] * (1 - share) + self.false_match_rates[after] * share
        nearest = after if excess[after] <= -excess[before] else before
        return float(rate), self._threshold(nearest)


def _share_at_or_above(rising: Rates, thresholds: Rates) -> Rates:
    shares: Rates = (len(rising) - np.searchsorted(rising, thresholds, side="left")) / len(rising)
    return shares


def verify(
    images: LabelledFeatures, *, across_cameras: bool = True, most_pairs: int = MOST_PAIRS, seed: int = 0
) -> Verification:
    """Judge how well cosine similarity tells same from different, over pairs of the given pictures.

    Parameters
    ----------
    images : labelled -1 are left out.
    across_cameras : take pairs of two cameras only, the case that matters in search.
    most_pairs : of each sort; more are drawn from at random.

    Raises
    ------
    DataError
        when there are too few pairs.
    """
    images = images.select(images.identities != JUNK)
    generator = np.random.default_rng(seed)
    cameras = images.cameras if across_cameras else np.arange(len(images))
    same = _same_pairs(images.identities, cameras, most_pairs, generator)
    different = _different_pairs(images.identities, cameras, most_pairs, generator)
    unit = unit_rows(images.features)
    return Verification(_similarities(unit, same), _similarities(unit, different))


def _same_pairs(identities: IntArray, cameras: IntArray, most: int, generator: np.random.Generator) -> IntArray:
    """Return (P, 2) pairs of one identity and two cameras; at most ``most``, then drawn at random."""
    index = IdentityIndex(identities)
    found: list[IntArray] = [np.zeros((0, 2), np.int64)]
    for identity in index.names.tolist():
        positions = index.positions(identity)
        pairs = positions[_pairs_of(len(positions), most, generator)]
        found.append(pairs[cameras[pairs[:, 0]] != cameras[pairs[:, 1]]])
    return _at_most(most, np.concatenate(found), generator)


def _different_pairs(identities: IntArray, cameras: IntArray, most: int, generator: np.random.Generator) -> IntArray:
    """Return (P, 2) pairs of two identities and two cameras; at most ``most``, then drawn at random."""
    pairs = _pairs_of(len(identities), most, generator)
    first, second = pairs.T
    is_wanted = (identities[first] != identities[second]) & (cameras[first] != cameras[second])
    return _at_most(most, pairs[is_wanted], generator)


def _pairs_of(count: int, most: int, generator: np.random.Generator) -> IntArray:
    """Return all pairs of ``count`` things where they are few, else several times ``most`` random ones."""
    if count * (count - 1) // 2 <= _DRAWN_PER_WANTED * most:
        return np.stack(np.triu_indices(count, 1), axis=1)
    return generator.integers(0, count, (_DRAWN_PER_WANTED * most, 2))


def _at_most(most: int, pairs: IntArray, generator: np.random.Generator) -> IntArray:
    return pairs if len(pairs) <= most else pairs[generator.choice(len(pairs), most, replace=False)]


def _similarities(unit: FloatArray, pairs: IntArray) -> FloatArray:
    similarities = np.empty(len(pairs), np.float32)
    for part in row_blocks(len(pairs), 1, _PAIRS_AT_ONCE):
        first, second = pairs[part].T
        similarities[part] = np.einsum("nd,nd->n", unit[first], unit[second])
    return similarities

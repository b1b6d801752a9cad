"""How far a model's similarities can be trusted here: from pairs that people decided on, or from labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import FloatArray, IntArray
from reid.labelled import LabelledFeatures
from reid.verification import Verification, verify
from store import vectors
from store.identity_tables import Rejection
from store.tables import Track

DECISIONS = "decisions"
FOLDER = "folder"
DEFAULT_FALSE_MATCH_RATE = 0.01
POSSIBLE_FACTOR = 10.0
"""How much more often “possible” may be wrong than “probable”."""
HISTOGRAM_BINS = 40
MOST_PAIRS = 200_000

PROBABLE, POSSIBLE, UNLIKELY = "probable", "possible", "unlikely"
Word = str


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What was measured of a model.

    Attributes
    ----------
    source : `DECISIONS` or `FOLDER`.
    measured_at : ISO 8601, UTC.
    wanted_false_match_rate : what the threshold of “probable” was chosen for.
    probable_from, possible_from : similarities; the rates say what pairs at or above them measured.
    edges, same, different : the histograms; ``edges`` has one more than the others.
    """

    source: str
    measured_at: str
    same_pairs: int
    different_pairs: int
    equal_error_rate: float
    equal_error_similarity: float
    area_under_curve: float
    wanted_false_match_rate: float
    probable_from: float
    probable_false_match_rate: float
    probable_true_match_rate: float
    possible_from: float
    possible_false_match_rate: float
    possible_true_match_rate: float
    edges: list[float]
    same: list[int]
    different: list[int]

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    def word(self, similarity: float) -> Word:
        """Return what to call an answer of that similarity; never a fact."""
        if similarity >= self.probable_from:
            return PROBABLE
        return POSSIBLE if similarity >= self.possible_from else UNLIKELY


def from_json(values: Mapping[str, Any] | None) -> Calibration | None:
    """Return a stored calibration; None for none."""
    return None if values is None else Calibration(**values)


def calibrated(
    verification: Verification, *, source: str, now: datetime, false_match_rate: float = DEFAULT_FALSE_MATCH_RATE
) -> Calibration:
    """Return the thresholds and histograms of measured pairs.

    Raises
    ------
    DataError
        when the pairs are too few to measure the wanted rate.
    """
    probable = verification.threshold_at(false_match_rate)
    possible = verification.threshold_at(min(1.0, false_match_rate * POSSIBLE_FACTOR))
    histograms = verification.histograms(HISTOGRAM_BINS)
    return Calibration(
        source=source,
        measured_at=now.isoformat(),
        same_pairs=verification.same_count,
        different_pairs=verification.different_count,
        equal_error_rate=verification.equal_error_rate,
        equal_error_similarity=verification.equal_error.similarity,
        area_under_curve=verification.area_under_curve,
        wanted_false_match_rate=false_match_rate,
        probable_from=probable.similarity,
        probable_false_match_rate=probable.false_match_rate,
        probable_true_match_rate=probable.true_match_rate,
        possible_from=possible.similarity,
        possible_false_match_rate=possible.false_match_rate,
        possible_true_match_rate=possible.true_match_rate,
        edges=histograms.edges.tolist(),
        same=histograms.same.tolist(),
        different=histograms.different.tolist(),
    )


def from_decisions(session: Session, model: str, *, seed: int = 0) -> Verification:
    """Measure a model on what people decided.

    Same: two confirmed tracks of one identity. Different: confirmed tracks of two
    identities, and a confirmed track and one that was rejected for its identity.

    Raises
    ------
    DataError
        when there are too few pairs.
    """
    rows = session.execute(
        select(Track.id, Track.identity_id).where(Track.identity_id.is_not(None), Track.is_confirmed)
    ).all()
    owners = {track_id: int(identity_id or 0) for track_id, identity_id in rows}
    rejected = session.execute(select(Rejection.identity_id, Rejection.track_id)).all()
    features = vectors.of_tracks(session, {*owners, *(track_id for _, track_id in rejected)}, model)
    members: dict[int, list[int]] = {}
    for track_id, identity_id in owners.items():
        if track_id in features:
            members.setdefault(identity_id, []).append(track_id)
    generator = np.random.default_rng(seed)
    same = [
        float(features[one] @ features[other])
        for tracks in members.values()
        for place, one in enumerate(tracks)
        for other in tracks[:place]
    ]
    different = [
        float(features[track_id] @ features[member])
        for identity_id, track_id in rejected
        if track_id in features
        for member in members.get(identity_id, ())
    ]
    different += _between_identities(members, features, generator)
    return Verification(np.array(same), np.array(different))


def from_labels(features: FloatArray, identities: IntArray, cameras: IntArray) -> Verification:
    """Measure a model on labelled pictures, pairs of two cameras where there are two.

    Raises
    ------
    DataError
        when there are too few pairs.
    """
    labelled = LabelledFeatures(features, identities, cameras)
    return verify(labelled, across_cameras=len(np.unique(cameras)) > 1, most_pairs=MOST_PAIRS)


def _between_identities(
    members: Mapping[int, list[int]], features: Mapping[int, FloatArray], generator: np.random.Generator
) -> list[float]:
    """Return similarities of confirmed tracks of two identities; a random choice where there are many."""
    tracks = [(identity_id, track_id) for identity_id, found in members.items() for track_id in found]
    if len(members) < 2:
        return []
    count = len(tracks)
    if count * (count - 1) // 2 <= MOST_PAIRS:
        pairs = [(one, other) for one in range(count) for other in range(one)]
    else:
        drawn = generator.integers(0, count, (MOST_PAIRS, 2))
        pairs = [(int(one), int(other)) for one, other in drawn]
    return [
        float(features[tracks[one][1]] @ features[tracks[other][1]])
        for one, other in pairs
        if tracks[one][0] != tracks[other][0]
    ]

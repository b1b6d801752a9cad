"""Which camera can follow which, and how soon: learnt from confirmed sightings, corrected by people, used as a prior.

For a candidate at camera b and a sighting of the person at camera a, the gap
is the time from the end of the earlier of the two to the start of the later.
The way from the earlier camera to the later one says

    bonus = +W        where least ≤ gap ≤ most
            +W e^−(gap − most) / (most + 60 s)     later: less and less is known
            −W        sooner than anybody was, and where a person said that there is no such way
            0         where nothing is known

and W (`WEIGHT`) is added to a cosine. Sooner than a person's own least time is
no answer at all: nobody can be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from records import FloatArray, IntArray
from store import cameras
from store.cameras import Pair, Sighting

WEIGHT = 0.05
LEAST_PASSAGES = 3
"""Passages that a way must have been seen to be used before it counts."""
_LATE_S = 60.0
_LEARNT_SLACK = 0.5
"""Somebody may be twice as fast as the fastest that was seen, and slower by half than nine in ten."""

Moments = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one camera follows another.

    Attributes
    ----------
    passages : how often it was confirmed.
    least_s, median_s, most_s : of the gap; the median is None where nothing was learnt.
    is_possible : False only where a person said so.
    is_edited : whether a person gave the times.
    """

    passages: int
    least_s: float
    median_s: float | None
    most_s: float
    is_possible: bool = True
    is_edited: bool = False

    @property
    def is_used(self) -> bool:
        """Whether searching looks at it."""
        return self.is_edited or self.passages >= LEAST_PASSAGES


def learn(sightings: Sequence[Sighting]) -> dict[Pair, Way]:
    """Return the ways that confirmed identities took.

    Parameters
    ----------
    sightings : identity by identity, each by time; only successive ones of one identity at two cameras count.
    """
    gaps: dict[Pair, list[float]] = {}
    for earlier, later in pairwise(sightings):
        if earlier.identity_id == later.identity_id and earlier.camera_id != later.camera_id:
            gap_s = max(0.0, later.begin_s - earlier.end_s)
            gaps.setdefault((earlier.camera_id, later.camera_id), []).append(gap_s)
    return {
        pair: Way(
            passages=len(found),
            least_s=min(found) * _LEARNT_SLACK,
            median_s=float(np.median(found)),
            most_s=float(np.quantile(found, 0.9)) * (1 + _LEARNT_SLACK),
        )
        for pair, found in gaps.items()
    }


def known_ways(session: Session) -> dict[Pair, Way]:
    """Return all ways, learnt and edited; what a person said wins."""
    ways = learn(cameras.confirmed_sightings(session))
    for link in cameras.links(session):
        pair = (link.from_camera_id, link.to_camera_id)
        learnt = ways.get(pair)
        ways[pair] = Way(
            passages=learnt.passages if learnt else 0,
            least_s=link.least_s,
            median_s=learnt.median_s if learnt else None,
            most_s=link.most_s,
            is_possible=link.is_possible,
            is_edited=True,
        )
    return ways


@dataclass(frozen=True)
class Seen:
    """When and where the person in question was seen, in true seconds since 1970."""

    camera_id: int
    begin_s: float
    end_s: float


class Prior:
    """What the ways say about candidates, seen from the sighting that is nearest to each in time."""

    def __init__(self, ways: Mapping[Pair, Way], seen: Iterable[Seen]) -> None:
        self._seen = sorted(seen, key=lambda each: each.begin_s)
        places = {each.camera_id for each in self._seen}
        self._ways = {pair: way for pair, way in ways.items() if way.is_used and places & set(pair)}

    @property
    def is_neutral(self) -> bool:
        """Whether it changes nothing."""
        return not (self._seen and self._ways)

    def judge(self, camera_ids: IntArray, begin_s: Moments, end_s: Moments) -> tuple[NDArray[np.bool_], FloatArray]:
        """Return (N,) which candidates are possible at all, and (N,) what to add to their similarity.

        Parameters
        ----------
        begin_s, end_s : of each candidate; NaN where unknown, which is never judged.
        """
        is_possible = np.ones(len(camera_ids), np.bool_)
        bonus = np.zeros(len(camera_ids), np.float32)
        nearest_s = np.full(len(camera_ids), np.inf)
        for seen in self._seen:
            after = begin_s >= seen.end_s
            gap_s = np.where(after, begin_s - seen.end_s, np.maximum(seen.begin_s - end_s, 0.0))
            is_nearer = gap_s < nearest_s
            nearest_s = np.where(is_nearer, gap_s, nearest_s)
            for (start, end), way in self._ways.items():
                if seen.camera_id not in (start, end):
                    continue
                other = end if start == seen.camera_id else start
                is_on_way = is_nearer & (camera_ids == other) & (after if start == seen.camera_id else ~after)
                rows = np.flatnonzero(is_on_way & np.isfinite(gap_s))
                if len(rows):
                    bonus[rows] = _bonus(way, gap_s[rows])
                    if way.is_edited and way.is_possible:
                        is_possible[rows] &= gap_s[rows] >= way.least_s
            bonus[is_nearer & (camera_ids == seen.camera_id)] = 0
        return is_possible, bonus


def _bonus(way: Way, gap_s: Moments) -> FloatArray:
    if not way.is_possible:
        return np.full(len(gap_s), -WEIGHT, np.float32)
    fading = np.exp(-np.maximum(gap_s - way.most_s, 0.0) / (way.most_s + _LATE_S))
    return np.where(gap_s < way.least_s, -WEIGHT, WEIGHT * fading).astype(np.float32)

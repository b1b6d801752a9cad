"""Link the pieces of broken tracks: always the join with the most evidence, never two boxes in one frame.

Evidence is a log likelihood ratio in nats. Of motion: how well the end of one
piece leads to the beginning of the other within the gap, against a stranger
who begins anywhere. Of appearance: whether the distance of the mean features
is usual for one person or for two; that of several embedders adds up. Groups of pieces are joined greedily, the
best first; a join that would put two boxes of one identity into a frame has no
evidence at all.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from deep_sort.linking_options import AppearanceScale, LinkingOptions
from deep_sort.piece_ends import PieceEnd

Floats = NDArray[np.float64]

_IMPOSSIBLE = -math.inf
_NO_WEIGHT = 1e-6


Look = tuple[Floats, float]


@dataclass(frozen=True, eq=False)
class Piece:
    """A stretch of one track.

    Attributes
    ----------
    head, tail : how it begins and ends.
    looks : for each embedder, the (D,) float64 sum of the piece's unit features by weight, and the sum of the weights,
        0 without features.
    """

    head: PieceEnd
    tail: PieceEnd
    looks: tuple[Look, ...]


def link(pieces: Sequence[Piece], options: LinkingOptions) -> list[list[int]]:
    """Return the identities: for each, the positions of its pieces in order of time.

    Parameters
    ----------
    pieces : T of them; T may be 0.
    """
    groups = _Groups(pieces, options)
    heap: list[tuple[float, int, int, int, int]] = []

    def consider(first: int, second: int) -> None:
        first, second = min(first, second), max(first, second)
        evidence = groups.evidence(first, second)
        if evidence > 0:
            heapq.heappush(heap, (-evidence, first, second, groups.versions[first], groups.versions[second]))

    for first, second in _neighbours(pieces, options):
        groups.neighbours[first].add(second)
        groups.neighbours[second].add(first)
        consider(first, second)
    while heap:
        _, first, second, first_version, second_version = heapq.heappop(heap)
        if groups.versions.get(first) == first_version and groups.versions.get(second) == second_version:
            groups.join(first, second)
            for other in sorted(groups.neighbours[first]):
                consider(first, other)
    return list(groups.members.values())


def _neighbours(pieces: Sequence[Piece], options: LinkingOptions) -> list[tuple[int, int]]:
    """Return the pairs of which the second piece may go on where the first ends."""
    order = sorted(range(len(pieces)), key=lambda index: pieces[index].head.time_s)
    starts_s = [pieces[index].head.time_s for index in order]
    pairs = []
    for index, piece in enumerate(pieces):
        low = int(np.searchsorted(starts_s, piece.tail.time_s, side="right"))
        high = int(np.searchsorted(starts_s, piece.tail.time_s + options.max_gap_s, side="right"))
        pairs += [
            (index, other)
            for other in order[low:high]
            if motion_evidence(piece.tail, pieces[other].head, options) > _IMPOSSIBLE
        ]
    return pairs


def motion_evidence(tail: PieceEnd, head: PieceEnd, options: LinkingOptions) -> float:
    """Return the evidence, in nats, that a piece that ends in ``tail`` goes on in ``head``; −∞ where it cannot.

    The error is the distance of ``head`` to where ``tail`` was heading and of ``tail`` to where ``head`` came
    from, speeds fading with ``speed_memory_s``; or the distance at their mean speed, whichever is smaller.
    """
    gap_s = head.time_s - tail.time_s
    if gap_s <= 0 or gap_s > options.max_gap_s:
        return _IMPOSSIBLE
    height = math.sqrt(tail.height * head.height)
    dx, dy = head.x - tail.x, head.y - tail.y
    if math.hypot(dx, dy) > height * (1 + options.max_speed * gap_s):
        return _IMPOSSIBLE
    reach_s = options.speed_memory_s * (1 - math.exp(-gap_s / options.speed_memory_s))
    forward = (dx - tail.vx * reach_s) ** 2 + (dy - tail.vy * reach_s) ** 2
    backward = (dx - head.vx * reach_s) ** 2 + (dy - head.vy * reach_s) ** 2
    through = (dx - (tail.vx + head.vx) / 2 * gap_s) ** 2 + (dy - (tail.vy + head.vy) / 2 * gap_s) ** 2
    error = min((forward + backward) / 2, through) / height**2
    variance = options.position_sigma**2 + (options.drift_sigma * gap_s) ** 2
    size_variance = options.size_sigma**2 + (options.size_drift * gap_s) ** 2
    growth = math.log(head.height / tail.height) ** 2 / size_variance
    density = options.border_density if tail.is_at_border and head.is_at_border else options.density
    return -0.5 * error / variance - 0.5 * growth - math.log(2 * math.pi * variance * density)


def appearance_evidence(distance: float, scale: AppearanceScale) -> float:
    """Return the evidence, in nats, of a cosine distance of two mean features: normal densities, held flat outside."""
    same = max(distance - scale.usual_same, 0) / scale.spread_same
    other = min(distance - scale.usual_other, 0) / scale.spread_other
    ratio = 0.5 * (other**2 - same**2) + math.log(scale.spread_other / scale.spread_same)
    return min(max(ratio, -scale.max_against), scale.max_for)


def _look_evidence(first: Look, second: Look, scale: AppearanceScale) -> float:
    """Return the evidence of what one embedder saw of two groups; 0 where it did not see both."""
    (a, a_weight), (b, b_weight) = first, second
    if min(a_weight, b_weight) <= _NO_WEIGHT:
        return 0.0
    lengths = math.sqrt(float(a @ a) * float(b @ b))
    if lengths <= 0:
        return 0.0
    certainty = min(1.0, a_weight / scale.min_weight, b_weight / scale.min_weight)
    return certainty * appearance_evidence(1 - float(a @ b) / lengths, scale)


class _Groups:
    """Pieces joined so far: for each group its pieces in order, and the sum of their features."""

    def __init__(self, pieces: Sequence[Piece], options: LinkingOptions) -> None:
        self._pieces = pieces
        self._options = options
        self.members = {index: [index] for index in range(len(pieces))}
        self.versions = dict.fromkeys(self.members, 0)
        self.neighbours: dict[int, set[int]] = {index: set() for index in self.members}
        self._looks = {index: piece.looks for index, piece in enumerate(pieces)}

    def evidence(self, first: int, second: int) -> float:
        """Return the evidence that two groups are one person; −∞ where they share a frame."""
        motion = self._motion(first, second)
        return motion if motion == _IMPOSSIBLE else motion + self._appearance(first, second)

    def _motion(self, first: int, second: int) -> float:
        """Return the evidence of pieces that become neighbours in time, less that of those that come apart."""
        pieces = self._pieces
        mixed = [(pieces[k].head.time_s, 0, k) for k in self.members[first]]
        mixed = sorted(mixed + [(pieces[k].head.time_s, 1, k) for k in self.members[second]])
        total = 0.0
        last_of_side = {mixed[0][1]: mixed[0][2]}
        for (_, side_before, before), (_, side, after) in pairwise(mixed):
            if pieces[after].head.time_s <= pieces[before].tail.time_s:
                return _IMPOSSIBLE
            if side != side_before:
                total += motion_evidence(pieces[before].tail, pieces[after].head, self._options)
                if side in last_of_side:
                    parted = pieces[last_of_side[side]].tail
                    total -= motion_evidence(parted, pieces[after].head, self._options)
                if total == _IMPOSSIBLE:
                    return total
            last_of_side[side] = after
        return total

    def _appearance(self, first: int, second: int) -> float:
        scales = self._options.appearances
        return sum(map(_look_evidence, self._looks[first], self._looks[second], scales))

    def join(self, first: int, second: int) -> None:
        """Make the second group a part of the first."""
        joined = self.members[first] + self.members.pop(second)
        self.members[first] = sorted(joined, key=lambda index: self._pieces[index].head.time_s)
        both = zip(self._looks[first], self._looks.pop(second), strict=True)
        self._looks[first] = tuple((a + b, a_weight + b_weight) for (a, a_weight), (b, b_weight) in both)
        self.versions[first] += 1
        del self.versions[second]
        for other in self.neighbours.pop(second) - {first}:
            self.neighbours[other].discard(second)
            self.neighbours[other].add(first)
            self.neighbours[first].add(other)
        self.neighbours[first].discard(second)

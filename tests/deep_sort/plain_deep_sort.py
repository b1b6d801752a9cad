"""DeepSORT as the paper tells it, a track and a pair at a time: slow, and plain to read.

The tests compare the fast one with it. Matching tries every possibility, so scenes must be small.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

MOTION = np.eye(8) + np.eye(8, k=4)
MEASURING = np.eye(4, 8)
GATE = 9.4877


class PlainKalmanFilter:
    """One track's Kalman filter, with all matrices written out."""

    def __init__(self, measurement):
        h = max(measurement[3], 1)
        self.mean = np.r_[measurement, 0, 0, 0, 0]
        self.covariance = np.diag(np.square([h / 10, h / 10, 0.01, h / 10, h / 16, h / 16, 1e-5, h / 16]))

    def predict(self):
        h = max(self.mean[3], 1)
        noise = np.diag(np.square([h / 20, h / 20, 0.01, h / 20, h / 160, h / 160, 1e-5, h / 160]))
        for size in (2, 3):
            if self.mean[size] + self.mean[size + 4] <= 0:
                self.mean[size + 4] = 0
        self.mean = MOTION @ self.mean
        self.covariance = MOTION @ self.covariance @ MOTION.T + noise

    def innovation(self):
        h = max(self.mean[3], 1)
        noise = np.diag(np.square([h / 20, h / 20, 0.1, h / 20]))
        return MEASURING @ self.covariance @ MEASURING.T + noise

    def squared_distance(self, measurement):
        residual = measurement - MEASURING @ self.mean
        return residual @ np.linalg.inv(self.innovation()) @ residual

    def update(self, measurement):
        innovation = self.innovation()
        gain = self.covariance @ MEASURING.T @ np.linalg.inv(innovation)
        self.mean = self.mean + gain @ (measurement - MEASURING @ self.mean)
        self.covariance = self.covariance - gain @ innovation @ gain.T


def to_xyah(box):
    x1, y1, x2, y2 = map(float, box)
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / (y2 - y1), y2 - y1])


def to_xyxy(xyah):
    x, y, a, h = xyah
    return np.array([x - a * h / 2, y - h / 2, x + a * h / 2, y + h / 2])


def overlap(a, b):
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def best_matching(costs, max_cost):
    """Try every way to pair rows with columns; return the pairs of the cheapest one."""
    height, width = len(costs), len(costs[0]) if len(costs) else 0
    short, long, flipped = (height, width, False) if height <= width else (width, height, True)
    best, best_total = [], math.inf
    for choice in itertools.permutations(range(long), short):
        pairs = [(other, one) if flipped else (one, other) for one, other in enumerate(choice)]
        allowed = [(row, column) for row, column in pairs if costs[row][column] <= max_cost]
        total = sum(costs[row][column] for row, column in allowed)
        total += (max_cost + 1e-5) * (short - len(allowed))
        if total < best_total:
            best, best_total = allowed, total
    return sorted(best)


@dataclass
class PlainTrack:
    filter: PlainKalmanFilter
    features: list
    number: int = 0
    hits: int = 1
    missed: int = 0
    features_kept: int = field(default=100)

    def appearance_distance(self, feature):
        return min(
            1 - float(np.dot(feature, kept) / (np.linalg.norm(feature) * np.linalg.norm(kept)))
            for kept in self.features[-self.features_kept :]
        )


class PlainDeepSort:
    """Tracks boxes with features; `step` returns (number, box, row) of the confirmed tracks that were seen."""

    def __init__(self, options):
        self.options = options
        self.tracks = []
        self.next_number = 1

    def step(self, boxes, features):
        for track in self.tracks:
            track.filter.predict()
            track.missed += 1
        pairs, free = self._by_appearance(boxes, features)
        pairs += self._by_overlap(boxes, [track for track, _ in pairs], free)
        for track, row in pairs:
            track.filter.update(to_xyah(boxes[row]))
            track.hits += 1
            track.missed = 0
            track.features.append(features[row])
        seen = {id(track): row for track, row in pairs}
        for row in range(len(boxes)):
            if row not in seen.values():
                track = PlainTrack(PlainKalmanFilter(to_xyah(boxes[row])), [features[row]])
                track.features_kept = self.options.nn_budget
                self.tracks.append(track)
                seen[id(track)] = row
        self.tracks = [t for t in self.tracks if t.missed <= (self.options.max_age if t.number else 0)]
        for track in self.tracks:
            if not track.number and track.hits >= self.options.n_init:
                track.number, self.next_number = self.next_number, self.next_number + 1
        return sorted(
            (track.number, tuple(to_xyxy(track.filter.mean[:4])), seen[id(track)])
            for track in self.tracks
            if track.number and track.missed == 0
        )

    def _by_appearance(self, boxes, features):
        pairs, free = [], list(range(len(boxes)))
        for missed in range(1, self.options.max_age + 2):
            tracks = [track for track in self.tracks if track.number and track.missed == missed]
            costs = [[self._appearance_cost(track, boxes[row], features[row]) for row in free] for track in tracks]
            chosen = best_matching(costs, self.options.max_cosine_distance)
            pairs += [(tracks[a], free[b]) for a, b in chosen]
            free = [row for row in free if row not in [free[b] for _, b in chosen]]
        return pairs, free

    def _appearance_cost(self, track, box, feature):
        if track.filter.squared_distance(to_xyah(box)) > GATE:
            return math.inf
        return track.appearance_distance(feature)

    def _by_overlap(self, boxes, matched, free):
        tracks = [t for t in self.tracks if t not in matched and (not t.number or t.missed == 1)]
        costs = [[1 - overlap(to_xyxy(t.filter.mean[:4]), boxes[row]) for row in free] for t in tracks]
        return [(tracks[a], free[b]) for a, b in best_matching(costs, self.options.max_iou_distance)]

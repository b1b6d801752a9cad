"""DeepSORT: which boxes of successive frames belong to one person or vehicle.

A frame goes through four steps. All tracks move on by their Kalman filters.
Confirmed tracks are matched with the detections inside their gates by
appearance, those seen last first. Tentative tracks and tracks seen in the
frame before are matched with what is left by overlap. What is still left
begins new tracks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_sort import kalman_filter
from deep_sort.detection import checked_boxes, checked_features, xyxy_to_xyah
from deep_sort.iou_matching import iou_costs
from deep_sort.linear_assignment import matching_cascade, min_cost_matching
from deep_sort.nn_matching import NearestNeighbourMetric
from deep_sort.track import NOT_SEEN, Tracks

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class TrackerOptions:
    """The settings of a tracker.

    Attributes
    ----------
    max_cosine_distance : larger distances of appearance never match; above 0, at most 2. It depends on the embedder.
    nn_budget : features kept a track; None keeps all of them.
    max_iou_distance : larger values of 1 − IoU never match by overlap; above 0, at most 1.
    max_age : frames without a detection that a confirmed track survives.
    n_init : detections in successive frames after which a track is confirmed.

    Raises
    ------
    ValueError
        for values out of these ranges.
    """

    max_cosine_distance: float = 0.2
    nn_budget: int | None = 100
    max_iou_distance: float = 0.7
    max_age: int = 70
    n_init: int = 3

    def __post_init__(self) -> None:
        for name, largest in (("max_cosine_distance", 2), ("max_iou_distance", 1)):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 < value <= largest):
                raise ValueError(f"{name} must be above 0 and at most {largest}, not {value}")
        if self.nn_budget is not None and self.nn_budget < 1:
            raise ValueError(f"nn_budget must be 1 or more, or None for no limit, not {self.nn_budget}")
        if self.max_age < 0:
            raise ValueError(f"max_age must be 0 or more, not {self.max_age}")
        if self.n_init < 1:
            raise ValueError(f"n_init must be 1 or more, not {self.n_init}")


@dataclass(frozen=True, eq=False)
class TrackedBoxes:
    """The confirmed tracks that were seen in one frame, in the order in which they got their numbers.

    Attributes
    ----------
    track_numbers : (M,) int64.
    boxes_xyxy : (M, 4) float32 pixels, the filtered boxes; they may reach over the frame's border.
    detection_indices : (M,) int64 the row of the frame's input that each track was seen as.
    """

    track_numbers: Indices
    boxes_xyxy: NDArray[np.float32]
    detection_indices: Indices

    def __len__(self) -> int:
        return len(self.track_numbers)


@dataclass(frozen=True, eq=False)
class _Detections:
    """What can be tracked in one frame: N boxes that have an area."""

    boxes_xyxy: Floats
    measurements: Floats
    input_indices: Indices
    features: NDArray[np.float32] | None
    has_feature: Mask

    def __len__(self) -> int:
        return len(self.boxes_xyxy)


class Tracker:
    """Follows the objects of one kind through one video.

    Parameters
    ----------
    numbers : where new tracks get their numbers from; several trackers of one video share it.
        A track takes its number when it is confirmed, so that none is wasted. 1, 2, … by default.
    """

    def __init__(self, options: TrackerOptions, *, numbers: Iterator[int] | None = None) -> None:
        self._options = options
        self._tracks = Tracks(
            n_init=options.n_init, max_age=options.max_age, numbers=count(1) if numbers is None else numbers
        )
        self._metric = NearestNeighbourMetric("cosine", budget=options.nn_budget)
        self._dimension: int | None = None

    def step(
        self, boxes_xyxy: NDArray[Any], scores: NDArray[Any], features: NDArray[Any] | None = None
    ) -> TrackedBoxes:
        """Take in one frame; call it for every frame, also for those without boxes.

        Parameters
        ----------
        boxes_xyxy : (N, 4) pixels; N may be 0. Boxes without an area are passed over.
        scores : (N,) numbers; checked, not weighed.
        features : (N, D) appearance of the boxes. A row that is zero or not finite matches nothing by appearance.
            None: the frame has no appearances, and confirmed tracks are matched by gate and overlap.

        Raises
        ------
        ValueError
            for wrong shapes, boxes that are not finite or inside out, and a D that differs from earlier frames.
            The tracker is as before then.
        """
        detections = self._detections(boxes_xyxy, scores, features)
        tracks = self._tracks
        tracks.predict()
        rows, columns = self._associate(detections)
        tracks.update(rows, detections.measurements[columns], detections.input_indices[columns])
        is_new = np.ones(len(detections), bool)
        is_new[columns] = False
        tracks.start(detections.measurements[is_new], detections.input_indices[is_new])
        self._metric.forget(tracks.remove_lost().tolist())
        tracks.confirm()
        self._keep_features(detections)
        return self._seen()

    def _detections(self, boxes_xyxy: NDArray[Any], scores: NDArray[Any], features: NDArray[Any] | None) -> _Detections:
        boxes = checked_boxes(boxes_xyxy, scores)
        prepared, has_feature = None, np.zeros(len(boxes), bool)
        if features is not None:
            rows = checked_features(features, len(boxes), self._dimension)
            if len(rows):
                self._dimension = rows.shape[1]
            prepared, has_feature = self._metric.prepare(rows)
        indices = (boxes[:, 2:] > boxes[:, :2]).all(axis=1).nonzero()[0]
        if len(indices) < len(boxes):
            boxes, has_feature = boxes[indices], has_feature[indices]
            prepared = None if prepared is None else prepared[indices]
        return _Detections(boxes, xyxy_to_xyah(boxes), indices, prepared, has_feature)

    def _associate(self, detections: _Detections) -> tuple[Indices, Indices]:
        """Return the (K,) rows of tracks and the (K,) detections that are theirs."""
        if not len(self._tracks) or not len(detections):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        rows, columns = self._cascade(detections)
        tracks = self._tracks
        is_candidate = tracks.ages == 1  # holds for every tentative track, too: it ends with its first miss
        is_candidate[rows] = False
        is_left = np.ones(len(detections), bool)
        is_left[columns] = False
        candidates, left = is_candidate.nonzero()[0], is_left.nonzero()[0]
        if not len(candidates) or not len(left):
            return rows, columns
        costs = iou_costs(tracks.boxes_xyxy(candidates), detections.boxes_xyxy[left])
        more_rows, more_columns = min_cost_matching(costs, self._options.max_iou_distance)
        return (
            np.concatenate([rows, candidates[more_rows]]),
            np.concatenate([columns, left[more_columns]]),
        )

    def _cascade(self, detections: _Detections) -> tuple[Indices, Indices]:
        """Match confirmed tracks with detections inside their gates."""
        tracks, features = self._tracks, detections.features
        confirmed = tracks.is_confirmed.nonzero()[0]
        if not len(confirmed):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        gating = kalman_filter.squared_gating_distances(
            tracks.means[confirmed], tracks.covariances[confirmed], detections.measurements
        )
        admissible = gating <= kalman_filter.GATE
        if features is not None:
            admissible &= detections.has_feature

        def costs_of(rows: Indices, columns: Indices, allowed: Mask) -> NDArray[Any]:
            if features is not None:
                return self._metric.distances(tracks.keys[confirmed[rows]].tolist(), features[columns], allowed)
            costs = iou_costs(tracks.boxes_xyxy(confirmed[rows]), detections.boxes_xyxy[columns])
            return np.where(allowed, costs, np.inf)

        max_cost = self._options.max_iou_distance if features is None else self._options.max_cosine_distance
        rows, columns = matching_cascade(costs_of, max_cost, tracks.ages[confirmed], admissible)
        return confirmed[rows], columns

    def _keep_features(self, detections: _Detections) -> None:
        if detections.features is None:
            return
        tracks = self._tracks
        seen = (tracks.detection_indices != NOT_SEEN).nonzero()[0]
        position = np.searchsorted(detections.input_indices, tracks.detection_indices[seen])
        usable = detections.has_feature[position]
        self._metric.add(tracks.keys[seen[usable]].tolist(), detections.features[position[usable]])

    def _seen(self) -> TrackedBoxes:
        tracks = self._tracks
        rows = (tracks.is_confirmed & (tracks.detection_indices != NOT_SEEN)).nonzero()[0]
        boxes = tracks.boxes_xyxy(rows).astype(np.float32)
        return TrackedBoxes(tracks.numbers[rows], boxes, tracks.detection_indices[rows])

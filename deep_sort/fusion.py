"""The tracker of recorded and live video: motion and looks in one cost, low scores in a second round.

A frame goes through these steps. Tracks move on, after the camera where it
moved. All of them, seen of late or lost, are matched at once with the boxes of
high score: a pair costs its squared Mahalanobis distance and its distance of
appearance, each in units of what is usual (the fused cost of StrongSORT and
BoT-SORT, without their hard gate of appearance). The looks of a box that
another one hides count less, and a box without a feature counts as neither
like nor unlike. Tracks seen a moment ago are then matched with boxes of low
score by overlap (ByteTrack). What is left of a good score begins new tracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from deep_sort.axis_filter import xyxy_to_cxcywh
from deep_sort.detection import checked_boxes, checked_features
from deep_sort.fused_tracks import NOT_SEEN, FusedTracks, FusionInput
from deep_sort.fusion_options import FusionOptions
from deep_sort.overlaps import hidden_shares, pairwise_iou
from deep_sort.tracker import TrackedBoxes

Floats = NDArray[np.float64]
Features = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

__all__ = ["FusionOptions", "FusionTracker"]

_NEVER = 1e6  # the cost of a pair that must not be


class FusionTracker:
    """Follows the objects of one kind through one video.

    Parameters
    ----------
    numbers : where new tracks get their numbers from; several trackers of one video share it. 1, 2, … by default.
        A track takes its number when it begins, so numbers of tracks that were never confirmed do not appear.
    """

    def __init__(self, options: FusionOptions, *, numbers: Iterator[int] | None = None) -> None:
        self._options = options
        self._low_round = max(1, round(options.low_round_s * options.frame_rate))
        self._tracks = FusedTracks(options, count(1) if numbers is None else numbers)
        self._dimension: int | None = None

    def step(
        self,
        boxes_xyxy: NDArray[Any],
        scores: NDArray[Any],
        features: NDArray[Any] | None = None,
        *,
        camera_affine: NDArray[Any] | None = None,
    ) -> TrackedBoxes:
        """Take in one frame; call it for every frame, also for those without boxes.

        Parameters
        ----------
        boxes_xyxy : (N, 4) pixels; N may be 0. Boxes without an area are passed over.
        scores : (N,), 0 to 1.
        features : (N, D) appearance of the boxes; a row that is zero or not finite tells nothing: such a box is
            matched by where it is. None: no box of the frame has one.
        camera_affine : (2, 3) similarity that carries points of the last frame to this one; None: the camera rests.

        Returns
        -------
        the confirmed tracks that were seen in this frame.

        Raises
        ------
        ValueError
            for wrong shapes, values that are not finite, boxes that are inside out, and a D that differs from
            earlier frames. The tracker is as before then.
        """
        affine = None if camera_affine is None else _checked_affine(camera_affine)
        frame = self._input(boxes_xyxy, scores, features)
        options, tracks = self._options, self._tracks
        tracks.predict(affine)
        high = np.flatnonzero(frame.scores >= options.high_score)
        rows, columns = self._first_round(high, frame)
        is_free = np.ones(len(tracks), bool)
        is_free[rows] = False
        tracks.update(rows, columns, frame)
        tracks.learn(rows, columns, frame)
        low = np.flatnonzero((frame.scores < options.high_score) & (frame.scores >= options.low_score))
        tracks.update(*self._second_round(is_free, low, frame), frame)
        tracks.drop_lost()
        tracks.start(self._beginnings(columns, frame), frame)
        return self._seen(frame)

    def _input(self, boxes_xyxy: NDArray[Any], scores: NDArray[Any], features: NDArray[Any] | None) -> FusionInput:
        boxes = checked_boxes(boxes_xyxy, scores)
        if features is None:
            rows = np.zeros((len(boxes), self._tracks.features.shape[1]), np.float32)
        else:
            rows = checked_features(features, len(boxes), self._dimension)
            if self._dimension is None and len(rows):
                self._dimension = rows.shape[1]
                self._tracks.set_dimension(self._dimension)
            elif not len(rows):
                rows = np.zeros((0, self._tracks.features.shape[1]), np.float32)
        indices = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        if len(indices) < len(boxes):
            boxes, rows = boxes[indices], rows[indices]
        unit, is_usable = _unit_rows(rows)
        return FusionInput(
            boxes_xyxy=boxes,
            boxes_cxcywh=xyxy_to_cxcywh(boxes),
            scores=np.asarray(scores, np.float64)[indices],
            features=unit,
            trust=(1 - hidden_shares(boxes)) * is_usable,
            input_indices=indices,
        )

    def _first_round(self, high: Indices, frame: FusionInput) -> tuple[Indices, Indices]:
        """Return the (K,) rows of tracks and the (K,) boxes of high score that are theirs."""
        options, tracks = self._options, self._tracks
        if not len(high) or not len(tracks):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        far = tracks.motion.squared_distances(frame.boxes_cxcywh[high])
        trust = frame.trust[high] * tracks.has_feature[:, None]
        unlike = 1 - tracks.features @ frame.features[high].T
        unlike = options.unsure_appearance + trust * (unlike - options.unsure_appearance)
        costs = far / options.usual_squared_distance + unlike / options.usual_appearance
        costs[(far > options.max_squared_distance) | (costs > options.max_cost)] = _NEVER
        rows, columns = _assign(costs)
        return rows, high[columns]

    def _second_round(self, is_free: Mask, low: Indices, frame: FusionInput) -> tuple[Indices, Indices]:
        """Return the (K,) rows of confirmed tracks seen of late and the (K,) boxes of low score that are theirs."""
        tracks = self._tracks
        left = np.flatnonzero(is_free & (tracks.lost <= self._low_round) & tracks.is_confirmed)
        if not len(left) or not len(low):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        overlaps = pairwise_iou(tracks.boxes_xyxy()[left], frame.boxes_xyxy[low])
        rows, columns = _assign(np.where(overlaps < self._options.min_low_iou, _NEVER, 1 - overlaps))
        return left[rows], low[columns]

    def _beginnings(self, used: Indices, frame: FusionInput) -> Indices:
        """Return the boxes that begin tracks: good ones left over that are no doubles of those matched."""
        is_new = frame.scores >= self._options.start_score
        is_new[used] = False
        new = np.flatnonzero(is_new)
        if len(new) and len(used):
            doubled = pairwise_iou(frame.boxes_xyxy[new], frame.boxes_xyxy[used]).max(axis=1)
            new = new[doubled < self._options.max_start_iou]
        return new

    def _seen(self, frame: FusionInput) -> TrackedBoxes:
        tracks = self._tracks
        rows = np.flatnonzero((tracks.detections != NOT_SEEN) & tracks.is_confirmed)
        boxes = tracks.boxes_xyxy()[rows].astype(np.float32)
        return TrackedBoxes(tracks.numbers[rows], boxes, frame.input_indices[tracks.detections[rows]])


def _assign(costs: Floats) -> tuple[Indices, Indices]:
    """Return the pairs of the cheapest assignment, without those that must not be."""
    rows, columns = linear_sum_assignment(costs)
    is_found = costs[rows, columns] < _NEVER
    return rows[is_found], columns[is_found]


def _unit_rows(features: Features) -> tuple[Features, Mask]:
    """Return (N, D) rows of unit length, zero where unusable, and (N,) which of them are usable."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("nd,nd->n", features, features))
    is_usable = np.isfinite(lengths) & (lengths > 0)
    if not is_usable.all():
        features = np.where(is_usable[:, None], features, 0).astype(np.float32)
    unit = features / np.where(is_usable, lengths, 1)[:, None]
    return unit.astype(np.float32, copy=False), is_usable


def _checked_affine(camera_affine: NDArray[Any]) -> Floats:
    affine = np.asarray(camera_affine, np.float64)
    if affine.shape != (2, 3) or not np.isfinite(affine).all():
        raise ValueError(f"camera_affine must be a finite (2, 3) matrix, not {affine.tolist()}")
    return affine

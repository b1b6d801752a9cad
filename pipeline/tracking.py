"""One tracker for each kind of thing, and one numbering for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np

from boxes import clip_to_frame
from deep_sort.tracker import Tracker, TrackerOptions
from records import CLASS_KINDS, Detections, FloatArray, IntArray, Kind

_KINDS = tuple(Kind)
_KIND_OF_CLASS = np.array([_KINDS.index(kind) for kind in CLASS_KINDS])


@dataclass(frozen=True, eq=False)
class FrameTracks:
    """The tracks seen in one frame.

    Attributes
    ----------
    track_numbers : (M,) int64, as drawn: 1, 2, … in order of appearance; M may be 0.
    boxes_xyxy : (M, 4) float32 pixels, smoothed by the tracker, clipped to the frame.
    detection_indices : (M,) int64, rows of the frame's detections.
    """

    track_numbers: IntArray
    boxes_xyxy: FloatArray
    detection_indices: IntArray


class KindTrackers:
    """Tracks people and vehicles apart, so that no box of one continues a track of the other.

    Parameters
    ----------
    options : for each of the trackers.
    width, height : of a frame, to clip the tracks' boxes.
    """

    def __init__(self, options: TrackerOptions, *, width: int, height: int) -> None:
        numbers = count(1)
        self._trackers = [Tracker(options, numbers=numbers) for _ in _KINDS]
        self._drawn_numbers: dict[int, int] = {}
        self._width, self._height = width, height

    def step(self, detections: Detections, embeddings: FloatArray) -> FrameTracks:
        """Track one frame; call it for every frame, also for those without detections.

        Parameters
        ----------
        embeddings : (N, D) float32 of unit length, a row a detection.
        """
        parts = [self._step_kind(index, detections, embeddings) for index in range(len(_KINDS))]
        numbers, boxes, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        boxes = clip_to_frame(boxes, self._width, self._height)
        is_visible = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        numbers, boxes, rows = numbers[is_visible], boxes[is_visible], rows[is_visible]
        drawn = [self._drawn_numbers.setdefault(int(number), len(self._drawn_numbers) + 1) for number in numbers]
        return FrameTracks(np.array(drawn, np.int64), boxes, rows)

    def _step_kind(
        self, kind_index: int, detections: Detections, embeddings: FloatArray
    ) -> tuple[IntArray, FloatArray, IntArray]:
        rows = np.flatnonzero(_KIND_OF_CLASS[detections.class_ids] == kind_index)
        seen = self._trackers[kind_index].step(detections.boxes_xyxy[rows], detections.scores[rows], embeddings[rows])
        return seen.track_numbers, seen.boxes_xyxy, rows[seen.detection_indices]

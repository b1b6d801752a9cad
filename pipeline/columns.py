"""Collect the boxes of a running job in flat arrays: 37 bytes each, no object a box."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.detections import FoundBoxes
from pipeline.tracking import FrameTracks
from records import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class TrackedBoxes:
    """The boxes that a tracker put into tracks, a row each, in order of frame, then of track.

    Attributes
    ----------
    frames : (P,) int64 counted over the analysed frames alone; P may be 0.
    track_numbers, pieces : (P,) int64 the track, and the piece without a gap that the box is in.
    boxes_xyxy : (P, 4) float32 as the tracker smoothed them.
    detections : (P,) int64 rows of the video's detections.
    class_ids : (P,) int64.
    scores : (P,) float32 detection scores.
    """

    frames: IntArray
    track_numbers: IntArray
    pieces: IntArray
    boxes_xyxy: FloatArray
    detections: IntArray
    class_ids: IntArray
    scores: FloatArray

    def __len__(self) -> int:
        return len(self.frames)

    def select(self, rows: IntArray | NDArray[np.bool_]) -> TrackedBoxes:
        """Return the chosen rows."""
        return TrackedBoxes(**{item.name: getattr(self, item.name)[rows] for item in fields(self)})


class BoxColumns:
    """Grows `TrackedBoxes` frame by frame."""

    def __init__(self) -> None:
        self.frame_count = 0
        self._detection_count = 0
        self._whole = {name: array("i") for name in ("frames", "track_numbers", "pieces", "detections")}
        self._class_ids = array("b")
        self._real = {name: array("f") for name in ("boxes_xyxy", "scores")}

    def add_frame(self, found: FoundBoxes, tracks: FrameTracks, pieces: IntArray) -> None:
        """Append a frame.

        Parameters
        ----------
        tracks : in any order; they are stored in rising order of their numbers.
        pieces : (M,) one a track.
        """
        order = np.argsort(tracks.track_numbers, kind="stable")
        rows = tracks.detection_indices[order]
        for name, values in (
            ("frames", np.full(len(rows), self.frame_count)),
            ("track_numbers", tracks.track_numbers[order]),
            ("pieces", pieces[order]),
            ("detections", rows + self._detection_count),
        ):
            self._whole[name].frombytes(values.astype(np.int32).tobytes())
        self._class_ids.frombytes(found.detections.class_ids[rows].astype(np.int8).tobytes())
        for name, real in (
            ("boxes_xyxy", tracks.boxes_xyxy[order]),
            ("scores", found.detections.scores[rows]),
        ):
            self._real[name].frombytes(real.astype(np.float32).tobytes())
        self.frame_count += 1
        self._detection_count += len(found.detections)

    def table(self) -> TrackedBoxes:
        """Return the boxes so far."""
        whole = {name: np.array(values, np.int64) for name, values in self._whole.items()}
        return TrackedBoxes(
            whole["frames"],
            whole["track_numbers"],
            whole["pieces"],
            np.array(self._real["boxes_xyxy"], np.float32).reshape(-1, 4),
            whole["detections"],
            np.array(self._class_ids, np.int64),
            np.array(self._real["scores"], np.float32),
        )

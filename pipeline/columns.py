"""Collect the points of a running job in flat arrays: 28 bytes each, no object a point."""

from __future__ import annotations

from array import array

import numpy as np

from points import PointTable
from records import FloatArray, IntArray


class PointColumns:
    """Grows a `PointTable` frame by frame."""

    def __init__(self) -> None:
        self._frame_pts_s = array("d")
        self._frames = array("i")
        self._track_numbers = array("i")
        self._boxes = array("f")
        self._scores = array("f")

    @property
    def frame_count(self) -> int:
        """How many frames were added."""
        return len(self._frame_pts_s)

    def add_frame(self, pts_s: float, track_numbers: IntArray, boxes_xyxy: FloatArray, scores: FloatArray) -> None:
        """Append a frame and its points.

        Parameters
        ----------
        pts_s : the frame's time in seconds.
        track_numbers : (M,) in any order; M may be 0. They are stored in rising order.
        boxes_xyxy : (M, 4) pixels.
        scores : (M,).
        """
        order = np.argsort(track_numbers, kind="stable")
        self._frames.extend([self.frame_count] * len(order))
        self._frame_pts_s.append(pts_s)
        self._track_numbers.frombytes(track_numbers[order].astype(np.int32).tobytes())
        self._boxes.frombytes(boxes_xyxy[order].astype(np.float32).tobytes())
        self._scores.frombytes(scores[order].astype(np.float32).tobytes())

    def table(self) -> PointTable:
        """Return the points so far."""
        return PointTable(
            np.array(self._frame_pts_s, np.float64),
            np.array(self._frames, np.int32),
            np.array(self._track_numbers, np.int32),
            np.array(self._boxes, np.float32).reshape(-1, 4),
            np.array(self._scores, np.float32),
        )

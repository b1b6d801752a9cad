"""Keep what is known of each track while its video is read: one small record a track."""

from __future__ import annotations

import numpy as np

from pipeline.best_crops import BestCrop
from records import CLASS_NAMES, FloatArray, Image, Kind, TrackSummary


class RunningSummary:
    """One track so far: constant in size, however long the track gets.

    Parameters
    ----------
    number : the track's number as drawn.
    """

    def __init__(self, number: int, kind: Kind) -> None:
        self.number = number
        self._kind = kind
        self._class_counts = np.zeros(len(CLASS_NAMES), np.int32)
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0)
        self._score_sum = 0.0
        self._embedding_sum: FloatArray | None = None
        self._best_crop = BestCrop()

    def add(
        self,
        *,
        frame: int,
        pts_s: float,
        class_id: int,
        score: float,
        rating: float,
        embedding: FloatArray | None,
        crop_bgr: Image,
    ) -> None:
        """Add the track's box in one frame.

        Parameters
        ----------
        frame, pts_s : the frame's index and time.
        rating : of the box, from `pipeline.best_crops.rate_boxes`; weighs its embedding.
        embedding : (D,) float32 of unit length, or None.
        crop_bgr : (H, W, 3) uint8; not kept.
        """
        self._first = self._first or (frame, pts_s)
        self._last = (frame, pts_s)
        self._class_counts[class_id] += 1
        self._score_sum += score
        if embedding is not None:
            if self._embedding_sum is None:
                self._embedding_sum = np.zeros_like(embedding)
            self._embedding_sum += rating * embedding
        self._best_crop.offer(crop_bgr, rating, frame)

    def summary(self) -> TrackSummary:
        """Return the track as it leaves the pipeline."""
        if self._first is None:
            raise ValueError(f"track {self.number} has no box")
        count = int(self._class_counts.sum())
        return TrackSummary(
            number=self.number,
            kind=self._kind,
            class_name=CLASS_NAMES[int(self._class_counts.argmax())],
            first_frame=self._first[0],
            last_frame=self._last[0],
            first_s=self._first[1],
            last_s=self._last[1],
            point_count=count,
            mean_score=self._score_sum / count,
            embedding=_unit(self._embedding_sum),
            crop_jpeg=self._best_crop.jpeg,
            crop_frame=self._best_crop.frame,
        )


def _unit(vector: FloatArray | None) -> FloatArray | None:
    """Return ``vector`` with length 1; None for none, or for one without a direction."""
    if vector is None:
        return None
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-12 else None

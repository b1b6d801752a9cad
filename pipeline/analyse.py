"""The first pass: decode → detect → embed → track, with the playback copy written behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from boxes import clip_to_frame
from model.crops import cut_crops
from model.protocols import Detector, Embedder
from pipeline.best_crops import rate_boxes
from pipeline.columns import PointColumns
from pipeline.stopwatch import Stopwatch
from pipeline.summaries import RunningSummary
from pipeline.tracking import FrameTracks, KindTrackers
from points import PointTable
from records import CLASS_KINDS, Detections, FloatArray, Frame, Image, TrackSummary

MIN_SIDE_PX = 4.0
"""Boxes narrower or lower than this hold nothing that could be recognised."""


@dataclass(frozen=True, kw_only=True)
class BatchLimits:
    """How many frames the networks are given at once.

    Attributes
    ----------
    max_frames : more wait longer before a cancel is seen, and pay only on a GPU.
    max_bytes : of pictures; a single frame may be larger.
    """

    max_frames: int = 4
    max_bytes: int = 64 * 2**20

    def __post_init__(self) -> None:
        if self.max_frames < 1:
            raise ValueError(f"max_frames is {self.max_frames}; at least 1 is wanted")


@dataclass(frozen=True, eq=False)
class Seen:
    """One analysed frame, for whoever watches: the frame and its tracks."""

    frame: Frame
    tracks: FrameTracks


class Analysis:
    """Takes frames in and keeps points and track summaries.

    Parameters
    ----------
    trackers : that have seen no frame yet.
    stopwatch : gets the seconds of ``detect``, ``embed`` and ``track``.
    """

    def __init__(self, detector: Detector, embedder: Embedder, trackers: KindTrackers, stopwatch: Stopwatch) -> None:
        self._detector = detector
        self._embedder = embedder
        self._trackers = trackers
        self._stopwatch = stopwatch
        self._columns = PointColumns()
        self._summaries: dict[int, RunningSummary] = {}

    @property
    def frame_count(self) -> int:
        """How many frames were analysed."""
        return self._columns.frame_count

    def points(self) -> PointTable:
        """Return the points of all tracks so far."""
        return self._columns.table()

    def tracks(self) -> tuple[TrackSummary, ...]:
        """Return the tracks so far, by number."""
        return tuple(self._summaries[number].summary() for number in sorted(self._summaries))

    def read(self, frames: Iterable[Frame], limits: BatchLimits) -> Iterator[Seen]:
        """Analyse ``frames`` and yield each one as it is done."""
        for batch in _batches(frames, limits):
            with self._stopwatch.measure("detect"):
                found = self._detector.detect([frame.image_bgr for frame in batch])
            found = [_usable(detections, frame.image_bgr) for detections, frame in zip(found, batch, strict=True)]
            with self._stopwatch.measure("embed"):
                crops, embeddings = self._embed(batch, found)
            for frame, detections, frame_crops, frame_embeddings in zip(batch, found, crops, embeddings, strict=True):
                with self._stopwatch.measure("track"):
                    tracks = self._trackers.step(detections, frame_embeddings)
                    self._keep(frame, detections, tracks, frame_crops, frame_embeddings)
                yield Seen(frame, tracks)

    def _embed(self, batch: Sequence[Frame], found: Sequence[Detections]) -> tuple[list[list[Image]], list[FloatArray]]:
        """Embed the crops of all frames in one call; return crops and embeddings frame by frame."""
        crops = [
            cut_crops(frame.image_bgr, detections.boxes_xyxy) for frame, detections in zip(batch, found, strict=True)
        ]
        embeddings = self._embedder.embed([crop for frame_crops in crops for crop in frame_crops])
        ends = np.cumsum([len(frame_crops) for frame_crops in crops])
        return crops, np.split(embeddings, ends[:-1])

    def _keep(
        self,
        frame: Frame,
        detections: Detections,
        tracks: FrameTracks,
        crops: Sequence[Image],
        embeddings: FloatArray,
    ) -> None:
        rows = tracks.detection_indices
        self._columns.add_frame(frame.pts_s, tracks.track_numbers, tracks.boxes_xyxy, detections.scores[rows])
        if not len(rows):
            return
        height, width = frame.image_bgr.shape[:2]
        ratings = rate_boxes(detections.boxes_xyxy, detections.scores, width, height)
        for number, row in zip(tracks.track_numbers.tolist(), rows.tolist(), strict=True):
            class_id = int(detections.class_ids[row])
            if number not in self._summaries:
                self._summaries[number] = RunningSummary(number, CLASS_KINDS[class_id])
            self._summaries[number].add(
                frame=frame.index,
                pts_s=frame.pts_s,
                class_id=class_id,
                score=float(detections.scores[row]),
                rating=float(ratings[row]),
                embedding=embeddings[row],
                crop_bgr=crops[row],
            )


def _usable(detections: Detections, image_bgr: Image) -> Detections:
    """Clip boxes to the frame and drop those too small to hold anything."""
    height, width = image_bgr.shape[:2]
    boxes = clip_to_frame(detections.boxes_xyxy, width, height)
    is_large = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE_PX).all(axis=1)
    return Detections(boxes[is_large], detections.scores[is_large], detections.class_ids[is_large])


def _batches(frames: Iterable[Frame], limits: BatchLimits) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) >= limits.max_frames or (len(batch) + 1) * frame.image_bgr.nbytes > limits.max_bytes:
            yield batch
            batch = []
    if batch:
        yield batch

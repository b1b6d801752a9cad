"""The first pass: decode → detect → describe → track, with the playback copy written behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from boxes import clip_to_frame
from model.crops import cut_crops
from model.protocols import Detector, Embedder
from pipeline.best_crops import rate_boxes
from pipeline.detections import Codes, DetectionWriter, FoundBoxes, quantise, restore
from pipeline.finishing import Embedded, FinalTracks
from pipeline.follow import Followed, Follower
from pipeline.piece_crops import KeptCrop, PieceCrops
from pipeline.stopwatch import Stopwatch
from pipeline.tracking import Appearances, FrameTracks
from points import PointTable
from records import Detections, FloatArray, Frame, Image, IntArray, TrackSummary
from video.camera_motion import CameraMotion

MIN_SIDE_PX = 4.0
"""Boxes narrower or lower than this hold nothing that could be recognised."""
DESCRIBED_SCORE = 0.3
"""Boxes below are matched by their place alone, so that describing them would be in vain."""
LINKING_CROPS = 2
"""A network that has a say in linking sees so many crops of each piece before."""
BEST_CROPS, EVERY_BOX = EMBED_POLICIES = ("best_crops", "every_box")


@dataclass(frozen=True, kw_only=True)
class BatchLimits:
    """How much the networks are given at once.

    Attributes
    ----------
    max_frames : more wait longer before a cancel is seen, and pay only on a GPU.
    max_bytes : of pictures; a single frame may be larger.
    crops : that the embedder gets at once; a cancel is seen between two of its turns.
    """

    max_frames: int = 4
    max_bytes: int = 64 * 2**20
    crops: int = 16

    def __post_init__(self) -> None:
        for name in ("max_frames", "crops"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; at least 1 is wanted")


GPU_BATCH = BatchLimits(max_frames=32, max_bytes=512 * 2**20, crops=128)
"""What fills a GPU."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Who looks at boxes, and at which.

    Attributes
    ----------
    descriptor : describes every box of some score, for the tracker.
    network : embeds boxes for the summaries of tracks; None leaves that to the descriptors.
    network_policy : ``best_crops`` of each final track, or ``every_box``.
    crops_per_track : so many of the former; more where a track is of more pieces, since each piece has one.
        Also how many crops of a track are published, so that another model can describe it later.
    lowest_score : boxes below are neither described nor embedded.
    """

    descriptor: Embedder
    network: Embedder | None = None
    network_policy: str = BEST_CROPS
    crops_per_track: int = 4
    lowest_score: float = DESCRIBED_SCORE

    def __post_init__(self) -> None:
        if self.network_policy not in EMBED_POLICIES:
            raise ValueError(f"embed is “{self.network_policy}”; one of {', '.join(EMBED_POLICIES)} is wanted")
        if self.crops_per_track < 1:
            raise ValueError(f"crops_per_track is {self.crops_per_track}; at least 1 is wanted")

    def appearances(self) -> Appearances:
        """Return what distances of the vectors mean to the trackers."""
        descriptor, network = self.descriptor, self.network
        distances = None if network is None else network.info.distances
        return Appearances.of(descriptor.max_cosine_distance, descriptor.info.distances, distances)


@dataclass(frozen=True, eq=False)
class Seen:
    """One frame, for whoever watches: the frame and the tracks of the last one that was analysed."""

    frame: Frame
    tracks: FrameTracks


class Analysis:
    """Takes frames in and keeps tracks; use `closing` or `close` it.

    Parameters
    ----------
    follower : that has seen no frame yet.
    stride : every so manieth frame is analysed, the first among them.
    writer : keeps what was detected; None keeps nothing.
    stopwatch : gets the seconds of ``detect``, ``describe``, ``embed`` and ``track``.

    Attributes
    ----------
    described_boxes : how many boxes the descriptor looked at so far.
    linking_embeddings : how many of the embedded boxes, the first ones, had a say in linking; known after `finish`.
    """

    def __init__(
        self,
        detector: Detector,
        looks: Looks,
        follower: Follower,
        *,
        stride: int,
        batch: BatchLimits,
        writer: DetectionWriter | None,
        stopwatch: Stopwatch,
    ) -> None:
        self._detector = detector
        self._looks = looks
        self._follower = follower
        self._stride = stride
        self._batch = batch
        self._writer = writer
        self._stopwatch = stopwatch
        self._camera = CameraMotion()
        self._embedded_rows: list[IntArray] = []
        self._embeddings: list[FloatArray] = []
        self.described_boxes = 0
        self.linking_embeddings = 0
        self._crops = PieceCrops(count=looks.crops_per_track, max_gap_s=follower.max_gap_s)

    def close(self) -> None:
        """Delete the crops that were kept."""
        self._crops.__exit__(None, None, None)

    @property
    def _is_sparse(self) -> bool:
        return self._looks.network is not None and self._looks.network_policy == BEST_CROPS

    @property
    def embedded_boxes(self) -> int:
        """How many boxes the embedder looked at."""
        if self._looks.network is None:
            return self.described_boxes
        return sum(len(rows) for rows in self._embedded_rows)

    def read(self, frames: Iterable[Frame]) -> Iterator[Seen]:
        """Analyse ``frames`` and yield each one as it is done."""
        tracks = FrameTracks(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
        for batch in _batches(frames, self._batch, self._stride):
            analysed = [frame for frame in batch if frame.index % self._stride == 0]
            with self._stopwatch.measure("detect"):
                found = self._detector.detect([frame.image_bgr for frame in analysed])
            found = [_usable(boxes, frame.image_bgr) for boxes, frame in zip(found, analysed, strict=True)]
            codes = iter(zip(found, self._describe(analysed, found), strict=True))
            for frame in batch:
                self._follower.add_time(frame.pts_s)
                if self._writer is not None:
                    self._writer.add_time(frame.pts_s)
                if frame.index % self._stride == 0:
                    tracks = self._follow(frame, *next(codes))
                yield Seen(frame, tracks)

    def finish(self, pulse: Callable[[], None] = lambda: None) -> tuple[PointTable, tuple[TrackSummary, ...]]:
        """Return the final points and tracks: there are no more frames.

        Parameters
        ----------
        pulse : called between batches of crops; what it raises ends the work.
        """
        self._crops.finish()
        early = None
        if self._follower.asks_the_network:
            if self._is_sparse:
                pieces = self._follower.linkable_pieces()
                self._embed_crops([c for k in pieces for c in self._crops.chosen(k[None], LINKING_CROPS)], pulse)
            early = self._embedded()
        self.linking_embeddings = 0 if early is None else len(early.rows)
        with self._stopwatch.measure("track"):
            final = self._follower.final_tracks(early)
        if self._is_sparse:
            count = self._looks.crops_per_track
            self._embed_crops([c for pieces in final.pieces.values() for c in self._crops.chosen(pieces, count)], pulse)
        tracks = self._follower.summaries(final, self._embedded())
        return final.points, tuple(self._with_crop(track, final) for track in tracks)

    def _embed_crops(self, crops: Sequence[KeptCrop], pulse: Callable[[], None]) -> None:
        """Embed those of the crops that were not yet."""
        done = {row for rows in self._embedded_rows for row in rows.tolist()}
        wanted = [crop for crop in crops if crop.detection not in done]
        for start in range(0, len(wanted), self._batch.crops):
            batch = wanted[start : start + self._batch.crops]
            rows = np.array([crop.detection for crop in batch], np.int64)
            self._embed(rows, [self._crops.image(crop) for crop in batch])
            pulse()

    def _embedded(self) -> Embedded | None:
        if self._looks.network is None:
            return None
        rows, vectors = [np.zeros(0, np.int64)], [np.zeros((0, self._looks.network.dimension), np.float32)]
        return Embedded(np.concatenate(rows + self._embedded_rows), np.concatenate(vectors + self._embeddings))

    def _with_crop(self, track: TrackSummary, final: FinalTracks) -> TrackSummary:
        best, *others = self._crops.ranked(final.pieces[track.number])[: self._looks.crops_per_track]
        more = tuple(self._crops.jpeg(crop) for crop in others)
        return replace(track, crop_jpeg=self._crops.jpeg(best), crop_frame=best.frame, more_crops=more)

    def _describe(self, frames: Sequence[Frame], found: Sequence[Detections]) -> list[Codes]:
        """Describe the boxes of all frames in one call; boxes of low score get zeros."""
        looks = self._looks
        stage = "embed" if looks.network is None else "describe"
        with self._stopwatch.measure(stage):
            chosen = [np.flatnonzero(boxes.scores >= looks.lowest_score) for boxes in found]
            crops = [
                crop
                for frame, boxes, rows in zip(frames, found, chosen, strict=True)
                for crop in cut_crops(frame.image_bgr, boxes.boxes_xyxy[rows])
            ]
            self.described_boxes += len(crops)
            codes = quantise(looks.descriptor.embed(crops))
        described, start = [], 0
        for boxes, rows in zip(found, chosen, strict=True):
            of_frame = np.zeros((len(boxes), looks.descriptor.dimension), np.int8)
            of_frame[rows] = codes[start : start + len(rows)]
            start += len(rows)
            described.append(of_frame)
        return described

    def _follow(self, frame: Frame, boxes: Detections, codes: Codes) -> FrameTracks:
        with self._stopwatch.measure("track"):
            affine = self._camera.step(frame.image_bgr, boxes.boxes_xyxy)
            if self._writer is not None:
                self._writer.add(boxes, codes, affine)
            followed = self._follower.follow(FoundBoxes(boxes, restore(codes), affine))
            self._keep_crops(frame, boxes, followed)
        if self._looks.network is not None and self._looks.network_policy == EVERY_BOX:
            rows = np.flatnonzero(boxes.scores >= self._looks.lowest_score)
            self._embed(rows + followed.first_detection, cut_crops(frame.image_bgr, boxes.boxes_xyxy[rows]))
        return followed.tracks

    def _keep_crops(self, frame: Frame, boxes: Detections, followed: Followed) -> None:
        height, width = frame.image_bgr.shape[:2]
        rows = followed.tracks.detection_indices
        ratings = rate_boxes(boxes.boxes_xyxy, boxes.scores, width, height)[rows]
        self._crops.add(frame, followed, cut_crops(frame.image_bgr, boxes.boxes_xyxy[rows]), ratings)

    def _embed(self, rows: IntArray, crops: Sequence[Image]) -> None:
        network = self._looks.network
        if network is None or not len(rows):
            return
        with self._stopwatch.measure("embed"):
            vectors = network.embed(crops).astype(np.float16).astype(np.float32)  # as a later run will read them
        self._embedded_rows.append(rows)
        self._embeddings.append(vectors)
        if self._writer is not None:
            self._writer.add_embeddings(rows, vectors)


def _usable(detections: Detections, image_bgr: Image) -> Detections:
    """Clip boxes to the frame and drop those too small to hold anything."""
    height, width = image_bgr.shape[:2]
    boxes = clip_to_frame(detections.boxes_xyxy, width, height)
    is_large = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE_PX).all(axis=1)
    return Detections(boxes[is_large], detections.scores[is_large], detections.class_ids[is_large])


def _batches(frames: Iterable[Frame], limits: BatchLimits, stride: int) -> Iterator[list[Frame]]:
    """Yield frames so that at most ``max_frames`` of each list are analysed."""
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        is_full = (len(batch) + 1) * frame.image_bgr.nbytes > limits.max_bytes
        if len(batch) >= limits.max_frames * stride or is_full:
            yield batch
            batch = []
    if batch:
        yield batch

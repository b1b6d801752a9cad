"""Track one video: `track_video`, the engine that the worker and the command line share.

Two passes. The first finds and follows (and writes the playback copy on the
side); the second reads the video again and draws. Between them the tracks are
complete, so that they can still be joined or renumbered before anything is drawn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

from errors import MediaError
from model.protocols import Detector, Embedder
from pipeline.analyse import BEST_CROPS, DESCRIBED_SCORE, Analysis, BatchLimits, Looks, Seen
from pipeline.detections import DetectionHead, DetectionWriter
from pipeline.follow import Follower
from pipeline.passes import CopyOptions, Passes, VideoSource
from pipeline.progress import ProgressMeter
from pipeline.render import track_labels
from pipeline.stopwatch import Stopwatch
from pipeline.tracking import DEEPSORT, TrackingOptions
from points import PointTable
from records import Frame, MediaFacts, ModelInfo, Progress, TrackSummary
from video.decode import VideoReader
from video.encode import playback_frame_rate

__all__ = ["CopyOptions", "TrackRequest", "TrackingResult", "VideoSource", "render_annotated", "track_video"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrackRequest:
    """What to track, with what, and where the pictures go.

    Attributes
    ----------
    source : opens the video; called once for each pass.
    detector : gives weak boxes, too, where it can: see `pipeline.models`.
    embedder : its vectors stand for the tracks.
    descriptor : cheaper than the embedder; describes every box for the tracker, so that the embedder need not. None:
        the embedder does both.
    tracking : which tracker, and how it is set.
    stride_at : from frames a second to every how manieth frame is analysed; the frames between get their boxes by
        interpolation. See `pipeline.presets`.
    crops_per_track, embed : which boxes the embedder gets where there is a descriptor; see `pipeline.analyse.Looks`.
    detections : where what was detected goes, so that the video can be tracked again; None for nowhere.
    name : of the video, for messages.
    playback : where the plain copy for the browser goes, H.264 MP4; None for none.
    annotated : where the copy with boxes drawn in goes; None leaves the second pass out.
    max_frames : read no more than these; None reads all.
    is_over : asked at every frame of the first pass; True ends it there, and what was seen is finished.
    copies : how the copies are written.
    watch : called with every analysed frame, in order; must not change its picture.
    """

    source: VideoSource
    detector: Detector
    embedder: Embedder
    descriptor: Embedder | None = None
    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    stride_at: Callable[[float], int] = lambda frame_rate: 1
    crops_per_track: int = 4
    embed: str = BEST_CROPS
    detections: Path | None = None
    name: str = ""
    playback: Path | None = None
    annotated: Path | None = None
    max_frames: int | None = None
    is_over: Callable[[], bool] = lambda: False
    copies: CopyOptions = field(default_factory=CopyOptions)
    batch: BatchLimits = field(default_factory=BatchLimits)
    watch: Callable[[Seen], None] | None = None

    def __post_init__(self) -> None:
        if self.max_frames is not None and self.max_frames < 1:
            raise ValueError(f"max_frames is {self.max_frames}; at least 1 is wanted, or None for all")

    def looks(self) -> Looks:
        """Return who looks at boxes, and at which: DeepSORT wants the embedder's own vectors of every box it takes."""
        if self.tracking.mode == DEEPSORT:
            return Looks(descriptor=self.embedder, lowest_score=self.tracking.deepsort_score)
        if self.descriptor is None:
            return Looks(descriptor=self.embedder)
        return Looks(
            descriptor=self.descriptor,
            network=self.embedder,
            network_policy=self.embed,
            crops_per_track=self.crops_per_track,
            lowest_score=DESCRIBED_SCORE,
        )


@dataclass(frozen=True, eq=False)
class TrackingResult:
    """What tracking one video yields.

    Attributes
    ----------
    facts : of the source.
    points : boxes of all tracks, and the times of all frames.
    tracks : by number, 1, 2, …; may be empty.
    playback_frame_rate : frames a second of the copies; they follow the slot rule of `video.encode`.
    stage_seconds : work of ``decode``, ``detect``, ``describe``, ``embed``, ``track``, ``draw``, ``encode``, as far as
        they took place; stages run beside each other, so that the sum may exceed the time that passed.
    frame_count : frames of the video, at least 1.
    detected_boxes, embedded_boxes : all boxes, and those that the embedder looked at.
    """

    facts: MediaFacts
    points: PointTable
    tracks: tuple[TrackSummary, ...]
    detector: ModelInfo
    embedder: ModelInfo
    playback_frame_rate: float
    stage_seconds: Mapping[str, float]
    frame_count: int
    detected_boxes: int = 0
    embedded_boxes: int = 0


def track_video(request: TrackRequest, *, on_progress: Callable[[Progress], None]) -> TrackingResult:
    """Find and follow everyone in a video and write its copies.

    Parameters
    ----------
    on_progress : called at every frame of both passes. It may raise `AttemptStopped`
        to end the work; that leaves through here when all is closed.

    Raises
    ------
    MediaError
        when the video cannot be read.
    AttemptStopped
        from ``on_progress``. Whatever is raised, no output is left behind.
    """
    stopwatch = Stopwatch()
    passes = Passes(request.source, request.copies, stopwatch, request.max_frames)
    try:
        return _Run(request, on_progress, passes, stopwatch).track()
    except BaseException:
        passes.discard()
        raise


def render_annotated(
    source: VideoSource,
    points: PointTable,
    labels: Mapping[int, str],
    annotated: Path,
    *,
    on_progress: Callable[[Progress], None],
    copies: CopyOptions | None = None,
) -> Mapping[str, float]:
    """Draw finished tracks into a copy of their video; return the seconds of each stage.

    Parameters
    ----------
    source : opens the pictures: the video itself, since a playback copy has lost frames of a variable rate.
    points : of that video.
    labels : by track number; see `pipeline.render.track_label`.
    annotated : where the copy goes; nothing is there if anything fails.
    """
    stopwatch = Stopwatch()
    with source() as reader:
        facts = reader.facts
    progress = ProgressMeter(on_progress, pixels=facts.width * facts.height)
    passes = Passes(source, copies or CopyOptions(), stopwatch, None)
    try:
        passes.draw(annotated, playback_frame_rate(facts), points, labels, progress)
    except BaseException:
        passes.discard()
        raise
    return dict(stopwatch.seconds)


class _Run:
    """The two passes over one video, and what they share."""

    def __init__(
        self, request: TrackRequest, on_progress: Callable[[Progress], None], passes: Passes, stopwatch: Stopwatch
    ) -> None:
        self._request = request
        self._on_progress = on_progress
        self._passes = passes
        self._stopwatch = stopwatch

    def track(self) -> TrackingResult:
        request = self._request
        with ExitStack() as cleanup:
            reader = cleanup.enter_context(request.source())
            facts = reader.facts
            frame_rate = playback_frame_rate(facts)
            progress = ProgressMeter(self._on_progress, pixels=facts.width * facts.height)
            looks, stride = request.looks(), request.stride_at(facts.frame_rate)
            follower = Follower(request.tracking, looks.appearances(), facts, stride=stride)
            writer = None
            if request.detections is not None:
                writer = cleanup.enter_context(DetectionWriter(request.detections))
            analysis = Analysis(
                request.detector,
                looks,
                follower,
                stride=stride,
                batch=request.batch,
                writer=writer,
                stopwatch=self._stopwatch,
            )
            cleanup.enter_context(closing(analysis))
            self._analyse(reader, analysis, follower, frame_rate, progress)
            points, tracks = analysis.finish(progress.pulse)
            if writer is not None and request.detections is not None:
                detector, embedder = request.detector.info, request.embedder.info
                head = DetectionHead(
                    facts=facts,
                    stride=stride,
                    detector=detector,
                    embedder=embedder,
                    described_boxes=analysis.described_boxes,
                    descriptor_gate=looks.descriptor.max_cosine_distance,
                    descriptor_distances=looks.descriptor.info.distances,
                    has_network=looks.network is not None,
                    linking_embeddings=analysis.linking_embeddings,
                )
                writer.finish(head)
                self._passes.written.append(request.detections)
        if request.annotated is not None:
            self._passes.draw(request.annotated, frame_rate, points, track_labels(tracks), progress)
        _log.info("tracked frames=%d tracks=%d points=%d", follower.frame_count, len(tracks), len(points))
        return TrackingResult(
            facts=facts,
            points=points,
            tracks=tracks,
            detector=request.detector.info,
            embedder=request.embedder.info,
            playback_frame_rate=float(frame_rate),
            stage_seconds=dict(self._stopwatch.seconds),
            frame_count=follower.frame_count,
            detected_boxes=follower.detected_boxes,
            embedded_boxes=analysis.embedded_boxes,
        )

    def _analyse(
        self, reader: VideoReader, analysis: Analysis, follower: Follower, frame_rate: Fraction, progress: ProgressMeter
    ) -> None:
        request, facts = self._request, reader.facts
        progress.begin("analyse", self._expected_frames(facts), is_last=request.annotated is None)
        with self._passes.frames(reader) as frames, self._passes.copy(request.playback, facts, frame_rate) as write:
            wanted = takewhile(lambda frame: not request.is_over(), frames)
            for seen in analysis.read(_each(wanted, write)):
                if request.watch is not None:
                    request.watch(seen)
                progress.advance()
            if follower.frame_count == 0:
                raise MediaError("media.truncated", name=request.name)
            progress.finish_stage()

    def _expected_frames(self, facts: MediaFacts) -> int | None:
        expected = facts.frame_count or round(facts.duration_s * facts.frame_rate) or None
        if self._request.max_frames is None:
            return expected
        return min(expected or self._request.max_frames, self._request.max_frames)


def _each(frames: Iterable[Frame], write: Callable[[Frame], None]) -> Iterator[Frame]:
    """Yield ``frames``, each one handed to ``write`` first."""
    for frame in frames:
        write(frame)
        yield frame

"""Track one video: `track_video`, the engine that the worker and the command line share.

Two passes. The first finds and follows (and writes the playback copy on the
side); the second reads the video again and draws. Between them the tracks are
complete, so that they can still be joined or renumbered before anything is drawn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path

from deep_sort.tracker import TrackerOptions
from errors import MediaError
from model.protocols import Detector, Embedder
from pipeline.analyse import Analysis, BatchLimits, Seen
from pipeline.progress import ProgressMeter
from pipeline.render import draw_tracks, track_labels
from pipeline.stopwatch import Stopwatch
from pipeline.tracking import KindTrackers
from points import PointTable
from records import Frame, Image, MediaFacts, ModelInfo, Progress, TrackSummary
from video.ahead import WriteBehind, read_ahead
from video.decode import VideoReader
from video.draw import Annotator
from video.encode import VideoWriter, playback_frame_rate

_log = logging.getLogger(__name__)

VideoSource = Callable[[], AbstractContextManager[VideoReader]]
"""Opens the video from its start; called once a pass."""


@dataclass(frozen=True, kw_only=True)
class TrackRequest:
    """What to track, with what, and where the pictures go.

    Attributes
    ----------
    source : opens the video; called once for each pass.
    name : of the video, for messages.
    playback : where the plain copy for the browser goes, H.264 MP4; None for none.
    annotated : where the copy with boxes drawn in goes; None leaves the second pass out.
    max_frames : read no more than these; None reads all.
    is_over : asked at every frame of the first pass; True ends it there, and what was seen is finished.
    max_side : the long side of the copies; larger videos are scaled down. None keeps the size.
    encoder_threads : of x264; 0 lets it choose. See `pipeline.threads`.
    watch : called with every analysed frame, in order; must not change its picture.
    """

    source: VideoSource
    detector: Detector
    embedder: Embedder
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    name: str = ""
    playback: Path | None = None
    annotated: Path | None = None
    max_frames: int | None = None
    is_over: Callable[[], bool] = lambda: False
    max_side: int | None = 1920
    encoder_threads: int = 0
    batch: BatchLimits = field(default_factory=BatchLimits)
    watch: Callable[[Seen], None] | None = None

    def __post_init__(self) -> None:
        if self.max_frames is not None and self.max_frames < 1:
            raise ValueError(f"max_frames is {self.max_frames}; at least 1 is wanted, or None for all")


@dataclass(frozen=True, eq=False)
class TrackingResult:
    """What tracking one video yields.

    Attributes
    ----------
    facts : of the source.
    points : boxes of all tracks, and the times of all frames.
    tracks : by number, 1, 2, …; may be empty.
    playback_frame_rate : frames a second of the copies; they follow the slot rule of `video.encode`.
    stage_seconds : work of ``decode``, ``detect``, ``embed``, ``track``, ``draw``, ``encode``; stages
        run beside each other, so that the sum may exceed the time that passed.
    frame_count : frames analysed, at least 1.
    """

    facts: MediaFacts
    points: PointTable
    tracks: tuple[TrackSummary, ...]
    detector: ModelInfo
    embedder: ModelInfo
    playback_frame_rate: float
    stage_seconds: Mapping[str, float]
    frame_count: int


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
        from ``on_progress``. Whatever is raised, neither copy is left behind.
    """
    written: list[Path] = []
    try:
        return _Run(request, on_progress, written).track()
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


class _Run:
    """The two passes over one video, and what they share."""

    def __init__(self, request: TrackRequest, on_progress: Callable[[Progress], None], written: list[Path]) -> None:
        self._request = request
        self._on_progress = on_progress
        self._written = written
        self._stopwatch = Stopwatch()

    def track(self) -> TrackingResult:
        request = self._request
        with request.source() as reader:
            facts = reader.facts
            frame_rate = playback_frame_rate(facts)
            progress = ProgressMeter(self._on_progress, pixels=facts.width * facts.height)
            analysis = self._analyse(reader, frame_rate, progress)
        points, tracks = analysis.points(), analysis.tracks()
        if request.annotated is not None:
            self._render(request.annotated, facts, frame_rate, points, tracks, progress)
        _log.info("tracked frames=%d tracks=%d points=%d", analysis.frame_count, len(tracks), len(points))
        return TrackingResult(
            facts=facts,
            points=points,
            tracks=tracks,
            detector=request.detector.info,
            embedder=request.embedder.info,
            playback_frame_rate=float(frame_rate),
            stage_seconds=dict(self._stopwatch.seconds),
            frame_count=analysis.frame_count,
        )

    def _analyse(self, reader: VideoReader, frame_rate: Fraction, progress: ProgressMeter) -> Analysis:
        request, facts = self._request, reader.facts
        trackers = KindTrackers(request.tracker, width=facts.width, height=facts.height)
        analysis = Analysis(request.detector, request.embedder, trackers, self._stopwatch)
        progress.begin("analyse", self._expected_frames(facts), is_last=request.annotated is None)
        with self._frames(reader) as frames, self._copy(request.playback, facts, frame_rate) as write:
            wanted = takewhile(lambda frame: not request.is_over(), frames)
            for seen in analysis.read(_each(wanted, write), request.batch):
                if request.watch is not None:
                    request.watch(seen)
                progress.advance()
            if analysis.frame_count == 0:
                raise MediaError("media.truncated", name=request.name)
            progress.finish_stage()
        return analysis

    def _render(
        self,
        path: Path,
        facts: MediaFacts,
        frame_rate: Fraction,
        points: PointTable,
        tracks: tuple[TrackSummary, ...],
        progress: ProgressMeter,
    ) -> None:
        annotator = Annotator(facts.width, facts.height)
        progress.begin("render", len(points.frame_pts_s), is_last=True)
        with (
            self._request.source() as reader,
            self._frames(reader) as frames,
            self._copy(path, facts, frame_rate) as write,
        ):
            for frame in draw_tracks(frames, points, track_labels(tracks), annotator, self._stopwatch):
                write(frame)
                progress.advance()

    def _expected_frames(self, facts: MediaFacts) -> int | None:
        expected = facts.frame_count or round(facts.duration_s * facts.frame_rate) or None
        if self._request.max_frames is None:
            return expected
        return min(expected or self._request.max_frames, self._request.max_frames)

    @contextmanager
    def _frames(self, reader: VideoReader) -> Iterator[Iterator[Frame]]:
        """Decode in a thread of its own while the block runs."""
        frames = self._stopwatch.iterate("decode", islice(iter(reader), self._request.max_frames))
        with read_ahead(frames) as ahead:
            yield iter(ahead)

    @contextmanager
    def _copy(self, path: Path | None, facts: MediaFacts, frame_rate: Fraction) -> Iterator[Callable[[Frame], None]]:
        """Encode in a thread of its own while the block runs; the file appears when all went well."""
        if path is None:
            yield lambda frame: None
            return
        writer = VideoWriter(
            path,
            width=facts.width,
            height=facts.height,
            frame_rate=frame_rate,
            max_side=self._request.max_side,
            sample_aspect=facts.sample_aspect,
            threads=self._request.encoder_threads,
        )
        with WriteBehind(_TimedWriter(writer, self._stopwatch)) as behind:
            yield lambda frame: behind.write(frame.image_bgr, frame.pts_s)
        self._written.append(path)


@dataclass(frozen=True)
class _TimedWriter:
    """Adds a writer's seconds to the stage ``encode``."""

    writer: VideoWriter
    stopwatch: Stopwatch

    def write(self, image_bgr: Image, pts_s: float) -> None:
        with self.stopwatch.measure("encode"):
            self.writer.write(image_bgr, pts_s)

    def close(self) -> None:
        with self.stopwatch.measure("encode"):
            self.writer.close()

    def discard(self) -> None:
        self.writer.discard()


def _each(frames: Iterable[Frame], write: Callable[[Frame], None]) -> Iterator[Frame]:
    """Yield ``frames``, each one handed to ``write`` first."""
    for frame in frames:
        write(frame)
        yield frame

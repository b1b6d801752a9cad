"""Reading and writing pictures: decoding ahead and encoding behind, each in a thread of its own, timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from pipeline.progress import ProgressMeter
from pipeline.render import draw_tracks
from pipeline.stopwatch import Stopwatch
from points import PointTable
from records import Frame, Image, MediaFacts
from video.ahead import WriteBehind, read_ahead
from video.decode import VideoReader
from video.draw import Annotator
from video.encode import VideoWriter

VideoSource = Callable[[], AbstractContextManager[VideoReader]]
"""Opens the video from its start; called once a pass."""


@dataclass(frozen=True, kw_only=True)
class CopyOptions:
    """How copies are written.

    Attributes
    ----------
    max_side : the long side; larger videos are scaled down. None keeps the size.
    encoder_threads : of x264; 0 lets it choose. See `pipeline.threads`.
    """

    max_side: int | None = 1920
    encoder_threads: int = 0


class Passes:
    """The passes over one video.

    Attributes
    ----------
    written : the files that were finished; whoever fails later deletes them.
    """

    def __init__(self, source: VideoSource, options: CopyOptions, stopwatch: Stopwatch, max_frames: int | None) -> None:
        self._source = source
        self._options = options
        self._stopwatch = stopwatch
        self._max_frames = max_frames
        self.written: list[Path] = []

    def discard(self) -> None:
        """Delete what was written."""
        for path in self.written:
            path.unlink(missing_ok=True)

    @contextmanager
    def frames(self, reader: VideoReader) -> Iterator[Iterator[Frame]]:
        """Decode in a thread of its own while the block runs."""
        frames = self._stopwatch.iterate("decode", islice(iter(reader), self._max_frames))
        with read_ahead(frames) as ahead:
            yield iter(ahead)

    @contextmanager
    def copy(self, path: Path | None, facts: MediaFacts, frame_rate: Fraction) -> Iterator[Callable[[Frame], None]]:
        """Encode in a thread of its own while the block runs; the file appears when all went well."""
        if path is None:
            yield lambda frame: None
            return
        writer = VideoWriter(
            path,
            width=facts.width,
            height=facts.height,
            frame_rate=frame_rate,
            max_side=self._options.max_side,
            sample_aspect=facts.sample_aspect,
            threads=self._options.encoder_threads,
        )
        with WriteBehind(_TimedWriter(writer, self._stopwatch)) as behind:
            yield lambda frame: behind.write(frame.image_bgr, frame.pts_s)
        self.written.append(path)

    def draw(
        self, path: Path, frame_rate: Fraction, points: PointTable, labels: Mapping[int, str], progress: ProgressMeter
    ) -> None:
        """Write a copy with the boxes of ``points`` drawn in."""
        progress.begin("render", len(points.frame_pts_s), is_last=True)
        with (
            self._source() as reader,
            self.frames(reader) as frames,
            self.copy(path, reader.facts, frame_rate) as write,
        ):
            annotator = Annotator(reader.facts.width, reader.facts.height)
            for frame in draw_tracks(frames, points, labels, annotator, self._stopwatch):
                write(frame)
                progress.advance()


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

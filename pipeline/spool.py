"""Record a live source while it is tracked, so that the second pass can read it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from records import Frame, MediaFacts
from video.decode import VideoReader, open_video
from video.encode import VideoWriter, playback_frame_rate

_CRF = 18


class SpooledSource:
    """A source for `pipeline.run.TrackRequest` over something that can be read only once.

    The first call reads the live source and writes each frame to ``spool``;
    later calls read the spool, with the times that the frames had.

    Parameters
    ----------
    open_live : opens the camera.
    spool : the file to record to; whoever made its folder deletes it. None records nothing, for a single pass.
    """

    def __init__(
        self,
        open_live: Callable[[], AbstractContextManager[VideoReader]],
        spool: Path | None,
    ) -> None:
        self._open_live = open_live
        self._spool = spool
        self._facts: MediaFacts | None = None
        self._times: list[float] = []

    def __call__(self) -> AbstractContextManager[VideoReader]:
        return self._record() if self._facts is None else self._replay(self._facts)

    @contextmanager
    def _record(self) -> Iterator[VideoReader]:
        with self._open_live() as live:
            self._facts = facts = live.facts
            if self._spool is None:
                yield live
                return
            rate = playback_frame_rate(facts)
            with VideoWriter(self._spool, width=facts.width, height=facts.height, frame_rate=rate, crf=_CRF) as writer:
                yield _Reader(facts, lambda: self._recorded(live, writer, rate))

    def _recorded(self, live: VideoReader, writer: VideoWriter, rate: Fraction) -> Iterator[Frame]:
        for frame in live:
            # The writer keeps a constant rate: with times at that rate it neither repeats nor drops a frame.
            writer.write(frame.image_bgr, float(frame.index / rate))
            self._times.append(frame.pts_s)
            yield frame

    @contextmanager
    def _replay(self, facts: MediaFacts) -> Iterator[VideoReader]:
        if self._spool is None:
            raise RuntimeError("a live source can be read once; name a file to record it to")
        with open_video(self._spool, name=self._spool.name) as recorded:
            yield _Reader(facts, lambda: self._replayed(recorded, facts))

    def _replayed(self, recorded: VideoReader, facts: MediaFacts) -> Iterator[Frame]:
        for frame, pts_s in zip(recorded, self._times, strict=False):
            image = frame.image_bgr
            if image.shape[:2] != (facts.height, facts.width):  # H.264 wants even sides
                image = cv2.resize(image, (facts.width, facts.height)).astype(np.uint8, copy=False)
            yield Frame(frame.index, pts_s, image)


@dataclass(frozen=True)
class _Reader:
    facts: MediaFacts
    frames: Callable[[], Iterator[Frame]]

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

"""What a terminal shows of a job: a bar while it runs, and a report of what ran and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from tqdm import tqdm

from messages import render
from pipeline.run import TrackingResult
from records import ModelInfo, Progress

_STAGE_WORDS = {"load": "loading models", "analyse": "finding and following", "render": "drawing"}


class ProgressBar:
    """A bar for each stage; use it as a context manager.

    Attributes
    ----------
    seconds : since the first frame was asked for; loading the models is not counted.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stage = ""
        self._bar: tqdm[Any] | None = None
        self._started_s = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Return the seconds since the models were loaded."""
        return time.perf_counter() - self._started_s

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def show(self, progress: Progress) -> None:
        """Move the bar; fits `pipeline.run.track_video`'s ``on_progress``."""
        if progress.stage != self._stage:
            if self._stage in ("", "load"):
                self._started_s = time.perf_counter()
            self._close()
            self._stage = progress.stage
            self._bar = tqdm(
                total=progress.frames_total, desc=_STAGE_WORDS[progress.stage], unit=" frames", file=self._stream
            )
        if self._bar is None:
            return
        if progress.frames_total is not None:
            self._bar.total = progress.frames_total
        self._bar.update(progress.frames_done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def report_lines(result: TrackingResult, seconds: float) -> Iterator[str]:
    """Yield what ran, how fast, and where the time went.

    Parameters
    ----------
    seconds : that the whole job took, without loading the models.
    """
    yield from _model_lines("Detector", result.detector)
    yield from _model_lines("Embedder", result.embedder)
    yield (
        f"{result.frame_count} frames in {seconds:.1f} s: {result.frame_count / seconds:.1f} frames/s; "
        f"{len(result.tracks)} tracks, {len(result.points)} boxes"
    )
    yield f"Embedded {result.embedded_boxes} of {result.detected_boxes} boxes"
    total_s = sum(result.stage_seconds.values()) or 1.0
    shares = ", ".join(f"{stage} {100 * spent_s / total_s:.0f} %" for stage, spent_s in result.stage_seconds.items())
    yield f"Share of the work: {shares}"


def output_line(*paths: Path) -> str:
    """Return the sentence that names what was written."""
    return "Wrote " + " and ".join(str(path) for path in paths)


def _model_lines(what: str, info: ModelInfo) -> Iterator[str]:
    source = f" from {info.source}" if info.source else ""
    yield f"{what}: {info.name}{source} on the {info.device.upper()}"
    for notice in info.notices:
        yield f"  {render(notice.code, notice.params)}"

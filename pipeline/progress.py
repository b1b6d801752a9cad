"""Say how far a job is: one fraction and one estimate over both passes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from records import Progress

_WINDOW_S = 5.0
_WINDOW_FRAMES = 16
"""Frames come in batches; a window of seconds alone may hold one batch, whose frames end at the same moment."""
_RENDER_S_PER_PIXEL = 25e-9
"""What drawing and encoding cost on two cores, as a first guess for a pass that has not begun."""


class ProgressMeter:
    """Counts frames and reports after every one.

    Parameters
    ----------
    on_progress : called at every frame; what it raises ends the job.
    pixels : width × height of a frame.
    clock : seconds that never go back.
    """

    def __init__(
        self,
        on_progress: Callable[[Progress], None],
        *,
        pixels: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_progress = on_progress
        self._render_s_per_frame = pixels * _RENDER_S_PER_PIXEL
        self._clock = clock
        self._started_s = clock()
        self._fraction = 0.0
        self._stage = ""
        self._is_last = True
        self._total: int | None = None
        self._done = 0
        self._ticks: deque[tuple[float, int]] = deque()
        self._last = Progress("", 0.0, 0, None, None, None)

    def begin(self, stage: str, frames_total: int | None, *, is_last: bool) -> None:
        """Begin a stage and report it.

        Parameters
        ----------
        frames_total : of the stage, an estimate; None where unknown.
        is_last : no other stage follows; otherwise time for rendering as many frames is foreseen.
        """
        self._stage, self._total, self._is_last, self._done = stage, frames_total, is_last, 0
        self._ticks = deque([(self._clock(), 0)])
        self._report(None, None)

    def advance(self) -> None:
        """Count a frame of the current stage and report."""
        now_s = self._clock()
        self._done += 1
        if self._total is not None:
            self._total = max(self._total, self._done)
        self._ticks.append((now_s, self._done))
        while len(self._ticks) > _WINDOW_FRAMES and now_s - self._ticks[0][0] > _WINDOW_S:
            self._ticks.popleft()
        (from_s, from_done) = self._ticks[0]
        passed_s = now_s - from_s
        rate = (self._done - from_done) / passed_s if passed_s > 0 else None
        self._report(rate, self._seconds_left(rate))

    def pulse(self) -> None:
        """Report once more, where no frame was done for a while: whoever watches sees that work goes on."""
        self._on_progress(self._last)

    def finish_stage(self) -> None:
        """Correct an estimated total: the stage has no more frames."""
        self._total = self._done

    def _seconds_left(self, rate: float | None) -> float | None:
        if self._total is None or rate is None:
            return None
        left_s = (self._total - self._done) / rate
        if not self._is_last:
            left_s += self._total * min(self._render_s_per_frame, 0.5 / rate)
        return left_s

    def _report(self, rate: float | None, eta_s: float | None) -> None:
        if eta_s is not None:
            passed_s = self._clock() - self._started_s
            if passed_s + eta_s > 0:
                self._fraction = max(self._fraction, min(1.0, passed_s / (passed_s + eta_s)))
        self._last = Progress(self._stage, self._fraction, self._done, self._total, rate, eta_s)
        self._on_progress(self._last)

"""Times of pictures: as the file has them, repaired where they cannot be true."""

from __future__ import annotations

from fractions import Fraction

_JITTER_S = 1.0
_JUMP_S = 60.0
_SHORT_STEP = 0.1
_SHORT_STEPS = 3


class Timeline:
    """Turns presentation times into seconds from the first frame that strictly increase.

    True times are kept, also where the frame rate varies. Repaired are:

    - a missing time: one nominal step after the last frame;
    - a repeated time, or one up to a second back: a tenth of a step after the last frame, so that the frames behind
      it keep their own times; from the fourth in a row on, a whole step, as the times are then of no use;
    - a jump further back (a recorder that restarted its clock), or beyond the file's own length by more than a
      minute: the frames behind it follow one step after the last frame, with the distances they have.

    Parameters
    ----------
    step_s : nominal seconds from frame to frame.
    duration_s : what the container gives as its length; None where unknown, which allows any gap.
    """

    def __init__(self, *, step_s: float, duration_s: float | None = None) -> None:
        self._step_s = step_s
        self._limit_s = None if duration_s is None else duration_s + _JUMP_S
        self._shift_s: float | None = None
        self._last_s = -1.0
        self._repairs = 0

    def place(self, pts: int | None, time_base: Fraction | None) -> float:
        """Return the time of the next frame in seconds.

        Parameters
        ----------
        pts : in units of ``time_base``; either may be None.
        """
        raw_s = None if pts is None or not time_base else float(pts * time_base)
        self._last_s = self._next(raw_s)
        return self._last_s

    def _next(self, raw_s: float | None) -> float:
        if self._last_s < 0:
            self._shift_s = None if raw_s is None else -raw_s
            return 0.0
        expected_s = self._last_s + self._step_s
        if raw_s is None:
            return expected_s
        if self._shift_s is None:
            self._shift_s = expected_s - raw_s
        time_s = raw_s + self._shift_s
        if time_s < self._last_s - _JITTER_S or (
            self._limit_s is not None and time_s > max(self._limit_s, expected_s + _JUMP_S)
        ):
            self._shift_s = expected_s - raw_s
            return expected_s
        if time_s <= self._last_s:
            self._repairs += 1
            return self._last_s + self._step_s * (_SHORT_STEP if self._repairs <= _SHORT_STEPS else 1.0)
        self._repairs = 0
        return time_s

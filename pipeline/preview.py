"""A window that shows the tracked frames while the first pass runs."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

import cv2

from pipeline.analyse import Seen
from video.draw import Annotator

_PROBE_TIMEOUT_S = 20


def can_show_windows() -> bool:
    """Return whether OpenCV can open a window here.

    Tried in a process of its own: without a display its window library ends the process instead of raising.
    """
    probe = "import cv2; cv2.namedWindow('probe'); cv2.destroyAllWindows()"
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter and a constant text)
            [sys.executable, "-c", probe], capture_output=True, timeout=_PROBE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


class PreviewWindow:
    """Shows frames with their tracks; use it as a context manager.

    Attributes
    ----------
    is_closed : True once the user pressed Q or Escape.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._annotator: Annotator | None = None
        self.is_closed = False

    def __enter__(self) -> PreviewWindow:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cv2.destroyAllWindows()

    def show(self, seen: Seen) -> None:
        """Show a frame with its tracks drawn in."""
        if self.is_closed:
            return
        height, width = seen.frame.image_bgr.shape[:2]
        self._annotator = self._annotator or Annotator(width, height)
        numbers = seen.tracks.track_numbers
        image = self._annotator.draw(
            seen.frame.image_bgr, seen.tracks.boxes_xyxy, numbers, [str(number) for number in numbers]
        )
        cv2.imshow(self._title, image)
        if cv2.waitKey(1) & 0xFF in (ord("q"), 27):
            self.is_closed = True
            cv2.destroyAllWindows()

"""A terminal's bar for pictures that are being embedded."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tqdm import tqdm


class PictureBar:
    """A bar that appears with the first picture; use it as a context manager."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> PictureBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, done: int, total: int) -> None:
        """Move the bar to ``done`` pictures of ``total``."""
        if self._bar is None:
            self._bar = tqdm(desc="embedding", total=total, unit=" pictures", file=sys.stderr)
        self._bar.update(done - self._bar.n)

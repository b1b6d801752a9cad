"""Overlap decoding and encoding with the work between them, in bounded memory.

Both sides are one thread each. FFmpeg and the networks let go of the
interpreter while they work, so that the threads truly run side by side.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from records import Frame, Image

DEFAULT_MAX_BYTES = 64 * 1024 * 1024
_MIN_FRAMES = 2

Item = TypeVar("Item")


class PictureSink(Protocol):
    """What `WriteBehind` writes to, such as `video.encode.VideoWriter`."""

    def write(self, image_bgr: Image, pts_s: float) -> None:
        """Take a picture and its time."""

    def close(self) -> None:
        """Finish."""

    def discard(self) -> None:
        """Give up, leaving nothing behind."""


class _ClosedError(Exception):
    """The other side of the queue is gone."""


class _ByteQueue(Generic[Item]):
    """A queue between two threads, bounded by bytes but always with room for two items."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._is_finished = False
        self._is_abandoned = False

    def put(self, item: Item, size_bytes: int) -> None:
        """Wait for room and append; raise `_ClosedError` once either side has ended."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._is_abandoned or len(self._items) < _MIN_FRAMES or self._bytes + size_bytes <= self._max_bytes
                )
            )
            if self._is_abandoned or self._is_finished:
                raise _ClosedError
            self._items.append((item, size_bytes))
            self._bytes += size_bytes
            self._changed.notify_all()

    def take(self) -> Item:
        """Wait for an item; raise `_ClosedError` once there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_finished or self._is_abandoned)
            if self._is_abandoned or not self._items:
                raise _ClosedError
            item, size_bytes = self._items.popleft()
            self._bytes -= size_bytes
            self._changed.notify_all()
            return item

    def finish(self) -> None:
        """Say that nothing more is put; what is there can still be taken."""
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Say that nothing more is taken; drop what is there."""
        with self._changed:
            self._is_abandoned = True
            self._items.clear()
            self._bytes = 0
            self._changed.notify_all()


@contextmanager
def read_ahead(frames: Iterable[Frame], *, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Iterator[Frame]]:
    """Walk through ``frames`` in a thread of its own, a bounded way ahead.

    The thread has ended when the context is left, also by a break or an exception. What ``frames`` raises is raised
    to the consumer, after the frames before it.

    Parameters
    ----------
    max_bytes : pixels held at most; two frames always fit.
    """
    queue: _ByteQueue[Frame] = _ByteQueue(max_bytes)
    failure: list[BaseException] = []

    def work() -> None:
        try:
            for frame in frames:
                queue.put(frame, frame.image_bgr.nbytes)
        except _ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 (raised again at the consumer)
            failure.append(error)
        finally:
            queue.finish()

    def taken() -> Iterator[Frame]:
        while True:
            try:
                frame = queue.take()
            except _ClosedError:
                break
            yield frame
            del frame  # the consumer's own name is the last one
        if failure:
            raise failure.pop()

    thread = threading.Thread(target=work, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        queue.abandon()
        thread.join()


class WriteBehind:
    """Write pictures from a thread of its own, a bounded way behind.

    What the writer raises is raised by the next `write` or by `close`. Leaving the context by an exception discards;
    the thread has ended either way.

    Parameters
    ----------
    writer : owned from here on: closed or discarded here.
    max_bytes : pixels held at most; two pictures always fit.
    """

    def __init__(self, writer: PictureSink, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._writer = writer
        self._queue: _ByteQueue[tuple[Image, float]] = _ByteQueue(max_bytes)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="write-behind", daemon=True)
        self._thread.start()

    def write(self, image_bgr: Image, pts_s: float) -> None:
        """Take a picture; it must not be changed afterwards."""
        try:
            self._queue.put((image_bgr, pts_s), image_bgr.nbytes)
        except _ClosedError:
            self._give_up()

    def close(self) -> None:
        """Wait until everything is written, then close the writer."""
        self._queue.finish()
        self._thread.join()
        if self._failure is not None:
            self._give_up()
        self._writer.close()

    def discard(self) -> None:
        """Drop what is not written yet and discard the writer."""
        self._queue.abandon()
        self._thread.join()
        self._writer.discard()

    def __enter__(self) -> WriteBehind:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _work(self) -> None:
        try:
            while True:
                image_bgr, pts_s = self._queue.take()
                self._writer.write(image_bgr, pts_s)
                del image_bgr
        except _ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 (raised again by write or close)
            self._failure = error
            self._queue.abandon()

    def _give_up(self) -> None:
        self._thread.join()
        self._writer.discard()
        if self._failure is None:
            raise RuntimeError("the writer is closed")
        raise self._failure

"""Reading ahead and writing behind are bounded, pass errors on, and leave no thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from errors import MediaError
from records import Frame, Image
from tests.make_videos import make_video, read_index
from video.ahead import WriteBehind, read_ahead
from video.decode import open_video
from video.encode import VideoWriter

FRAME_BYTES = 30 * 40 * 3


def source(count: int, produced: list[int], *, fails_at: int | None = None) -> Iterator[Frame]:
    for index in range(count):
        if index == fails_at:
            raise MediaError("media.decode_failed", frame=index - 1, detail="test")
        produced.append(index)
        yield Frame(index, index / 25, np.full((30, 40, 3), index % 256, np.uint8))


class RecordingSink:
    """A writer that keeps what it got and can be made slow or to fail."""

    def __init__(self, *, fails_at: int | None = None, gate: threading.Event | None = None) -> None:
        self.times: list[float] = []
        self.ended: list[str] = []
        self._fails_at = fails_at
        self._gate = gate

    def write(self, image_bgr: Image, pts_s: float) -> None:
        if self._gate is not None:
            self._gate.wait(10)
        if len(self.times) == self._fails_at:
            raise OSError(28, "No space left on device")
        self.times.append(pts_s)

    def close(self) -> None:
        self.ended.append("closed")

    def discard(self) -> None:
        self.ended.append("discarded")


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.002)


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_all_frames_come_in_order(count: int) -> None:
    with read_ahead(source(count, []), max_bytes=5 * FRAME_BYTES) as frames:
        assert [frame.index for frame in frames] == list(range(count))


@pytest.mark.parametrize(("max_bytes", "held"), [(5 * FRAME_BYTES, 5), (0, 2), (FRAME_BYTES, 2)])
def test_reading_ahead_stops_at_the_bytes_but_holds_two_frames(max_bytes: int, held: int) -> None:
    produced: list[int] = []
    with read_ahead(source(50, produced), max_bytes=max_bytes) as frames:
        wait_until(lambda: len(produced) == held + 1)  # one more waits to be put
        time.sleep(0.05)
        assert len(produced) == held + 1
        next(frames)
        wait_until(lambda: len(produced) == held + 2)


def test_an_error_of_the_source_arrives_behind_the_frames_before_it() -> None:
    seen = []
    with read_ahead(source(10, [], fails_at=6)) as frames, pytest.raises(MediaError) as raised:
        seen.extend(frame.index for frame in frames)
    assert raised.value.code == "media.decode_failed"
    with read_ahead(source(10, [], fails_at=6)) as frames:
        assert [next(frames).index for _ in range(6)] == list(range(6))


def test_breaking_off_stops_the_source() -> None:
    produced: list[int] = []
    with read_ahead(source(1000, produced), max_bytes=0) as frames:
        for frame in frames:
            if frame.index == 3:
                break
    assert len(produced) <= 8


def test_an_error_of_the_consumer_passes_and_stops_the_source() -> None:
    produced: list[int] = []
    with pytest.raises(ZeroDivisionError), read_ahead(source(1000, produced), max_bytes=0) as frames:
        raise ZeroDivisionError(str(next(frames).index))
    assert len(produced) <= 4


def test_frames_are_let_go_once_consumed() -> None:
    import weakref

    with read_ahead(source(10, [])) as frames:
        frame = next(frames)
        watched = weakref.ref(frame.image_bgr)
        del frame
        next(frames)
        assert watched() is None


def test_everything_is_written_before_closing() -> None:
    sink = RecordingSink()
    with WriteBehind(sink, max_bytes=0) as writer:
        for frame in source(50, []):
            writer.write(frame.image_bgr, frame.pts_s)
    assert sink.times == [index / 25 for index in range(50)]
    assert sink.ended == ["closed"]


def test_writing_behind_waits_at_the_bound() -> None:
    gate = threading.Event()
    sink = RecordingSink(gate=gate)
    accepted: list[int] = []

    def produce() -> None:
        for frame in source(10, []):
            writer.write(frame.image_bgr, frame.pts_s)
            accepted.append(frame.index)

    writer = WriteBehind(sink, max_bytes=3 * FRAME_BYTES)
    producer = threading.Thread(target=produce)
    producer.start()
    wait_until(lambda: len(accepted) == 4)  # three wait, one is being written
    time.sleep(0.05)
    assert len(accepted) == 4
    gate.set()
    producer.join(5)
    writer.close()
    assert len(sink.times) == 10


def test_an_error_of_the_writer_is_raised_by_the_next_write() -> None:
    sink = RecordingSink(fails_at=3)
    count = 0

    def produce() -> None:
        nonlocal count
        with WriteBehind(sink, max_bytes=0) as writer:
            for frame in source(1000, []):
                writer.write(frame.image_bgr, frame.pts_s)
                count += 1

    with pytest.raises(OSError, match="No space"):
        produce()
    assert count <= 7
    assert set(sink.ended) == {"discarded"}


def test_an_error_at_the_last_picture_is_raised_by_close() -> None:
    sink = RecordingSink(fails_at=0)
    writer = WriteBehind(sink)
    writer.write(np.zeros((2, 2, 3), np.uint8), 0.0)
    with pytest.raises(OSError, match="No space"):
        writer.close()
    assert set(sink.ended) == {"discarded"}


def test_an_error_between_writes_discards_what_was_written() -> None:
    sink = RecordingSink()
    with pytest.raises(ZeroDivisionError), WriteBehind(sink):
        raise ZeroDivisionError
    assert sink.ended == ["discarded"]


def test_writing_after_the_end_is_an_error() -> None:
    writer = WriteBehind(RecordingSink())
    writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        writer.write(np.zeros((2, 2, 3), np.uint8), 0.0)


@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
def test_a_video_goes_through_both_sides_whole(tmp_path: Path, codec: str) -> None:
    path = make_video(tmp_path / "v.bin", codec=codec, frame_count=60)
    with (
        open_video(path) as reader,
        read_ahead(reader, max_bytes=0) as frames,
        WriteBehind(VideoWriter(tmp_path / "o.mp4", width=192, height=128, frame_rate=Fraction(25))) as writer,
    ):
        for frame in frames:
            writer.write(frame.image_bgr, frame.pts_s)
    with open_video(tmp_path / "o.mp4") as reader:
        assert [read_index(frame.image_bgr) for frame in reader] == list(range(60))


@pytest.mark.parametrize("stop_at", [0, 1, 30])
def test_stopping_a_video_halfway_leaves_no_file(tmp_path: Path, stop_at: int) -> None:
    path = make_video(tmp_path / "v.mp4", frame_count=60)

    def run() -> None:
        with (
            open_video(path) as reader,
            read_ahead(reader, max_bytes=0) as frames,
            WriteBehind(VideoWriter(tmp_path / "o.mp4", width=192, height=128, frame_rate=Fraction(25))) as writer,
        ):
            for frame in frames:
                if frame.index == stop_at:
                    raise KeyboardInterrupt
                writer.write(frame.image_bgr, frame.pts_s)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert list(tmp_path.iterdir()) == [path]

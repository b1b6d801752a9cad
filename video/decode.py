"""Pictures in: video files, cameras and folders of pictures, as one kind of reader."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np

from errors import MediaError
from records import Frame, Image, MediaFacts
from video.container import DamageCount, choose_video_stream, decode_stream, open_container, prepare_decoder
from video.facts import read_facts
from video.picture import orientation_of, to_bgr, turn_upright
from video.timeline import Timeline

_PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_CAMERA_RATE = 25.0


class VideoReader(Protocol):
    """What frames come out of, once, in order."""

    @property
    def facts(self) -> MediaFacts:
        """What is known before the first frame is read."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; a reader can be walked through once."""


@contextmanager
def open_video(path: Path, *, max_frames: int | None = None, name: str = "", threads: int = 1) -> Iterator[VideoReader]:
    """Open a video file for reading from start to end.

    Frames are turned upright and have the size of the first one; times follow `video.timeline.Timeline`. A damaged
    packet is skipped; a damaged or missing tail ends the video. Pixels are converted to 8 bits without tone mapping
    and are not stretched where `MediaFacts.sample_aspect` is not 1.

    Parameters
    ----------
    max_frames : stop after so many frames.
    name : what the user calls the file, for messages; the file's own name by default.
    threads : decoder threads; 0 lets FFmpeg choose.

    Raises
    ------
    MediaError
        as `open_container` and `choose_video_stream`; ``media.truncated`` where no frame can be decoded; while
        reading, ``media.decode_failed`` where more of the packets were damaged than could be read.
    """
    name = name or path.name
    with open_container(path, name=name) as container:
        stream = choose_video_stream(container, name=name)
        prepare_decoder(stream, threads=threads)
        damage = DamageCount()
        pictures = decode_stream(container, stream, damage)
        first = next(pictures, None)
        if first is None:
            raise MediaError("media.truncated", name=name)
        facts = read_facts(container, stream, first, path=path, name=name)
        yield _FileReader(facts, first, pictures, damage, max_frames)


@contextmanager
def open_camera(
    index_or_url: int | str, *, max_frames: int | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[VideoReader]:
    """Open a live camera by its index or URL; frames carry the time at which they arrived.

    Parameters
    ----------
    clock : seconds that do not run backwards.

    Raises
    ------
    MediaError
        ``media.camera_unavailable``.
    """
    capture = cv2.VideoCapture(index_or_url)
    try:
        is_read, first = capture.read() if capture.isOpened() else (False, None)
        if not is_read or first is None:
            raise MediaError("media.camera_unavailable", name=str(index_or_url))
        rate = capture.get(cv2.CAP_PROP_FPS)
        height, width = first.shape[:2]
        facts = _facts("camera", "raw", width, height, frame_rate=rate if 1 <= rate <= 240 else _CAMERA_RATE)
        yield _LiveReader(facts, capture, np.asarray(first, np.uint8), clock, max_frames)
    finally:
        capture.release()


@contextmanager
def open_pictures(folder: Path, frame_rate: float, *, max_frames: int | None = None) -> Iterator[VideoReader]:
    """Read the pictures of a folder in natural order (2 before 10) as a video; all are scaled to the first one's size.

    Raises
    ------
    MediaError
        ``media.no_pictures`` for a folder without any; while reading, ``media.decode_failed`` for a damaged one.
    ValueError
        for a frame rate that is not positive.
    """
    if frame_rate <= 0:
        raise ValueError(f"frame_rate must be positive, not {frame_rate}")
    if not folder.is_dir():
        raise MediaError("media.not_found", name=str(folder))
    paths = sorted((path for path in folder.iterdir() if _is_picture(path)), key=_natural_order)
    if not paths:
        raise MediaError("media.no_pictures", name=str(folder))
    paths = paths[:max_frames]
    height, width = _read_picture(paths[0], index=0).shape[:2]
    size_bytes = sum(path.stat().st_size for path in paths)
    facts = _facts(
        "pictures",
        paths[0].suffix.lstrip(".").lower(),
        width,
        height,
        frame_rate=frame_rate,
        count=len(paths),
        size_bytes=size_bytes,
    )
    yield _PictureReader(facts, paths)


class _FileReader:
    def __init__(
        self,
        facts: MediaFacts,
        first: av.VideoFrame,
        rest: Iterator[av.VideoFrame],
        damage: DamageCount,
        max_frames: int | None,
    ) -> None:
        self.facts = facts
        self._first: av.VideoFrame | None = first
        self._rest = rest
        self._damage = damage
        self._max_frames = max_frames

    def __iter__(self) -> Iterator[Frame]:
        first, self._first = self._first, None
        if first is None:
            raise RuntimeError("a reader can be walked through once; open the video again")
        timeline = Timeline(step_s=1 / self.facts.frame_rate, duration_s=self.facts.duration_s)
        orientation = orientation_of(first)
        width, height = first.width, first.height
        index = 0
        picture: av.VideoFrame | None = first
        del first
        while picture is not None and (self._max_frames is None or index < self._max_frames):
            pts_s = timeline.place(picture.pts, picture.time_base)
            image = turn_upright(to_bgr(picture, width=width, height=height), orientation)
            picture = None  # its buffers go back to the decoder before the next one is asked for
            yield Frame(index, pts_s, image)
            del image
            index += 1
            picture = next(self._rest, None)
        if picture is None and self._damage.packets > self._damage.pictures:
            raise MediaError("media.decode_failed", frame=index - 1, detail=self._damage.detail)


class _LiveReader:
    def __init__(
        self,
        facts: MediaFacts,
        capture: cv2.VideoCapture,
        first: Image,
        clock: Callable[[], float],
        max_frames: int | None,
    ) -> None:
        self.facts = facts
        self._capture = capture
        self._first = first
        self._clock = clock
        self._max_frames = max_frames

    def __iter__(self) -> Iterator[Frame]:
        start_s = self._clock()
        timeline = Timeline(step_s=1 / self.facts.frame_rate)
        index = 0
        image: Image | None = self._first
        while image is not None and (self._max_frames is None or index < self._max_frames):
            microseconds = round((self._clock() - start_s) * 1e6)
            yield Frame(index, timeline.place(microseconds, Fraction(1, 1_000_000)), image)
            index += 1
            is_read, read = self._capture.read()
            image = np.asarray(read, np.uint8) if is_read else None


class _PictureReader:
    def __init__(self, facts: MediaFacts, paths: list[Path]) -> None:
        self.facts = facts
        self._paths = paths

    def __iter__(self) -> Iterator[Frame]:
        size = (self.facts.width, self.facts.height)
        for index, path in enumerate(self._paths):
            image = _read_picture(path, index=index)
            if (image.shape[1], image.shape[0]) != size:
                image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            yield Frame(index, index / self.facts.frame_rate, image)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _natural_order(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path.name)]


def _read_picture(path: Path, *, index: int) -> Image:
    data = np.fromfile(path, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise MediaError("media.decode_failed", frame=max(index - 1, 0), detail=f"{path.name} is not a picture")
    return np.asarray(image, np.uint8)


def _facts(
    container: str,
    codec: str,
    width: int,
    height: int,
    *,
    frame_rate: float,
    count: int | None = None,
    size_bytes: int = 0,
) -> MediaFacts:
    return MediaFacts(
        container=container,
        codec=codec,
        pixel_format="bgr24",
        width=width,
        height=height,
        duration_s=0.0 if count is None else count / frame_rate,
        frame_rate=frame_rate,
        frame_count=count,
        sample_aspect=1.0,
        rotation_deg=0,
        size_bytes=size_bytes,
    )

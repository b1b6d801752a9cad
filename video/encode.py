"""Pictures out: H.264 that every browser plays, at a constant frame rate."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.stream import VideoStream

from records import Image, MediaFacts
from video.picture import SCALER_THREADS

_LOWEST_RATE, _HIGHEST_RATE = Fraction(1), Fraction(60)
_LARGEST_DENOMINATOR = 1001  # NTSC rates such as 30000/1001 are met exactly
_LARGE_PIXELS = 4096 * 2304
_HOLD_FEW_PICTURES = ":bframes=0:ref=1:rc-lookahead=0:sync-lookahead=0:sliced-threads=1"
_BT709, _LIMITED_RANGE = 1, 1


def playback_frame_rate(facts: MediaFacts) -> Fraction:
    """Return the constant frame rate to play a video at: its average rate, between 1 and 60."""
    rate = Fraction(facts.frame_rate).limit_denominator(_LARGEST_DENOMINATOR)
    return min(max(rate, _LOWEST_RATE), _HIGHEST_RATE)


def output_size(width: int, height: int, *, max_side: int | None = None, sample_aspect: float = 1.0) -> tuple[int, int]:
    """Return the even width and height with square pixels, the longer side within ``max_side``."""
    wide = width * max(sample_aspect, 1.0)
    high = height / min(sample_aspect, 1.0)
    scale = 1.0 if max_side is None else min(1.0, max_side / max(wide, high))
    return _even(wide * scale), _even(high * scale)


class VideoWriter:
    """Write pictures with their own times as H.264, yuv420p, BT.709, index first, one key frame a second.

    Output frame ``k`` shows the last source frame with ``pts_s < (k + 0.5) / frame_rate``: source frames are repeated
    or left out as that asks. The last one is shown for one nominal step. Nothing is at ``path`` before `close`
    succeeded; leaving the context by an exception removes what was written.

    Parameters
    ----------
    width, height : of the pictures that will be written; the file's own size is `output_size` of them.
    max_side : scale down to this longer side.
    sample_aspect : width of a source pixel over its height; the file has square ones.
    preset, crf : of x264; quality falls as ``crf`` rises. ``superfast`` costs 7 ms of one core a frame of 768×576,
        ``veryfast`` 10 ms for files smaller by a tenth.
    threads : of x264; 0 lets it choose.

    Raises
    ------
    ValueError
        for a size or frame rate that is not positive.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        frame_rate: Fraction,
        max_side: int | None = None,
        sample_aspect: float = 1.0,
        preset: str = "superfast",
        crf: int = 23,
        threads: int = 0,
    ) -> None:
        if width < 1 or height < 1 or frame_rate <= 0 or sample_aspect <= 0:
            raise ValueError(
                f"size, frame rate and aspect must be positive, not {width}×{height}, {frame_rate}, {sample_aspect}"
            )
        self.width, self.height = output_size(width, height, max_side=max_side, sample_aspect=sample_aspect)
        self.frame_rate = frame_rate
        self.frame_count = 0
        self._source_shape = (height, width, 3)
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._pending: av.VideoFrame | None = None
        self._last_pts_s = -1.0
        self._is_open = True
        self._container = av.open(
            str(self._part.absolute()), mode="w", format="mp4", options={"movflags": "+faststart"}
        )
        self._stream = self._add_stream(preset, crf, threads)

    def _add_stream(self, preset: str, crf: int, threads: int) -> VideoStream:
        keyframe_distance = max(1, round(self.frame_rate))
        parameters = f"keyint={keyframe_distance}:min-keyint={keyframe_distance}:scenecut=0:open-gop=0"
        if self.width * self.height > _LARGE_PIXELS:
            parameters += _HOLD_FEW_PICTURES
        options = {"preset": preset, "crf": str(crf), "x264-params": parameters}
        stream = self._container.add_stream("libx264", rate=self.frame_rate, options=options)
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / self.frame_rate
        context.thread_count = threads
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return stream

    def write(self, image_bgr: Image, pts_s: float) -> None:
        """Take the next picture.

        Parameters
        ----------
        image_bgr : (height, width, 3) uint8; read before the call returns, so that it may be reused.
        pts_s : later than the last one's.

        Raises
        ------
        ValueError
            for a picture of another size, or a time that does not rise.
        OSError
            when the disk is full.
        """
        if image_bgr.shape != self._source_shape:
            raise ValueError(f"picture must have shape {self._source_shape}, not {image_bgr.shape}")
        if pts_s < 0 or pts_s <= self._last_pts_s:
            raise ValueError(f"times must rise from 0 on, got {pts_s} after {self._last_pts_s}")
        self._fill_slots(until_s=pts_s)
        self._pending = self._convert(image_bgr)
        self._last_pts_s = pts_s

    def close(self) -> None:
        """Finish the file and put it in its place.

        Raises
        ------
        ValueError
            where no picture was written.
        """
        if not self._is_open:
            return
        try:
            if self._pending is None:
                raise ValueError("no picture was written")
            self._fill_slots(until_s=self._last_pts_s + float(1 / self.frame_rate))
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            self._is_open = False
            self._container.close()
            self._part.replace(self._path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was written; a file that `close` finished stays."""
        self._pending = None
        if self._is_open:
            self._is_open = False
            with suppress(av.FFmpegError, OSError):  # the file is removed anyway
                self._container.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _fill_slots(self, *, until_s: float) -> None:
        """Write the pending picture into every open slot whose middle is not past ``until_s``."""
        if self._pending is None:
            return
        rate = float(self.frame_rate)
        while (self.frame_count + 0.5) / rate <= until_s:
            self._encode(self._pending)

    def _convert(self, image_bgr: Image) -> av.VideoFrame:
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image_bgr), format="bgr24")
        return frame.reformat(
            width=self.width,
            height=self.height,
            format="yuv420p",
            dst_colorspace=_BT709,
            interpolation="AREA" if self.width * self.height < self._source_shape[0] * self._source_shape[1] else None,
            threads=SCALER_THREADS,
        )

    def _encode(self, frame: av.VideoFrame) -> None:
        frame.pts = self.frame_count
        frame.time_base = 1 / self.frame_rate
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        self.frame_count += 1


def _even(side: float) -> int:
    return max(2, round(side / 2) * 2)

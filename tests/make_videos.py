"""Small real videos for tests, made with PyAV, whose pictures tell which frame they are.

Every picture carries its index as a bar code along the top, which survives
lossy coding, scaling and drawing below it; `read_index` reads it back.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from records import FloatArray, Image

INDEX_BITS = 16
_BAR_SHARE = 8  # the bar code takes an eighth of the height
_CODECS = {
    "h264": ("libx264", "mp4", "yuv420p", {"preset": "ultrafast"}),
    "h264_bframes": ("libx264", "mp4", "yuv420p", {"preset": "fast", "bf": "3"}),
    "hevc": ("libx265", "mp4", "yuv420p", {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"}),
    "vp9": ("libvpx-vp9", "webm", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}),
    "av1": ("libsvtav1", "mp4", "yuv420p", {"preset": "12"}),
    "mjpeg": ("mjpeg", "avi", "yuvj420p", {}),
    "mpeg4": ("mpeg4", "avi", "yuv420p", {}),
    "mpeg4_bframes": ("mpeg4", "avi", "yuv420p", {"bf": "2"}),
    "h264_10bit": ("libx264", "mp4", "yuv420p10le", {"preset": "ultrafast"}),
    "h264_444": ("libx264", "mkv", "yuv444p", {"preset": "ultrafast"}),
    "mpeg2ts": ("mpeg2video", "ts", "yuv420p", {}),
    "ffv1": ("ffv1", "mkv", "bgr0", {}),
}
CODECS: tuple[str, ...] = tuple(_CODECS)
"""The names that `make_video` takes as ``codec``."""


def people_boxes(index: int, width: int, height: int, count: int = 3) -> FloatArray:
    """Return the (count, 4) boxes of the upright rectangles in frame ``index``, pixels."""
    top, room = height // _BAR_SHARE, height - height // _BAR_SHARE
    tall, wide = room * 0.5, max(2.0, width * 0.1)
    boxes = []
    for person in range(count):
        speed = (1 + person) * width * 0.01 * (-1) ** person
        left = (width * (person + 0.5) / count + index * speed) % max(1.0, width - wide)
        upper = top + room * 0.1 * (person % 4)
        boxes.append((left, upper, left + wide, upper + tall))
    return np.array(boxes, np.float32).reshape(-1, 4)


def scene(index: int, width: int, height: int, *, people: int = 3) -> Image:
    """Return picture ``index``: the bar code above people-like rectangles that walk over a shaded floor.

    Returns
    -------
    (height, width, 3) uint8 BGR.
    """
    image = np.empty((height, width, 3), np.uint8)
    image[:] = (90 + 60 * np.arange(height) // max(1, height))[:, None, None]
    for person, box in enumerate(people_boxes(index, width, height, people)):
        left, top, right, bottom = (round(float(side)) for side in box)
        head = top + max(1, (bottom - top) // 6)
        middle = (head + bottom) // 2
        image[top:head, left + (right - left) // 4 : right - (right - left) // 4] = (150, 180, 220)
        image[head:middle, left:right] = ((40 + 70 * person) % 256, (200 - 60 * person) % 256, (90 * person) % 256)
        image[middle:bottom, left:right] = (40, 30, 30 + 40 * (person % 3))
    bars = (index >> np.arange(INDEX_BITS - 1, -1, -1)) & 1
    columns = np.minimum(np.arange(width) * INDEX_BITS // width, INDEX_BITS - 1)
    image[: height // _BAR_SHARE] = np.where(bars[columns], 235, 20).astype(np.uint8)[None, :, None]
    return image


def read_index(image_bgr: Image) -> int:
    """Return the index that the bar code of a picture shows."""
    height, width = image_bgr.shape[:2]
    rows = image_bgr[height // _BAR_SHARE // 4 : max(height // _BAR_SHARE // 4 + 1, height // _BAR_SHARE * 3 // 4)]
    centres = ((np.arange(INDEX_BITS) + 0.5) * width / INDEX_BITS).astype(int)
    bits = rows.mean(axis=(0, 2))[centres] > 128
    return int(bits @ (1 << np.arange(INDEX_BITS - 1, -1, -1)))


def make_video(
    path: Path,
    *,
    codec: str = "h264",
    width: int = 192,
    height: int = 128,
    frame_count: int = 20,
    frame_rate: int = 25,
    times_ms: Sequence[int] | None = None,
    turn_deg: int = 0,
    sample_aspect: Fraction | None = None,
    people: int = 3,
    has_audio: bool = False,
    gop: int = 12,
    container: str = "",
) -> Path:
    """Write a video of `scene` pictures and return its path.

    Parameters
    ----------
    path : the suffix is kept as given, whatever the container is.
    codec : one of `CODECS`.
    times_ms : presentation times, one a frame, in place of ``frame_count`` at ``frame_rate``.
    turn_deg : 90, 180 or 270: stored turned back, with a display matrix that turns it upright, clockwise. MP4 only.
    sample_aspect : width of a pixel over its height.
    container : FFmpeg's format name; what suits the codec by default.
    """
    encoder, suffix, pixel_format, options = _CODECS[codec]
    times = list(times_ms) if times_ms is not None else [round(1000 * i / frame_rate) for i in range(frame_count)]
    turned = turn_deg in (90, 270)
    names = {"mkv": "matroska", "ts": "mpegts"}
    with av.open(str(path), mode="w", format=container or names.get(suffix, suffix)) as output:
        stream = output.add_stream(encoder, rate=frame_rate, options=options)
        stream.width, stream.height = (height, width) if turned else (width, height)
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        assert isinstance(context, VideoCodecContext)
        context.gop_size = gop
        context.thread_count = 1
        context.time_base = Fraction(1, 1000) if times_ms is not None else Fraction(1, frame_rate)
        if sample_aspect is not None:
            context.sample_aspect_ratio = sample_aspect
        audio = output.add_stream("aac", rate=16000, layout="mono") if has_audio else None
        for index, time_ms in enumerate(times):
            image = np.rot90(scene(index, width, height, people=people), k=turn_deg // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
            frame.time_base = context.time_base
            frame.pts = time_ms if times_ms is not None else index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if audio is not None:
            _add_tone(output, audio, seconds=(times[-1] + 40) / 1000)
    if turn_deg:
        set_display_matrix(path, {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[turn_deg])
    return path


def make_audio(path: Path, *, seconds: float = 1.0, container: str = "mp4") -> Path:
    """Write a file that holds sound alone (``container``: ``mp4`` or ``wav``)."""
    with av.open(str(path), mode="w", format=container) as output:
        stream = output.add_stream("pcm_s16le" if container == "wav" else "aac", rate=16000, layout="mono")
        _add_tone(output, stream, seconds=seconds)
    return path


def make_empty(path: Path) -> Path:
    """Write a file of no bytes."""
    path.write_bytes(b"")
    return path


def make_truncated(path: Path, *, keep: float = 0.5, codec: str = "h264") -> Path:
    """Write the first part of a video; an MP4's index lies at its end, so that none of it can be read."""
    make_video(path, codec=codec, frame_count=60)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def make_playlist(path: Path, target: Path) -> Path:
    """Write an HLS playlist (m3u8) of which ``target`` is the only part."""
    path.write_text(
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\nfile:{target.absolute()}\n#EXT-X-ENDLIST\n"
    )
    return path


def make_ffconcat(path: Path, target: Path) -> Path:
    """Write an ffconcat script, whatever the suffix, that names ``target``."""
    path.write_text(f"ffconcat version 1.0\nfile '{target.absolute()}'\n")
    return path


def make_external_reference(path: Path, target: Path) -> Path:
    """Write an MP4 whose samples lie in another file of its folder, ``target``, which its data reference names."""
    make_video(path)
    data = path.read_bytes()
    volume, name = b"V", target.name.encode()[:63]
    route = (volume + str(target.absolute()).replace("/", ":").encode()).ljust(2, b":")
    alias = bytearray(150)
    alias[10:12] = bytes([len(volume)]) + volume
    alias[50 : 51 + len(name)] = bytes([len(name)]) + name
    struct.pack_into(">HH", alias, 130, 1, 1)  # the target lies in the same folder
    alias += struct.pack(">HH", 2, len(route)) + route + b"\0" * (len(route) % 2) + struct.pack(">HH", 0xFFFF, 0)
    dref = _box(b"dref", bytes(4) + struct.pack(">I", 1) + _box(b"alis", bytes(4) + bytes(alias)))
    path.write_bytes(_replace_box(data, [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"], dref))
    return path


def set_display_matrix(path: Path, abcd: tuple[int, int, int, int]) -> None:
    """Set the display matrix ``x' = a x + c y, y' = b x + d y`` (y down) of an MP4's only track."""
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in abcd)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))


def damage(path: Path, *, start: float, stop: float, seed: int = 0) -> None:
    """Overwrite a share of a file, given as fractions of its length, with noise."""
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * stop)
    data[first:last] = np.random.default_rng(seed).integers(0, 256, last - first, np.uint8).tobytes()
    path.write_bytes(bytes(data))


def _add_tone(output: av.container.OutputContainer, stream: av.AudioStream, *, seconds: float) -> None:
    rate = 16000
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)).astype(np.int16)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _replace_box(data: bytes, route: list[bytes], replacement: bytes) -> bytes:
    """Return ISO boxes with the one at the end of ``route`` replaced and all sizes above it mended."""
    position, parts = 0, []
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + size]
        if kind != route[0]:
            parts.append(data[position : position + size])
        elif len(route) == 1:
            parts.append(replacement)
        else:
            parts.append(_box(kind, _replace_box(body, route[1:], replacement)))
        position += size
    return b"".join(parts)

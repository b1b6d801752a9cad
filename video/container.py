"""Open an untrusted media file so that it cannot make FFmpeg open anything else.

FFmpeg is handed an open file, so that a name is never parsed as a protocol or a
pattern; only demuxers that read one file are allowed; and should one still ask
for a second file, neither our own opener nor any protocol gives it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from errors import MediaError

logger = logging.getLogger(__name__)

ALLOWED_FORMATS: tuple[str, ...] = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "asf", "ogg", "mxf", "nut", "rm", "wtv", "dhav",
    "h264", "hevc", "m4v", "ivf", "obu", "av1", "mjpeg", "mpjpeg", "dv", "yuv4mpegpipe", "gxf", "swf", "nsv", "dirac",
    "vc1", "avs2", "wav", "flac",
)  # fmt: skip
"""Demuxers that read a single file. Those of bare audio are there to be told that they hold no picture."""

LOCKS: Mapping[str, str] = {
    "format_whitelist": ",".join(ALLOWED_FORMATS),
    "protocol_whitelist": "",
    "enable_drefs": "0",
}
"""FFmpeg's options that allow these demuxers, no protocol at all, and no samples in other files."""

_BUFFER_BYTES = 1 << 18
_MAX_DEMUX_ERRORS = 16
_LARGE_PIXELS = 4096 * 2304
_ALWAYS_ALLOWED_PIXELS = 7680 * 4320
_HEAD_BYTES = 4096
_PLAYLIST_STARTS = (
    b"#extm3u", b"ffconcat", b"[playlist]", b"<asx", b"<smil", b"[reference]", b"v=0\r", b"v=0\n", b"rtsp://",
    b"http://", b"https://", b"#ext-x-", b"file '",
)  # fmt: skip
_CONTAINER_STARTS = (
    (0, b"RIFF"), (0, b"\x1a\x45\xdf\xa3"), (0, b"FLV\x01"), (0, b"OggS"), (0, b"\x00\x00\x01\xba"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), (0, b"DHAV"), (0, b"DKIF"),
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (4, b"skip"),
)  # fmt: skip


@contextmanager
def open_container(path: Path, *, name: str) -> Iterator[InputContainer]:
    """Open a local file for demuxing; close it on leaving.

    Parameters
    ----------
    name : what the user calls the file, for messages.

    Raises
    ------
    MediaError
        ``media.not_found``, ``media.empty``, ``media.playlist``, ``media.truncated`` or ``media.not_video``.
    """
    if not path.is_file():
        raise MediaError("media.not_found", name=name)
    with path.open("rb", buffering=0) as file:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        if not head:
            raise MediaError("media.empty")
        if _is_playlist(head):
            raise MediaError("media.playlist", name=name)
        try:
            container = av.open(
                file,
                mode="r",
                options=dict(LOCKS),
                metadata_errors="replace",
                buffer_size=_BUFFER_BYTES,
                io_open=refuse_second_file,
            )
        except PermissionError as error:
            raise MediaError("media.playlist", name=name) from error
        except (av.FFmpegError, OSError, ValueError) as error:
            logger.info("unreadable name=%s error=%s", name, error)
            code = "media.truncated" if _starts_like_a_container(head) else "media.not_video"
            raise MediaError(code, name=name) from error
        with container:
            yield container


def refuse_second_file(url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    """Stand in for FFmpeg's opening of further files; raise `PermissionError`."""
    logger.warning("refused to open a second file url=%.200s", url)
    raise PermissionError("a media file may not open other files")


def choose_video_stream(container: InputContainer, *, name: str) -> VideoStream:
    """Return the video stream to process: the first one that is no cover picture.

    Raises
    ------
    MediaError
        ``media.no_video_stream``, ``media.not_video`` or ``media.codec_unsupported``.
    """
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise MediaError("media.no_video_stream" if container.streams.audio else "media.not_video", name=name)
    usable = [stream for stream in streams if stream.codec_context is not None]
    if not usable:
        raise MediaError("media.codec_unsupported", name=name)
    return usable[0]


def prepare_decoder(stream: VideoStream, *, threads: int) -> None:
    """Set the threads of a decoder (0: FFmpeg's choice) and a limit to pictures that grow in the middle of a file."""
    context = stream.codec_context
    pixels = context.width * context.height
    # Frame threads hold a picture each: beyond 4K that costs more memory than the time is worth.
    context.thread_type = "SLICE" if pixels > _LARGE_PIXELS else "AUTO"
    context.thread_count = threads
    context.options = {"max_pixels": str(int(max(pixels, _ALWAYS_ALLOWED_PIXELS) * 1.1))}


def decode_stream(container: InputContainer, stream: VideoStream, damage: DamageCount) -> Iterator[av.VideoFrame]:
    """Yield the pictures of a stream in the order of presentation, past what is damaged.

    A packet that cannot be decoded is counted and skipped. Where the container itself is damaged, reading goes on
    behind the damage if FFmpeg finds its way, else the video ends there.
    """
    errors_in_a_row = 0
    while errors_in_a_row <= _MAX_DEMUX_ERRORS:
        before = damage.pictures
        try:
            for packet in container.demux(stream):
                yield from _decode_packet(packet, damage)
            return
        except av.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            errors_in_a_row = 1 if damage.pictures > before else errors_in_a_row + 1
            damage.detail = str(error)
    try:
        yield from stream.decode(None)
    except av.FFmpegError as error:
        damage.detail = str(error)


class DamageCount:
    """What a decoder could not read so far.

    Attributes
    ----------
    pictures : pictures decoded.
    packets : packets that could not be decoded.
    detail : the last error in FFmpeg's words; empty where there was none.
    """

    def __init__(self) -> None:
        self.pictures = 0
        self.packets = 0
        self.detail = ""


def _decode_packet(packet: av.Packet[Any], damage: DamageCount) -> Iterator[av.VideoFrame]:
    try:
        frames = packet.decode()
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        damage.packets += 1
        damage.detail = str(error)
        return
    for frame in frames:
        if isinstance(frame, av.VideoFrame):
            damage.pictures += 1
            yield frame


def _is_playlist(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith(_PLAYLIST_STARTS) or (text.startswith(b"<?xml") and b"<mpd" in text)


def _starts_like_a_container(head: bytes) -> bool:
    return any(head[offset : offset + len(magic)] == magic for offset, magic in _CONTAINER_STARTS)


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)

"""Read what a container says about its video stream, and check it for sense."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from records import MediaFacts
from video.container import choose_video_stream, open_container
from video.picture import orientation_of

_DEFAULT_RATE = Fraction(25)
_LOWEST_RATE, _HIGHEST_RATE = Fraction(1, 100), Fraction(1000)
_LARGEST_ASPECT = 10
_BARE_FORMATS = frozenset({"h264", "hevc", "m4v", "mpegvideo", "mjpeg", "obu", "av1", "dirac", "vc1", "avs2"})


def read_facts(
    container: InputContainer, stream: VideoStream, first: av.VideoFrame, *, path: Path, name: str
) -> MediaFacts:
    """Return the facts of an open container whose first picture was decoded.

    Where nothing tells the length, the packets are counted, which reads the file once.
    """
    orientation = orientation_of(first)
    width, height = orientation.size(first.width, first.height)
    aspect = _sample_aspect(stream)
    if orientation.is_transposed:
        aspect = 1 / aspect
    rate = _frame_rate(stream)
    count = stream.frames or None
    duration_s = _duration_s(container, stream)
    if duration_s is None:
        packets, duration_s = count_packets(path, name=name)
        count = count or packets
        duration_s = duration_s if duration_s is not None else float(packets / rate)
    return MediaFacts(
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=first.format.name,
        width=width,
        height=height,
        duration_s=duration_s,
        frame_rate=float(rate),
        frame_count=count,
        sample_aspect=float(aspect),
        rotation_deg=orientation.rotation_deg,
        size_bytes=path.stat().st_size,
    )


def count_packets(path: Path, *, name: str) -> tuple[int, float | None]:
    """Return the number of video packets and the seconds they span; None where they carry no time."""
    count = 0
    first: Fraction | None = None
    end = Fraction(0)
    with open_container(path, name=name) as container:
        stream = choose_video_stream(container, name=name)
        is_bare = container.format.name in _BARE_FORMATS
        try:
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                count += 1
                if packet.pts is None or packet.time_base is None:
                    continue
                time = packet.pts * packet.time_base
                first = time if first is None else min(first, time)
                end = max(end, time + (packet.duration or 0) * packet.time_base)
        except (av.FFmpegError, OSError):
            pass  # a damaged tail ends the count, as it ends the video
    return count, None if first is None or is_bare else float(end - first)


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if container.format.name in _BARE_FORMATS:
        return None  # FFmpeg's guess from the bit rate is far off
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / av.time_base
    return None


def _frame_rate(stream: VideoStream) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and _LOWEST_RATE <= rate <= _HIGHEST_RATE:
            return Fraction(rate)
    return _DEFAULT_RATE


def _sample_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio
    if not aspect or not Fraction(1, _LARGEST_ASPECT) <= aspect <= _LARGEST_ASPECT:
        return Fraction(1)
    return Fraction(aspect)

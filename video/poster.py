"""A JPEG of one picture, without OpenCV, for processes that must stay small."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext

from records import Image
from video.encode import output_size
from video.picture import SCALER_THREADS

_JPEG_QUALITY = 4  # FFmpeg's scale, 2 (best) to 31


def write_jpeg(image_bgr: Image, path: Path, *, max_side: int, sample_aspect: float = 1.0) -> None:
    """Write a picture as JPEG with square pixels, its longer side at most ``max_side``.

    Parameters
    ----------
    image_bgr : (H, W, 3) uint8.
    sample_aspect : width of a pixel over its height.
    """
    height, width = image_bgr.shape[:2]
    width, height = output_size(width, height, max_side=max_side, sample_aspect=sample_aspect)
    frame = av.VideoFrame.from_ndarray(image_bgr, format="bgr24").reformat(
        width=width,
        height=height,
        format="yuvj420p",
        dst_colorspace="ITU601",
        dst_color_range="JPEG",
        interpolation="AREA",
        threads=SCALER_THREADS,
    )
    context = VideoCodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
    context.time_base = Fraction(1, 25)
    context.options = {"qmin": str(_JPEG_QUALITY), "qmax": str(_JPEG_QUALITY)}
    frame.pts, frame.time_base = 0, context.time_base
    packets = [*context.encode(frame), *context.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))

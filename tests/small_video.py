"""A small real video, and a detector and an embedder that follow a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np

from records import Detections, FloatArray, Image, MediaFacts, ModelInfo

WIDTH, HEIGHT, RATE = 160, 120, 25


def write_video(path: Path, frame_count: int = 30) -> MediaFacts:
    """Write grey pictures with a light blue box that moves right, and return the facts of the file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frame_count):
            image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
            image[30:100, 20 + index % 80 : 50 + index % 80] = (255, 160, 60)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return MediaFacts(
        container="avi",
        codec="mpeg4",
        pixel_format="yuv420p",
        width=WIDTH,
        height=HEIGHT,
        duration_s=frame_count / RATE,
        frame_rate=RATE,
        frame_count=frame_count,
        sample_aspect=1.0,
        rotation_deg=0,
        size_bytes=path.stat().st_size,
    )


class ScriptedDetector:
    """Finds the light blue box; calls ``before`` with the number of the call first."""

    info = ModelInfo("scripted")

    def __init__(self, before: Callable[[int], None] = lambda call: None) -> None:
        self._before = before
        self._calls = 0

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        self._calls += 1
        self._before(self._calls)
        return [self._find(image) for image in images_bgr]

    def _find(self, image_bgr: Image) -> Detections:
        rows, columns = np.nonzero(image_bgr[:, :, 0] > 200)
        box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
        return Detections(box, np.ones(1, np.float32), np.zeros(1, np.int64))


class ScriptedEmbedder:
    """Gives every crop the same vector."""

    info = ModelInfo("scripted")
    dimension = 4
    max_cosine_distance = 0.2

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        return np.full((len(crops_bgr), 4), 0.5, np.float32)

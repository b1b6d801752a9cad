"""Small videos of coloured blocks, and a detector and an embedder that know them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from model.crops import cut_crops
from records import Detections, FloatArray, Image, ModelInfo
from video.decode import VideoReader, open_video

RED, GREEN, BLUE, YELLOW = (40, 40, 220), (40, 200, 40), (220, 60, 40), (40, 210, 210)
"""BGR. Red and green blocks are people, blue ones cars, yellow ones buses."""

_CLASS_OF_COLOUR = {RED: 0, GREEN: 0, BLUE: 2, YELLOW: 4}
_GREY = 120


@dataclass(frozen=True)
class Block:
    """A block that walks through a video, visible in ``frames``."""

    colour: tuple[int, int, int]
    start: tuple[float, float]
    step: tuple[float, float] = (2.0, 0.0)
    size: tuple[int, int] = (24, 48)
    frames: range = range(10**6)

    def box(self, index: int) -> tuple[float, float, float, float]:
        """Return where the block is in frame ``index``, x1, y1, x2, y2."""
        x, y = (s + index * d for s, d in zip(self.start, self.step, strict=True))
        return x, y, x + self.size[0], y + self.size[1]


def picture(blocks: Sequence[Block], index: int, *, width: int = 320, height: int = 240) -> Image:
    """Return frame ``index`` of a video of ``blocks``."""
    image = np.full((height, width, 3), _GREY, np.uint8)
    for block in blocks:
        if index in block.frames:
            x1, y1, x2, y2 = (round(side) for side in block.box(index))
            image[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = block.colour
    return image


def make_video(
    path: Path,
    blocks: Sequence[Block],
    *,
    frame_count: int = 30,
    width: int = 320,
    height: int = 240,
    times_ms: Sequence[int] | None = None,
) -> Path:
    """Write a lossless video of ``blocks``, 10 frames a second unless ``times_ms`` says otherwise."""
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(frame_count):
            frame = av.VideoFrame.from_ndarray(picture(blocks, index, width=width, height=height), format="bgr24")
            frame.pts = times_ms[index] if times_ms else index * 100
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def source_of(path: Path) -> Callable[[], AbstractContextManager[VideoReader]]:
    """Return what opens ``path`` for a pass."""
    return partial(open_video, path, name=path.name)


@dataclass
class BlockDetector:
    """Finds the blocks by their colour; a stand-in for a network."""

    info: ModelInfo = field(default_factory=lambda: ModelInfo("blocks"))
    batch_sizes: list[int] = field(default_factory=list)
    ghost: Callable[[int], Detections | None] = lambda index: None
    frames_seen: int = 0

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        self.batch_sizes.append(len(images_bgr))
        return [self._detect_one(image) for image in images_bgr]

    def _detect_one(self, image: Image) -> Detections:
        boxes: list[tuple[int, int, int, int]] = []
        classes: list[int] = []
        for colour, class_id in _CLASS_OF_COLOUR.items():
            mask = (np.abs(image.astype(np.int16) - colour).max(axis=2) < 40).astype(np.uint8)
            count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
            for x, y, w, h, area in stats[1:count]:
                if area >= 4:
                    boxes.append((x, y, x + w, y + h))
                    classes.append(class_id)
        found = Detections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.full(len(boxes), 0.9, np.float32),
            np.array(classes, np.int64),
        )
        ghost = self.ghost(self.frames_seen)
        self.frames_seen += 1
        return found if ghost is None else ghost


@dataclass
class ColourEmbedder:
    """Tells crops apart by their mean colour; a stand-in for a network."""

    info: ModelInfo = field(default_factory=lambda: ModelInfo("colour"))
    dimension: int = 3
    max_cosine_distance: float = 0.1
    crop_shapes: list[tuple[int, ...]] = field(default_factory=list)

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        self.crop_shapes += [crop.shape for crop in crops_bgr]
        rows = [crop.reshape(-1, 3).mean(axis=0) for crop in crops_bgr]
        features = np.array(rows, np.float32).reshape(-1, 3)
        unit: FloatArray = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
        return unit


def middle_colour(image: Image, box_xyxy: Sequence[float]) -> tuple[int, int, int]:
    """Return the median BGR colour of the inner half of a box."""
    x1, y1, x2, y2 = box_xyxy
    inner = np.array([[x1 + (x2 - x1) / 4, y1 + (y2 - y1) / 4, x2 - (x2 - x1) / 4, y2 - (y2 - y1) / 4]], np.float32)
    (crop,) = cut_crops(image, inner)
    blue, green, red = (int(value) for value in np.median(crop.reshape(-1, 3), axis=0))
    return blue, green, red

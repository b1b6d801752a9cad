"""What a tracker is shown of a sequence: boxes, how they look, how the camera moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.mot import MotSequence
from model.crops import cut_crops
from model.hsv_stripes import HsvStripes
from model.protocols import Embedder
from pipeline.tracking import Appearances
from records import Detections, FloatArray, Image
from video.camera_motion import CameraMotion, to_first_frame

_MOVING_SCORE = 0.5  # boxes of what surely moves by itself


@dataclass(frozen=True, eq=False)
class ShownFrame:
    """One frame.

    Attributes
    ----------
    detections : people alone.
    descriptors : (N, D) float32, one a box.
    camera_affine : (2, 3) from the last frame to this one; None while the camera rests.
    """

    detections: Detections
    descriptors: FloatArray
    camera_affine: NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class ShownSequence:
    """All frames of a sequence, in order, and what trackers need to know of the video and the descriptors."""

    name: str
    frames: tuple[ShownFrame, ...]
    frame_rate: float
    width: int
    height: int
    appearances: Appearances = field(default_factory=Appearances)

    @property
    def frame_times_s(self) -> NDArray[np.float64]:
        """(F,) seconds by the sequence's own frame rate; a video file beside it may be played at another."""
        return np.arange(len(self.frames)) / self.frame_rate

    def to_first_frame(self) -> NDArray[np.float64] | None:
        """Return the (F, 3, 3) chain of the camera's steps, None for a camera that rests."""
        return to_first_frame([frame.camera_affine for frame in self.frames], width=self.width, height=self.height)


def show_sequence(
    sequence: MotSequence, find: Callable[[int, Image], Detections], embedder: Embedder | None = None
) -> ShownSequence:
    """Read the pictures of a sequence and describe its boxes.

    Parameters
    ----------
    find : given the index of a frame and its picture, what was found there.
    embedder : describes every box; the colour descriptor if None.

    Raises
    ------
    ValueError
        when there are fewer pictures than ``seqinfo.ini`` says; more are left out.
    """
    embedder, camera = embedder or HsvStripes(), CameraMotion()
    frames: list[ShownFrame] = []
    with sequence.open() as reader:
        facts = reader.facts
        for index, frame in zip(range(sequence.length), reader, strict=False):
            found = _people(find(index, frame.image_bgr))
            descriptors = embedder.embed(cut_crops(frame.image_bgr, found.boxes_xyxy))
            moving = found.boxes_xyxy[found.scores >= _MOVING_SCORE]
            frames.append(ShownFrame(found, descriptors, camera.step(frame.image_bgr, moving)))
    if len(frames) < sequence.length:
        raise ValueError(f"{sequence.name} has {len(frames)} pictures, its seqinfo.ini says {sequence.length}")
    appearances = Appearances.of(embedder.max_cosine_distance, embedder.info.distances, None)
    return ShownSequence(sequence.name, tuple(frames), sequence.frame_rate, facts.width, facts.height, appearances)


def _people(found: Detections) -> Detections:
    is_person = found.class_ids == 0
    return Detections(found.boxes_xyxy[is_person], found.scores[is_person], found.class_ids[is_person])

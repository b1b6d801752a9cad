"""The frozen records that cross the borders between rooms.

Pictures are BGR uint8 (H, W, 3), as OpenCV has them. Boxes are float32
``x1, y1, x2, y2``, half-open, in pixels of the decoded frame (rotation
metadata applied). Times are seconds from the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Image = NDArray[np.uint8]


class Kind(str, Enum):
    """What is tracked. Boxes of different kinds never share a track."""

    PERSON = "person"
    VEHICLE = "vehicle"


CLASS_NAMES: tuple[str, ...] = ("person", "bicycle", "car", "motorcycle", "bus", "truck")
"""The classes that every detector maps its own to; a class id is an index into it."""

CLASS_KINDS: tuple[Kind, ...] = (Kind.PERSON, *([Kind.VEHICLE] * 5))
"""The kind of each class id."""


@dataclass(frozen=True)
class Notice:
    """Something the user should know about a result; see `messages.MESSAGES`."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded picture.

    Attributes
    ----------
    index : 0, 1, 2, … in the order of presentation.
    pts_s : seconds since the first frame; strictly increasing, true to the file.
    image_bgr : (H, W, 3) uint8.
    """

    index: int
    pts_s: float
    image_bgr: Image


@dataclass(frozen=True, eq=False)
class Detections:
    """The boxes found in one frame.

    Attributes
    ----------
    boxes_xyxy : (N, 4) float32 pixels, clipped to the frame; N may be 0.
    scores : (N,) float32 in [0, 1].
    class_ids : (N,) int64, indices into `CLASS_NAMES`.

    Raises
    ------
    ValueError
        when the shapes disagree.
    """

    boxes_xyxy: FloatArray
    scores: FloatArray
    class_ids: IntArray

    def __post_init__(self) -> None:
        count = len(self.boxes_xyxy)
        if self.boxes_xyxy.shape != (count, 4):
            raise ValueError(f"boxes_xyxy must have shape (N, 4), not {self.boxes_xyxy.shape}")
        for name in ("scores", "class_ids"):
            if getattr(self, name).shape != (count,):
                raise ValueError(f"{name} must have shape ({count},), not {getattr(self, name).shape}")

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    @classmethod
    def empty(cls) -> Detections:
        """Return detections of a frame in which nothing was found."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def select(self, mask_or_indices: NDArray[Any]) -> Detections:
        """Return the chosen rows."""
        return Detections(
            self.boxes_xyxy[mask_or_indices], self.scores[mask_or_indices], self.class_ids[mask_or_indices]
        )


@dataclass(frozen=True)
class MediaFacts:
    """What a container says about its video stream, checked by decoding.

    Attributes
    ----------
    width, height : pixels after rotation.
    duration_s : seconds; from the stream, the container, or frames over rate.
    frame_rate : average frames a second; an estimate where the rate varies.
    frame_count : as the container counts them; None where it does not.
    sample_aspect : width of a pixel over its height (1.0 for square ones).
    rotation_deg : 0, 90, 180 or 270, clockwise, already applied to decoded frames.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    duration_s: float
    frame_rate: float
    frame_count: int | None
    sample_aspect: float
    rotation_deg: int
    size_bytes: int


@dataclass(frozen=True)
class DistanceScale:
    """How far apart an embedder puts people, measured: cosine distances of the mean vectors of stretches of tracks.

    Attributes
    ----------
    usual_same, spread_same : mean and standard deviation for stretches of one person.
    usual_other, spread_other : for stretches of two persons.
    """

    usual_same: float
    spread_same: float
    usual_other: float
    spread_other: float


@dataclass(frozen=True)
class ModelInfo:
    """Which detector or embedder ran, as shown to the user.

    Attributes
    ----------
    name : e.g. ``hog``, ``yolox``, ``paddledet``, ``hsv_stripes``, ``resnet101_vd``.
    source : the file or folder of the weights; empty where there are none.
    device : ``cpu`` or ``gpu``.
    notices : what the user should know, e.g. that this is a fallback.
    distances : of an embedder, where they were measured (``python -m bench.appearance``); only then may its vectors
        take part in linking the pieces of tracks.
    """

    name: str
    source: str = ""
    device: str = "cpu"
    notices: tuple[Notice, ...] = ()
    distances: DistanceScale | None = None


@dataclass(frozen=True)
class Progress:
    """Where a running job is.

    Attributes
    ----------
    stage : ``load``, ``analyse``, ``render``.
    fraction : of the whole job, 0 to 1, never falling.
    frames_done, frames_total : of this stage; the total is None where unknown.
    frames_per_s : of this stage; None before the first frame.
    eta_s : seconds left for the whole job; None where unknown.
    """

    stage: str
    fraction: float
    frames_done: int
    frames_total: int | None
    frames_per_s: float | None
    eta_s: float | None


@dataclass(frozen=True, eq=False)
class TrackSummary:
    """One track in a video.

    Attributes
    ----------
    number : 1, 2, … within the video, as drawn.
    class_name : the class most of its boxes have; `kind` is that class's kind.
    first_frame, last_frame : frame indices, inclusive; first_s, last_s their times.
    point_count : boxes of the track.
    mean_score : mean detection score, 0 to 1.
    embedding : (D,) float32 of unit length, or None where no embedder ran.
    crop_jpeg : the best crop, JPEG; crop_frame its frame index.
    more_crops : further good crops, JPEG, the better first; may be empty.
    """

    number: int
    kind: Kind
    class_name: str
    first_frame: int
    last_frame: int
    first_s: float
    last_s: float
    point_count: int
    mean_score: float
    embedding: FloatArray | None
    crop_jpeg: bytes
    crop_frame: int
    more_crops: tuple[bytes, ...] = ()

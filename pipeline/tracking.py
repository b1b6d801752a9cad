"""The ways to track: one tracker for each kind of thing, and one numbering for all of them.

``recorded`` tracks frame by frame and goes over the finished tracks again
(`pipeline.finishing`); ``online`` is the same tracker without a second look;
``deepsort`` is DeepSORT as published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from boxes import clip_to_frame
from deep_sort.fusion import FusionOptions, FusionTracker
from deep_sort.linking_options import AppearanceScale
from deep_sort.tracker import Tracker, TrackerOptions
from pipeline.detections import Affine, FoundBoxes
from records import CLASS_KINDS, DistanceScale, FloatArray, IntArray, Kind

RECORDED, ONLINE, DEEPSORT = TRACKERS = ("recorded", "online", "deepsort")
KINDS = tuple(Kind)
KIND_OF_CLASS = np.array([KINDS.index(kind) for kind in CLASS_KINDS])
"""The index in `KINDS` of each class id."""

_USUAL_SCORE = 0.5
_CLEARLY_BETTER = 1.1
_NETWORK_MIN_WEIGHT = 1.0
"""A network sees the best crops of a piece alone: one of them tells as much as several boxes taken as they come."""


@dataclass(frozen=True, kw_only=True)
class TrackingOptions:
    """Which tracker, and how it is set.

    Attributes
    ----------
    mode : one of `TRACKERS`.
    deepsort : of that mode; None takes its defaults, with the gate that suits the descriptors.
    deepsort_score : DeepSORT takes every box as it is, so that weaker ones are kept from it.
    """

    mode: str = RECORDED
    deepsort: TrackerOptions | None = None
    deepsort_score: float = _USUAL_SCORE

    def __post_init__(self) -> None:
        if self.mode not in TRACKERS:
            raise ValueError(f"the tracker is “{self.mode}”; one of {', '.join(TRACKERS)} is wanted")
        if not 0 <= self.deepsort_score <= 1:
            raise ValueError(f"deepsort_score must lie in 0 to 1, not {self.deepsort_score}")


@dataclass(frozen=True, kw_only=True)
class Appearances:
    """What cosine distances mean to the trackers.

    Attributes
    ----------
    gate : of the descriptors, for DeepSORT where its options leave it open.
    descriptor : distances of the descriptors.
    network : distances of a network's vectors of people; None: they have no say in who is who.
    """

    gate: float = 0.2
    descriptor: AppearanceScale = field(default_factory=AppearanceScale)
    network: AppearanceScale | None = None

    @classmethod
    def of(cls, gate: float, descriptor: DistanceScale | None, network: DistanceScale | None) -> Appearances:
        """Return what is known of a descriptor and a network.

        Unmeasured descriptors go by their gate. A network has a say only if it separates people clearly better than the
        descriptors do: one that was about as good made linking worse, see bench/RESULTS.md.
        """
        own = AppearanceScale.of_gate(gate) if descriptor is None else AppearanceScale(**asdict(descriptor))
        other = None if network is None else AppearanceScale(**asdict(network), min_weight=_NETWORK_MIN_WEIGHT)
        has_say = other is not None and other.separation >= _CLEARLY_BETTER * own.separation
        return cls(gate=gate, descriptor=own, network=other if has_say else None)


@dataclass(frozen=True, eq=False)
class FrameTracks:
    """The tracks seen in one frame.

    Attributes
    ----------
    track_numbers : (M,) int64, as shown while the video is read: 1, 2, … in order of appearance; M may be 0.
        A recording's final numbers are others.
    boxes_xyxy : (M, 4) float32 pixels, smoothed by the tracker, clipped to the frame.
    detection_indices : (M,) int64, rows of the frame's detections.
    """

    track_numbers: IntArray
    boxes_xyxy: FloatArray
    detection_indices: IntArray

    def select(self, mask: NDArray[np.bool_]) -> FrameTracks:
        """Return the chosen tracks."""
        return FrameTracks(self.track_numbers[mask], self.boxes_xyxy[mask], self.detection_indices[mask])


class _Seen(Protocol):
    @property
    def track_numbers(self) -> IntArray: ...
    @property
    def boxes_xyxy(self) -> FloatArray: ...
    @property
    def detection_indices(self) -> IntArray: ...


class _KindTracker(Protocol):
    def step(
        self, boxes_xyxy: FloatArray, scores: FloatArray, features: FloatArray, *, camera_affine: Affine | None
    ) -> _Seen:
        """Track one frame."""


class _DeepSort:
    """DeepSORT, which knows no camera and no weak boxes."""

    def __init__(self, options: TrackerOptions, numbers: Iterator[int]) -> None:
        self._tracker = Tracker(options, numbers=numbers)

    def step(
        self, boxes_xyxy: FloatArray, scores: FloatArray, features: FloatArray, *, camera_affine: Affine | None
    ) -> _Seen:
        return self._tracker.step(boxes_xyxy, scores, features)


class KindTrackers:
    """Tracks people and vehicles apart, so that no box of one continues a track of the other.

    Parameters
    ----------
    frame_rate : analysed frames a second.
    width, height : of a frame, to clip the tracks' boxes.
    """

    def __init__(
        self, options: TrackingOptions, appearances: Appearances, *, frame_rate: float, width: int, height: int
    ) -> None:
        build = _builder(options, frame_rate, appearances)
        numbers = count(1)
        self._trackers = [build(numbers) for _ in KINDS]
        self._lowest_score = options.deepsort_score if options.mode == DEEPSORT else 0.0
        self._shown_numbers: dict[int, int] = {}
        self._width, self._height = width, height

    def step(self, found: FoundBoxes) -> FrameTracks:
        """Track one frame; call it for every analysed frame, also for those without detections."""
        parts = [self._step_kind(index, found) for index in range(len(KINDS))]
        numbers, boxes, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        boxes = clip_to_frame(boxes, self._width, self._height)
        is_visible = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        numbers, boxes, rows = numbers[is_visible], boxes[is_visible], rows[is_visible]
        shown = [self._shown_numbers.setdefault(int(number), len(self._shown_numbers) + 1) for number in numbers]
        return FrameTracks(np.array(shown, np.int64), boxes, rows)

    def _step_kind(self, kind_index: int, found: FoundBoxes) -> tuple[IntArray, FloatArray, IntArray]:
        detections = found.detections
        is_wanted = (KIND_OF_CLASS[detections.class_ids] == kind_index) & (detections.scores >= self._lowest_score)
        rows = np.flatnonzero(is_wanted)
        seen = self._trackers[kind_index].step(
            detections.boxes_xyxy[rows],
            detections.scores[rows],
            found.descriptors[rows],
            camera_affine=found.camera_affine,
        )
        return seen.track_numbers, seen.boxes_xyxy, rows[seen.detection_indices]


def _builder(
    options: TrackingOptions, frame_rate: float, appearances: Appearances
) -> Callable[[Iterator[int]], _KindTracker]:
    """Return what makes the tracker of one kind, given where its numbers come from."""
    if options.mode == DEEPSORT:
        settings = options.deepsort or TrackerOptions(max_cosine_distance=appearances.gate)
        return lambda numbers: _DeepSort(settings, numbers)
    fusion = FusionOptions.recorded(frame_rate) if options.mode == RECORDED else FusionOptions.online(frame_rate)
    suited = fusion.suited_to(appearances.descriptor.usual_same)
    return lambda numbers: FusionTracker(suited, numbers=numbers)

"""Which tracks are nobody: too little seen, or the double of another track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deep_sort.overlaps import paired_iou

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class GhostOptions:
    """What a track must reach to be somebody.

    Attributes
    ----------
    min_boxes : boxes seen; half of the frames of a short video are enough, so that a single one shows somebody.
    min_span_s : time from the first to the last, half of that of the video at most.
    min_mean_score : mean of their scores.
    min_density : share of the frames of that time in which the track was seen.
    max_overlap : a track that lies on stronger ones with a higher mean IoU is a double.

    Raises
    ------
    ValueError
        for values below 0, and shares above 1.
    """

    min_boxes: int = 3
    min_span_s: float = 0.3
    min_mean_score: float = 0.55
    min_density: float = 0.4
    max_overlap: float = 0.4

    def __post_init__(self) -> None:
        for name in ("min_boxes", "min_span_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("min_mean_score", "min_density", "max_overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie from 0 to 1, not {getattr(self, name)}")


def is_somebody(frames: Indices, scores: Floats, frame_times_s: Floats, options: GhostOptions) -> bool:
    """Tell whether a track was seen long, surely and often enough.

    Parameters
    ----------
    frames : (P,) rising; P is 1 or more.
    scores : (P,) of its boxes.
    frame_times_s : (F,) rising, of all frames.
    """
    frame_count = len(frame_times_s)
    video_s = frame_times_s[-1] - frame_times_s[0] if frame_count > 2 else 0.0
    return bool(
        len(frames) >= min(options.min_boxes, (frame_count + 1) // 2)
        and frame_times_s[frames[-1]] - frame_times_s[frames[0]] >= min(options.min_span_s, video_s / 2)
        and scores.mean() >= options.min_mean_score
        and len(frames) >= options.min_density * (frames[-1] - frames[0] + 1)
    )


def doubles(tracks: Sequence[tuple[Indices, Floats]], strengths: Floats, max_overlap: float) -> set[int]:
    """Return the positions of tracks that lie on stronger tracks for most of their time.

    Parameters
    ----------
    tracks : of each, the frames (P,), rising, and the boxes (P, 4).
    strengths : (T,) for instance the sum of the scores; of equal ones the first counts as the stronger.
    max_overlap : a higher mean IoU, with the nearest stronger track of each frame, makes a double.
    """
    found: set[int] = set()
    if not tracks:
        return found
    spans = np.array([(frames[0], frames[-1]) for frames, _ in tracks])
    hulls = np.array([(*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)) for _, boxes in tracks])
    is_kept = np.zeros(len(tracks), bool)
    for index in np.argsort(-strengths, kind="stable").tolist():
        frames, boxes = tracks[index]
        overlaps = np.zeros(len(frames))
        for other in np.flatnonzero(is_kept & _may_meet(index, spans, hulls)).tolist():
            other_frames, other_boxes = tracks[other]
            _, at, other_at = np.intersect1d(frames, other_frames, assume_unique=True, return_indices=True)
            overlaps[at] = np.maximum(overlaps[at], paired_iou(boxes[at], other_boxes[other_at]))
        if overlaps.mean() > max_overlap:
            found.add(index)
        else:
            is_kept[index] = True
    return found


def _may_meet(index: int, spans: Indices, hulls: Floats) -> NDArray[np.bool_]:
    """Return (T,) which tracks share time and ground with one; most share neither, so that few are looked at."""
    first, last = spans[index]
    x1, y1, x2, y2 = hulls[index]
    in_time = (spans[:, 0] <= last) & (spans[:, 1] >= first)
    across = (hulls[:, 0] < x2) & (hulls[:, 2] > x1)
    down = (hulls[:, 1] < y2) & (hulls[:, 3] > y1)
    meeting: NDArray[np.bool_] = in_time & across & down
    return meeting

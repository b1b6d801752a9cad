"""The second pass: decode again → draw → encode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from pipeline.stopwatch import Stopwatch
from points import PointTable
from records import Frame, Kind, TrackSummary
from video.draw import Annotator


def track_label(number: int, kind: Kind, class_name: str) -> str:
    """Return what is written beside a track's boxes: ``3``, or ``car 7``."""
    return str(number) if kind is Kind.PERSON else f"{class_name} {number}"


def track_labels(tracks: Iterable[TrackSummary]) -> Mapping[int, str]:
    """Return the labels of tracks by number."""
    return {track.number: track_label(track.number, track.kind, track.class_name) for track in tracks}


def draw_tracks(
    frames: Iterable[Frame],
    points: PointTable,
    labels: Mapping[int, str],
    annotator: Annotator,
    stopwatch: Stopwatch,
) -> Iterator[Frame]:
    """Yield ``frames`` with the boxes of their tracks drawn in.

    Parameters
    ----------
    frames : in order; those beyond the frames of ``points`` are left out.
    labels : by track number.
    annotator : that has drawn nothing yet; trails grow with the frames.
    stopwatch : gets the seconds of ``draw``.
    """
    frame_count = len(points.frame_pts_s)
    starts = np.searchsorted(points.frames, np.arange(frame_count + 1))
    for frame in frames:
        if frame.index >= frame_count:
            return
        rows = slice(int(starts[frame.index]), int(starts[frame.index + 1]))
        numbers = points.track_numbers[rows].astype(np.int64)
        with stopwatch.measure("draw"):
            image = annotator.draw(
                frame.image_bgr, points.boxes_xyxy[rows], numbers, [labels[int(number)] for number in numbers]
            )
        yield Frame(frame.index, frame.pts_s, image)

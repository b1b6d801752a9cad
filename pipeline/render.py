"""The second pass: decode again → draw → encode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from pipeline.stopwatch import Stopwatch
from points import PointTable
from records import Frame, Kind, TrackSummary
from video.draw import Annotator


def track_labels(tracks: Iterable[TrackSummary]) -> Mapping[int, str]:
    """Return what is written beside each track's boxes, by number: ``3``, or ``car 7``."""
    return {
        track.number: str(track.number) if track.kind is Kind.PERSON else f"{track.class_name} {track.number}"
        for track in tracks
    }


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

"""What follows the last frame: final tracks from the tracker's, points of all frames, a summary a track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxes import clip_to_frame
from deep_sort.linking_options import AppearanceScale
from deep_sort.pieces import FeatureSums
from pipeline.columns import TrackedBoxes
from pipeline.detections import Affine
from pipeline.refining import FinalBoxes, in_order_of_appearance, refined
from pipeline.tracking import KIND_OF_CLASS, KINDS, RECORDED, Appearances, TrackingOptions
from points import PointTable
from records import CLASS_NAMES, FloatArray, IntArray, Kind, MediaFacts, TrackSummary


@dataclass(frozen=True, eq=False)
class Embedded:
    """What a network embedded of a video's boxes.

    Attributes
    ----------
    rows : (E,) int64 rows of the video's detections; E may be 0.
    vectors : (E, D) float32.
    """

    rows: IntArray
    vectors: FloatArray


@dataclass(frozen=True, eq=False, kw_only=True)
class TrackedVideo:
    """All that was kept of a video while it was tracked.

    Attributes
    ----------
    early : what a network embedded before the tracks were linked; None: it has no say in that.
    affines : of the camera, one an analysed frame.
    frame_pts_s : (F,) times of all frames; every ``stride`` of them was analysed.
    """

    boxes: TrackedBoxes
    descriptor_sums: FeatureSums
    early: Embedded | None
    affines: Sequence[Affine | None]
    frame_pts_s: NDArray[np.float64]
    stride: int
    facts: MediaFacts


@dataclass(frozen=True, eq=False)
class FinalTracks:
    """The final tracks.

    Attributes
    ----------
    points : of every frame; a box that nothing was detected for has score 0.
    seen : the boxes that were detected; their ``boxes.frames`` count analysed frames.
    seen_numbers : (S,) the final track of each of them.
    pieces : of each track, by number.
    """

    points: PointTable
    seen: TrackedBoxes
    seen_numbers: IntArray
    pieces: Mapping[int, IntArray]


def final_tracks(video: TrackedVideo, options: TrackingOptions, appearances: Appearances) -> FinalTracks:
    """Return the final tracks; a recording's are gone over again."""
    boxes = video.boxes
    if options.mode == RECORDED:
        final = refined(
            boxes,
            _looks(video, appearances),
            frame_times_s=video.frame_pts_s[:: video.stride],
            affines=video.affines,
            facts=video.facts,
        )
    else:
        final = FinalBoxes(boxes.frames, boxes.track_numbers, boxes.boxes_xyxy, np.arange(len(boxes)))
    final = in_order_of_appearance(_inside(final, video.facts))
    is_seen = final.rows >= 0
    seen, numbers = boxes.select(final.rows[is_seen]), final.numbers[is_seen]
    pieces = {number: np.unique(seen.pieces[rows]) for number, rows in _rows_by_number(numbers).items()}
    return FinalTracks(_points(final, video), seen, numbers, pieces)


def _looks(video: TrackedVideo, appearances: Appearances) -> dict[Kind, list[tuple[FeatureSums, AppearanceScale]]]:
    """Return what the descriptors and, of people and where it has a say, the network saw of the pieces."""
    looks = {kind: [(video.descriptor_sums, appearances.descriptor)] for kind in KINDS}
    if video.early is not None and appearances.network is not None:
        sums = FeatureSums()
        at, chosen = _matching_rows(video.boxes, video.early)
        sums.add(video.boxes.pieces[at], video.early.vectors[chosen], video.boxes.scores[at])
        looks[Kind.PERSON].append((sums, appearances.network))
    return looks


def _inside(final: FinalBoxes, facts: MediaFacts) -> FinalBoxes:
    """Clip boxes to the frame and drop those outside of it."""
    boxes = clip_to_frame(final.boxes_xyxy, facts.width, facts.height)
    is_visible: NDArray[np.bool_] = np.asarray((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    return FinalBoxes(final.frames, final.numbers, boxes, final.rows).select(is_visible)


def _points(final: FinalBoxes, video: TrackedVideo) -> PointTable:
    scores = np.where(final.rows >= 0, np.append(video.boxes.scores, 0)[final.rows], 0).astype(np.float32)
    frames, numbers, boxes = final.frames * video.stride, final.numbers, final.boxes_xyxy
    if video.stride > 1:
        more_frames, more_numbers, more_boxes = _between(frames, numbers, boxes, video)
        frames, numbers = np.concatenate([frames, more_frames]), np.concatenate([numbers, more_numbers])
        boxes = np.concatenate([boxes, more_boxes])
        scores = np.concatenate([scores, np.zeros(len(more_frames), np.float32)])
    order = np.lexsort((numbers, frames))
    return PointTable(
        video.frame_pts_s,
        frames[order].astype(np.int32),
        numbers[order].astype(np.int32),
        boxes[order].astype(np.float32),
        scores[order],
    )


def _between(
    frames: IntArray, numbers: IntArray, boxes: FloatArray, video: TrackedVideo
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return boxes for the frames between successive analysed ones, on the straight line in time."""
    order = np.lexsort((frames, numbers))
    frames, numbers, boxes = frames[order], numbers[order], boxes[order]
    first = np.flatnonzero((numbers[1:] == numbers[:-1]) & (frames[1:] - frames[:-1] == video.stride))
    times = video.frame_pts_s
    parts = []
    for step in range(1, video.stride):
        at = frames[first] + step
        begin_s, end_s = times[frames[first]], times[frames[first] + video.stride]
        share = ((times[at] - begin_s) / (end_s - begin_s))[:, None]
        parts.append((at, numbers[first], boxes[first] * (1 - share) + boxes[first + 1] * share))
    more_frames, more_numbers, more_boxes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return more_frames, more_numbers, more_boxes.astype(np.float32)


def summaries(final: FinalTracks, embedded: Embedded | None, descriptor_sums: FeatureSums) -> tuple[TrackSummary, ...]:
    """Return the tracks by number, still without crops.

    Parameters
    ----------
    embedded : stands for the tracks, a track without any of it has no embedding; None: there is no network, and the
        descriptors stand for the tracks.
    descriptor_sums : of the pieces.
    """
    points, seen = final.points, final.seen
    vectors = _descriptor_vectors(final, descriptor_sums) if embedded is None else _network_vectors(final, embedded)
    point_rows, tracks = _rows_by_number(points.track_numbers), []
    for number, rows in _rows_by_number(final.seen_numbers).items():
        frames = points.frames[point_rows[number]]
        class_id = int(np.bincount(seen.class_ids[rows]).argmax())
        first, last = int(frames[0]), int(frames[-1])
        tracks.append(
            TrackSummary(
                number=number,
                kind=KINDS[int(KIND_OF_CLASS[class_id])],
                class_name=CLASS_NAMES[class_id],
                first_frame=first,
                last_frame=last,
                first_s=float(points.frame_pts_s[first]),
                last_s=float(points.frame_pts_s[last]),
                point_count=len(frames),
                mean_score=float(seen.scores[rows].mean(dtype=np.float64)),
                embedding=vectors.get(number),
                crop_jpeg=b"",
                crop_frame=-1,
            )
        )
    return tuple(tracks)


def _descriptor_vectors(final: FinalTracks, sums: FeatureSums) -> dict[int, FloatArray]:
    """Return the mean of the descriptors of each track's pieces."""
    means = {
        number: _unit(np.sum([sums.of(int(piece))[0] for piece in pieces], axis=0))
        for number, pieces in final.pieces.items()
    }
    return {number: vector for number, vector in means.items() if vector is not None}


def _network_vectors(final: FinalTracks, embedded: Embedded) -> dict[int, FloatArray]:
    """Return the mean of what the network made of each track's boxes, weighted by score; not every track has one."""
    at, chosen = _matching_rows(final.seen, embedded)
    numbers, scores = final.seen_numbers[at], final.seen.scores[at].astype(np.float64)
    found = {}
    for number, rows in _rows_by_number(numbers).items():
        vector = _unit(scores[rows] @ embedded.vectors[chosen[rows]].astype(np.float64))
        if vector is not None:
            found[number] = vector
    return found


def _rows_by_number(numbers: NDArray[Any]) -> dict[int, IntArray]:
    """Return the rows of each number, in order; the numbers rise."""
    order = np.argsort(numbers, kind="stable")
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    return {int(numbers[rows[0]]): rows for rows in np.split(order, cuts) if len(rows)}


def _unit(vector: NDArray[np.float64]) -> FloatArray | None:
    """Return ``vector`` with length 1; None for one without a direction."""
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-12 else None


def _matching_rows(boxes: TrackedBoxes, embedded: Embedded) -> tuple[IntArray, IntArray]:
    """Return rows of ``boxes`` and of ``embedded`` that are of the same detections."""
    _, at, chosen = np.intersect1d(boxes.detections, embedded.rows, assume_unique=True, return_indices=True)
    return at, chosen

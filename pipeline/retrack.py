"""Track a video again from what was detected before: seconds, since no network runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from model.crops import cut_crops
from pipeline.best_crops import encode_jpeg, rate_boxes, shrunk
from pipeline.detections import DetectionTable
from pipeline.finishing import Embedded, FinalTracks
from pipeline.follow import Follower
from pipeline.progress import ProgressMeter
from pipeline.run import TrackingResult
from pipeline.stopwatch import Stopwatch
from pipeline.tracking import Appearances, TrackingOptions
from records import FloatArray, Progress, TrackSummary
from video.encode import playback_frame_rate
from video.moments import read_moments


def retrack(
    detections: Path,
    playback: Path,
    options: TrackingOptions,
    *,
    on_progress: Callable[[Progress], None],
) -> TrackingResult:
    """Return the tracks that other options give.

    Parameters
    ----------
    detections : the ``detections.npz`` of the first run.
    playback : the plain copy that it wrote; the tracks' crops are cut from it.
    on_progress : as in `pipeline.run.track_video`.
    """
    stopwatch = Stopwatch()
    table = DetectionTable(detections)
    head, facts = table.head, table.head.facts
    progress = ProgressMeter(on_progress, pixels=facts.width * facts.height)
    progress.begin("analyse", table.analysed_count, is_last=True)
    distances = head.embedder.distances if head.linking_embeddings else None
    appearances = Appearances.of(head.descriptor_gate, head.descriptor_distances, distances)
    follower = Follower(options, appearances, facts, stride=head.stride)
    embedded = Embedded(table.embedded_rows, table.embeddings.astype(np.float32)) if head.has_network else None
    with stopwatch.measure("track"):
        for analysed, found in enumerate(table.frames()):
            begin_s, *later_s = table.frame_pts_s[analysed * head.stride :][: head.stride].tolist()
            follower.add_time(begin_s)
            follower.follow(found)
            for pts_s in later_s:
                follower.add_time(pts_s)
            progress.advance()
        first = slice(head.linking_embeddings)
        early = Embedded(embedded.rows[first], embedded.vectors[first]) if embedded and distances else None
        final = follower.final_tracks(early)
        tracks = follower.summaries(final, embedded)
    with stopwatch.measure("crops"):
        tracks = tuple(_with_crops(tracks, final, table, playback))
    progress.finish_stage()
    return TrackingResult(
        facts=facts,
        points=final.points,
        tracks=tracks,
        detector=head.detector,
        embedder=head.embedder,
        playback_frame_rate=float(playback_frame_rate(facts)),
        stage_seconds=dict(stopwatch.seconds),
        frame_count=len(table.frame_pts_s),
        detected_boxes=len(table),
        embedded_boxes=len(table.embedded_rows) or head.described_boxes,
    )


def _with_crops(
    tracks: Iterable[TrackSummary], final: FinalTracks, table: DetectionTable, playback: Path
) -> Iterator[TrackSummary]:
    """Yield the tracks with their best crops, by number."""
    best = _best_rows(final, table)
    frames = {number: int(final.seen.frames[row]) * table.head.stride for number, row in best.items()}
    order = sorted(best, key=lambda number: (frames[number], number))
    times_s = [float(table.frame_pts_s[frames[number]]) for number in order]
    pictures = read_moments(playback, times_s, frame_rate=float(playback_frame_rate(table.head.facts)))
    jpegs = {}
    for number, image in zip(order, pictures, strict=False):
        box = table.boxes_xyxy[final.seen.detections[best[number]]]
        height, width = image.shape[:2]
        scale = np.array([width / table.head.facts.width, height / table.head.facts.height] * 2, np.float32)
        (crop,) = cut_crops(image, (box * scale)[None])
        jpegs[number] = encode_jpeg(shrunk(crop))
    for track in tracks:
        yield replace(track, crop_jpeg=jpegs.get(track.number, b""), crop_frame=frames[track.number])


def _best_rows(final: FinalTracks, table: DetectionTable) -> Mapping[int, int]:
    """Return for each track the row, among the boxes seen, of the one that shows it best."""
    ratings = _ratings(table)[final.seen.detections]
    order = np.lexsort((-ratings, final.seen_numbers))
    numbers, first = np.unique(final.seen_numbers[order], return_index=True)
    return dict(zip(numbers.tolist(), order[first].tolist(), strict=True))


def _ratings(table: DetectionTable) -> FloatArray:
    facts = table.head.facts
    parts = [
        rate_boxes(table.boxes_xyxy[rows], table.scores[rows], facts.width, facts.height) for rows in table.frame_rows()
    ]
    return np.concatenate([np.zeros(0, np.float32), *parts])

"""Judge identity over cameras on a rendered world, where the truth is known exactly.

``python -m bench.multi_camera --seeds 14 16`` renders worlds of two cameras, tracks each recording as the product does,
joins tracks of all cameras by their embeddings, and compares them with the truth:

IDF1 over cameras takes every frame of every camera as one long sequence, whose ids are the world's identities
(arXiv 1609.01775). Three ways of joining are judged: none (every track is somebody new), by embeddings (average
linkage; tracks that one camera saw together stay apart), and by the truth, which is the bound that tracking sets.
Rank-1 and mAP ask with every track for the same person's tracks of the other cameras.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.machine import machine_line
from boxes import iou, tlwh_to_xyxy
from pipeline.run import TrackingResult
from records import FloatArray, IntArray, Kind
from search.proposals import DEFAULT_THRESHOLDS, UNKNOWN_THRESHOLD
from synth.videos import WORLD_FILE, write_world
from synth.worlds import sample_world

LEAST_SEEN = 0.25
"""Of a person of whom less is seen in a frame nothing is asked there."""
_MATCH_IOU = 0.5
_STEPS = np.round(np.arange(0.3, 0.995, 0.02), 3)


@dataclass(frozen=True, eq=False)
class CameraFrames:
    """Truth and tracks of one recording.

    Attributes
    ----------
    truth_frames, truth_ids, truth_boxes : (T,), (T,), (T, 4): people of whom enough is seen.
    track_frames, track_numbers, track_boxes : (P,), (P,), (P, 4): people's tracks.
    embeddings : (D,) unit vector by track number.
    """

    length: int
    truth_frames: IntArray
    truth_ids: IntArray
    truth_boxes: FloatArray
    track_frames: IntArray
    track_numbers: IntArray
    track_boxes: FloatArray
    embeddings: Mapping[int, FloatArray]


Track = tuple[int, int]
"""Number of the camera, and of the track there."""


def read_camera(folder: Path, result: TrackingResult) -> CameraFrames:
    """Put a recording's truth beside what was tracked in it; tracks without an embedding count as their own."""
    rows = np.loadtxt(folder / "gt" / "gt.txt", delimiter=",", ndmin=2, dtype=np.float64)
    rows = rows[(rows[:, 6] == 1) & (rows[:, 8] >= LEAST_SEEN)]
    people = {track.number: track for track in result.tracks if track.kind is Kind.PERSON}
    points = result.points
    chosen = np.isin(points.track_numbers, list(people))
    return CameraFrames(
        len(points.frame_pts_s),
        rows[:, 0].astype(np.int64) - 1,
        rows[:, 1].astype(np.int64),
        tlwh_to_xyxy(rows[:, 2:6].astype(np.float32)),
        points.frames[chosen].astype(np.int64),
        points.track_numbers[chosen].astype(np.int64),
        points.boxes_xyxy[chosen],
        {number: track.embedding for number, track in people.items() if track.embedding is not None},
    )


def true_identities(cameras: Sequence[CameraFrames]) -> dict[Track, int]:
    """Return whom each track follows most of the time; tracks that mostly follow nobody are left out."""
    votes: dict[Track, dict[int, int]] = {}
    for number, camera in enumerate(cameras):
        for truth_ids, track_numbers, overlaps in _frames(camera):
            for column, track in enumerate(track_numbers):
                best = int(overlaps[:, column].argmax()) if len(truth_ids) else -1
                whom = int(truth_ids[best]) if best >= 0 and overlaps[best, column] >= _MATCH_IOU else -1
                counts = votes.setdefault((number, int(track)), {})
                counts[whom] = counts.get(whom, 0) + 1
    named = {track: max(counts, key=lambda whom: counts[whom]) for track, counts in votes.items()}
    return {track: whom for track, whom in named.items() if whom >= 0}


def link(cameras: Sequence[CameraFrames], threshold: float) -> dict[Track, int]:
    """Join tracks by average linkage while the mean cosine similarity stays at or above ``threshold``.

    Tracks that one camera saw in the same frame are never joined.
    """
    tracks = [(number, track) for number, camera in enumerate(cameras) for track in sorted(camera.embeddings)]
    groups = [[index] for index in range(len(tracks))]
    if not tracks:
        return {}
    vectors = np.stack([cameras[number].embeddings[track] for number, track in tracks])
    similarity = vectors @ vectors.T
    frames = [set(cameras[n].track_frames[cameras[n].track_numbers == track].tolist()) for n, track in tracks]

    def may_join(a: Sequence[int], b: Sequence[int]) -> bool:
        return not any(tracks[i][0] == tracks[j][0] and frames[i] & frames[j] for i in a for j in b)

    while True:
        pairs = [
            (float(similarity[np.ix_(groups[a], groups[b])].mean()), a, b)
            for a in range(len(groups))
            for b in range(a + 1, len(groups))
        ]
        for alike, a, b in sorted(pairs, reverse=True):
            if alike < threshold:
                return {tracks[index]: number for number, group in enumerate(groups) for index in group}
            if may_join(groups[a], groups[b]):
                groups[a] += groups.pop(b)
                break
        else:
            return {tracks[index]: number for number, group in enumerate(groups) for index in group}


def idf1(cameras: Sequence[CameraFrames], identities: Mapping[Track, int]) -> float:
    """Return IDF1 over all cameras in per cent, by TrackEval; tracks without an identity are somebody new each."""
    import trackeval  # type: ignore[import-untyped]  # it has no annotations

    ids: dict[tuple[int, int] | int, int] = {}
    truth_numbers = {whom: row for row, whom in enumerate(sorted({int(i) for c in cameras for i in c.truth_ids}))}
    gt_ids, tracker_ids, similarities = [], [], []
    for number, camera in enumerate(cameras):
        for truth_ids, track_numbers, overlaps in _frames(camera):
            names = [identities.get((number, int(track)), (number, int(track))) for track in track_numbers]
            gt_ids.append(np.array([truth_numbers[int(whom)] for whom in truth_ids], np.int64))
            tracker_ids.append(np.array([ids.setdefault(name, len(ids)) for name in names], np.int64))
            similarities.append(overlaps)
    data = {
        "gt_ids": gt_ids,
        "tracker_ids": tracker_ids,
        "similarity_scores": similarities,
        "num_gt_ids": len(truth_numbers),
        "num_tracker_ids": len(ids),
        "num_gt_dets": sum(len(row) for row in gt_ids),
        "num_tracker_dets": sum(len(row) for row in tracker_ids),
    }
    metric = trackeval.metrics.Identity({"THRESHOLD": _MATCH_IOU, "PRINT_CONFIG": False})
    return float(metric.eval_sequence(data)["IDF1"]) * 100


def retrieval(cameras: Sequence[CameraFrames], truth: Mapping[Track, int]) -> tuple[float, float, int]:
    """Return Rank-1 and mAP in per cent over tracks whose person has a track in another camera, and their number."""
    known = [track for track in truth if track[1] in cameras[track[0]].embeddings]
    ranks, precisions = [], []
    for query in known:
        others = [track for track in known if track[0] != query[0]]
        same = np.array([truth[track] == truth[query] for track in others], bool)
        if not same.any():
            continue
        vector = cameras[query[0]].embeddings[query[1]]
        scores = np.array([float(cameras[n].embeddings[track] @ vector) for n, track in others])
        hits = same[np.argsort(-scores, kind="stable")]
        ranks.append(bool(hits[0]))
        precisions.append(float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()))
    if not ranks:
        return 0.0, 0.0, 0
    return float(np.mean(ranks)) * 100, float(np.mean(precisions)) * 100, len(ranks)


def _frames(camera: CameraFrames) -> list[tuple[IntArray, IntArray, NDArray[np.float32]]]:
    """Return each frame's true ids, its track numbers, and their (T, P) IoU."""
    found = []
    for index in range(camera.length):
        truth, track = camera.truth_frames == index, camera.track_frames == index
        overlaps = iou(camera.truth_boxes[truth], camera.track_boxes[track])
        found.append((camera.truth_ids[truth], camera.track_numbers[track], overlaps))
    return found


def judge_world(folder: Path, **how: Any) -> dict[str, float | int | str]:
    """Track the recordings of a rendered world and return the figures; ``how`` goes to `predict.track_video`."""
    from predict import track_video

    world = json.loads((folder / WORLD_FILE).read_text("utf-8"))
    results = [track_video(folder / camera["video"], **how) for camera in world["cameras"]]
    folders = [folder / camera["name"] for camera in world["cameras"]]
    cameras = [read_camera(path, result) for path, result in zip(folders, results, strict=True)]
    truth = true_identities(cameras)
    model = results[0].embedder.name
    threshold = DEFAULT_THRESHOLDS.get(model, UNKNOWN_THRESHOLD)
    by_threshold = {float(step): idf1(cameras, link(cameras, float(step))) for step in _STEPS}
    best = max(by_threshold, key=lambda step: by_threshold[step])
    rank1, mean_precision, queries = retrieval(cameras, truth)
    return {
        "detector": results[0].detector.name,
        "embedder": model,
        "tracks": sum(len(camera.embeddings) for camera in cameras),
        "idf1_unlinked": idf1(cameras, {}),
        "idf1": idf1(cameras, link(cameras, threshold)),
        "threshold": threshold,
        "idf1_best": by_threshold[best],
        "best_threshold": best,
        "idf1_by_truth": idf1(cameras, truth),
        "rank1": rank1,
        "map": mean_precision,
        "queries": queries,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.multi_camera", description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=Path, default=None, metavar="DIR", help="where worlds are kept")
    parser.add_argument("--seeds", type=int, nargs="+", default=[14, 16, 22], help="of the worlds (14 16 22)")
    parser.add_argument("--cameras", type=int, default=2)
    parser.add_argument("--duration_s", type=float, default=30.0)
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--cpu_threads", type=int, default=0)
    options = parser.parse_args(arguments)
    print(machine_line())
    how = {name: getattr(options, name) for name in ("detector", "embedder", "preset", "cpu_threads")}
    with tempfile.TemporaryDirectory() as scratch:
        for seed in options.seeds:
            folder = (options.worlds or Path(scratch)) / f"{seed}-{options.cameras}x{options.duration_s:g}s"
            if not (folder / WORLD_FILE).exists():
                write_world(folder, sample_world(seed, cameras=options.cameras, duration_s=options.duration_s), jobs=2)
            figures = judge_world(folder, **how)
            print(f"seed={seed}", *(f"{name}={_shown(value)}" for name, value in figures.items()), flush=True)


def _shown(value: float | int | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()

"""Judge the tracker on sequences in MOT layout.

``python -m bench.tracking --data DIR`` tracks every sequence below DIR and prints HOTA, AssA, DetA, IDF1, MOTA,
identity switches and frames a second. A sequence is a folder with ``gt/gt.txt``, ``seqinfo.ini``, pictures in
``img1/`` or one video, and boxes in ``det/<name>.txt`` unless a detector is to run. TrackEval judges, preprocessing
as MOT15 does or, where the ground truth has classes, as MOT16 does. Without ``gt/gt.txt`` a sequence is only tracked.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.machine import machine_line
from bench.mot import FIGURES, MotSequence, find_sequences, judge, sequence_names
from bench.shown import ShownSequence, show_sequence
from deep_sort.fusion import FusionOptions, FusionTracker
from deep_sort.linking_options import LinkingOptions
from deep_sort.pieces import FeatureSums, PieceCutter, split_gap_s
from deep_sort.refine import RefineOptions, TrackColumns, refine
from deep_sort.tracker import Tracker, TrackerOptions
from model.registry import DETECTORS, EMBEDDERS, build_detector, build_embedder

if TYPE_CHECKING:
    from model.protocols import Detector, Embedder

TRACKERS = ("recorded", "online", "deepsort")
_DEEPSORT_SCORE = 0.5  # DeepSORT takes every box as it is
_COLUMNS = (*FIGURES, "frames/s")

Boxes = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""(Q,) frame indices, (Q,) track numbers and (Q, 4) boxes of a result."""


def track(shown: ShownSequence, tracker: str) -> Boxes:
    """Track one sequence with one of `TRACKERS`."""
    return {"recorded": _recorded, "online": _online, "deepsort": _deepsort}[tracker](shown)


def _recorded(shown: ShownSequence) -> Boxes:
    scale = shown.appearances.descriptor
    tracker = FusionTracker(FusionOptions.recorded(shown.frame_rate).suited_to(scale.usual_same))
    cutter, sums, times_s = PieceCutter(split_gap_s(shown.frame_rate)), FeatureSums(), shown.frame_times_s
    frames, pieces, boxes, scores = [], [], [], []
    for index, frame in enumerate(shown.frames):
        found = frame.detections
        seen = tracker.step(found.boxes_xyxy, found.scores, frame.descriptors, camera_affine=frame.camera_affine)
        rows = seen.detection_indices
        pieces.append(cutter.step(seen.track_numbers, times_s[index]))
        sums.add(pieces[-1], frame.descriptors[rows], found.scores[rows])
        frames.append(np.full(len(seen), index))
        boxes.append(found.boxes_xyxy[rows])
        scores.append(found.scores[rows])
    columns = TrackColumns(
        frames=np.concatenate(frames),
        pieces=np.concatenate(pieces),
        boxes_xyxy=np.concatenate(boxes),
        scores=np.concatenate(scores),
        features=(sums,),
    )
    refined = refine(
        columns,
        frame_times_s=times_s,
        frame_width=shown.width,
        options=RefineOptions(linking=LinkingOptions(appearances=(scale,))),
        to_first_frame=shown.to_first_frame(),
    )
    return refined.frames, refined.track_numbers, refined.boxes_xyxy


def _online(shown: ShownSequence) -> Boxes:
    scale = shown.appearances.descriptor
    tracker = FusionTracker(FusionOptions.online(shown.frame_rate).suited_to(scale.usual_same))
    seen = [
        tracker.step(
            frame.detections.boxes_xyxy,
            frame.detections.scores,
            frame.descriptors,
            camera_affine=frame.camera_affine,
        )
        for frame in shown.frames
    ]
    return _joined([(one.track_numbers, one.boxes_xyxy) for one in seen])


def _deepsort(shown: ShownSequence) -> Boxes:
    tracker = Tracker(TrackerOptions(max_cosine_distance=shown.appearances.gate))
    parts = []
    for frame in shown.frames:
        rows = np.flatnonzero(frame.detections.scores >= _DEEPSORT_SCORE)
        seen = tracker.step(frame.detections.boxes_xyxy[rows], frame.detections.scores[rows], frame.descriptors[rows])
        parts.append((seen.track_numbers, seen.boxes_xyxy))
    return _joined(parts)


def _joined(parts: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> Boxes:
    frames = np.repeat(np.arange(len(parts)), [len(numbers) for numbers, _ in parts])
    return frames, np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def frames_a_second(shown: ShownSequence, tracker: str, *, repeats: int = 3) -> float:
    """Return the best of some runs of the tracker alone, boxes and features at hand, in one thread."""
    fastest_s = float("inf")
    with threadpool_limits(1):
        for _ in range(repeats):
            started_s = time.perf_counter()
            track(shown, tracker)
            fastest_s = min(fastest_s, time.perf_counter() - started_s)
    return len(shown.frames) / fastest_s


def mot_text(boxes: Boxes) -> str:
    """Return a result in MOT format: frame from 1, number, left, top, width, height, 1, −1, −1, −1."""
    return "".join(
        f"{frame + 1},{number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,-1,-1,-1\n"
        for frame, number, (x1, y1, x2, y2) in zip(*(column.tolist() for column in boxes), strict=True)
    )


def show(
    sequence: MotSequence, options: argparse.Namespace, detector: Detector | None, descriptor: Embedder
) -> ShownSequence:
    """Read a sequence, with the boxes of ``det/<name>.txt`` or those of the detector."""
    if detector is not None:
        return show_sequence(sequence, lambda _, image_bgr: detector.detect([image_bgr])[0], descriptor)
    stored = sequence.detections(options.det)
    return show_sequence(sequence, lambda index, _: stored[index], descriptor)


def measure(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Track and judge what the flags ask for; figures by sequence name, ``mean`` and ``pooled`` over all."""
    sequences = find_sequences(options.data, options.sequences)
    detector = None
    if options.detector:
        detector = build_detector(
            options.detector, options.det_model_dir, threshold=options.threshold, threads=0, use_gpu=options.use_gpu
        )
    descriptor = build_embedder(options.descriptor, options.emb_model_dir, threads=0, use_gpu=options.use_gpu)
    results, rates = {}, {}
    for sequence in sequences:
        shown = show(sequence, options, detector, descriptor)
        rates[sequence.name] = (len(shown.frames), frames_a_second(shown, options.tracker))
        results[sequence.name] = mot_text(track(shown, options.tracker))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, text in results.items():
            (options.out / f"{name}.txt").write_text(text, "ascii")
    with_truth = [sequence for sequence in sequences if sequence.truth.is_file()]
    judged: dict[str, dict[str, float]] = {sequence.name: {} for sequence in sequences}
    if with_truth:
        judged |= judge(with_truth, results)
        pooled = judged.pop("pooled")
        known = [judged[sequence.name] for sequence in with_truth]
        judged["mean"] = {figure: float(np.mean([one[figure] for one in known])) for figure in FIGURES}
        judged["pooled"] = pooled
        judged["mean"]["frames/s"] = float(np.mean([rate for _, rate in rates.values()]))
        seconds = sum(count / rate for count, rate in rates.values())
        judged["pooled"]["frames/s"] = sum(count for count, _ in rates.values()) / seconds
    for name, (_, rate) in rates.items():
        judged[name]["frames/s"] = rate
    return judged


def table(judged: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Yield a Markdown table, a row a sequence; without ground truth a sequence has no figures but its speed."""
    yield f"| sequence | {' | '.join(_COLUMNS)} |"
    yield "|" + "---|" * (len(_COLUMNS) + 1)
    for name, figures in judged.items():
        cells = [_cell(column, figures[column]) if column in figures else "" for column in _COLUMNS]
        yield f"| {name} | {' | '.join(cells)} |"


def _cell(column: str, value: float) -> str:
    if column == "frames/s":
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if column == "switches" else f"{value:.1f}"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench.tracking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the sequences")
    parser.add_argument(
        "--sequences", type=sequence_names, default=(), metavar="A,B", help="only these; all by default"
    )
    parser.add_argument("--det", default="yolox_nano", help="read boxes from det/<this>.txt (default: yolox_nano)")
    parser.add_argument("--detector", choices=DETECTORS, help="run this detector instead")
    parser.add_argument("--det_model_dir", type=Path, default=Path("model/detection"))
    parser.add_argument(
        "--threshold", type=float, default=0.1, help="the detector's lowest score (0.1; deepsort uses 0.5 and more)"
    )
    parser.add_argument(
        "--descriptor", choices=EMBEDDERS, default="hsv_stripes", help="describes every box (default: hsv_stripes)"
    )
    parser.add_argument("--emb_model_dir", type=Path, default=Path("model/embedding"))
    parser.add_argument("--use_gpu", action="store_true")
    parser.add_argument("--tracker", choices=TRACKERS, default="recorded")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write each result as <sequence>.txt in MOT format")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge and print."""
    options = parse(arguments)
    machine = machine_line()  # the commit that runs, should another follow meanwhile
    judged = measure(options)
    print(machine + "\n")
    print("\n".join(table(judged)))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(judged, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""Judge detectors of people on sequences with ground truth: AP50, best F1, recall, and processor time a frame.

``python -m bench.detector --data DIR`` runs the built-in detector, HOG, and YOLOX where a file is given.
Ground truth is treated as TrackEval does: rows flagged 0 and classes other than pedestrians are no truth.
Average precision is the area under the precision envelope, all points (as Pascal VOC since 2010), at an IoU of 0.5.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.machine import machine_line
from bench.mot import MotSequence, find_sequences
from boxes import iou, tlwh_to_xyxy
from model.protocols import Detector
from model.registry import build_detector
from records import CLASS_KINDS, Detections, FloatArray, Kind

MATCH_IOU = 0.5
_LOWEST_SCORE = 0.02
_PEDESTRIAN = 1


@dataclass(frozen=True)
class Judgement:
    """How well one detector finds the people of one sequence.

    Attributes
    ----------
    ap50 : average precision, 0 to 1; f1 : the best over all thresholds; recall : at 90 % precision, 0 if never.
    cpu_ms : processor time of all threads for a frame.
    """

    ap50: float
    f1: float
    recall: float
    cpu_ms: float


def read_truth(sequence: MotSequence) -> dict[int, FloatArray]:
    """Return (N, 4) boxes x1, y1, x2, y2 by frame index, 0 the first."""
    rows = np.loadtxt(sequence.folder / "gt" / "gt.txt", delimiter=",", ndmin=2, dtype=np.float64)
    counted = rows[:, 6] != 0
    if rows.shape[1] == 9:  # MOT16: class and visibility
        counted &= rows[:, 7] == _PEDESTRIAN
    rows = rows[counted]
    return {
        int(frame) - 1: tlwh_to_xyxy(rows[rows[:, 0] == frame, 2:6].astype(np.float32))
        for frame in np.unique(rows[:, 0])
    }


def judge_boxes(truth: Sequence[FloatArray], found: Sequence[Detections]) -> tuple[float, float, float]:
    """Return AP50, the best F1 and the recall at 90 % precision of people's boxes over frames.

    In each frame the boxes claim truth in the order of their scores; each truth is claimed once.
    """
    scores: list[float] = []
    hits: list[bool] = []
    total = sum(len(boxes) for boxes in truth)
    for boxes, detections in zip(truth, found, strict=True):
        is_person = np.array([CLASS_KINDS[class_id] is Kind.PERSON for class_id in detections.class_ids], bool)
        people = detections.select(is_person)
        overlaps = iou(people.boxes_xyxy, boxes)
        for index in np.argsort(-people.scores, kind="stable"):
            best = int(overlaps[index].argmax()) if len(boxes) else -1
            is_hit = best >= 0 and bool(overlaps[index, best] >= MATCH_IOU)
            if is_hit:
                overlaps[:, best] = -1
            scores.append(float(people.scores[index]))
            hits.append(is_hit)
    if not total or not scores:
        return 0.0, 0.0, 0.0
    order = np.argsort(-np.array(scores), kind="stable")
    true = np.cumsum(np.array(hits)[order])
    recall, precision = true / total, true / np.arange(1, len(true) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    ap50 = float(np.sum(np.diff(recall, prepend=0.0) * envelope))
    f1 = float(np.max(2 * true / (total + np.arange(1, len(true) + 1))))
    sure = recall[precision >= 0.9]
    return ap50, f1, float(sure.max()) if len(sure) else 0.0


def judge_detector(detector: Detector, sequence: MotSequence, *, every: int = 1) -> Judgement:
    """Run a detector over a sequence's frames, or every n-th of them; frames without truth count too."""
    everything = read_truth(sequence)
    truth: list[FloatArray] = []
    found: list[Detections] = []
    spent = 0.0
    with sequence.open() as reader:
        for frame in reader:
            if frame.index % every or frame.index >= sequence.length:
                continue
            began = time.process_time()
            found += detector.detect([frame.image_bgr])
            spent += time.process_time() - began
            truth.append(everything.get(frame.index, np.zeros((0, 4), np.float32)))
    ap50, f1, recall = judge_boxes(truth, found)
    return Judgement(ap50, f1, recall, spent / max(1, len(truth)) * 1000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.detector", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of sequences in MOT layout")
    parser.add_argument("--sequences", nargs="*", default=[], help="their names; all by default")
    parser.add_argument("--detectors", nargs="*", default=["builtin", "hog"], help="names of model.registry")
    parser.add_argument("--yolox", type=Path, default=None, help="a YOLOX ONNX file to judge beside")
    parser.add_argument("--every", type=int, default=1, help="judge every n-th frame")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    names = [*options.detectors, *(["yolox"] if options.yolox else [])]
    print(machine_line())
    print(f"{'detector':10} {'sequence':18} {'AP50':>6} {'F1':>6} {'R@P90':>6} {'ms CPU':>7}")
    for name in names:
        path = options.yolox if name == "yolox" else Path()
        for sequence in find_sequences(options.data, options.sequences):
            detector = build_detector(name, path, threshold=_LOWEST_SCORE, threads=options.threads, use_gpu=False)
            judged = judge_detector(detector, sequence, every=options.every)
            print(
                f"{name:10} {sequence.name:18} {judged.ap50:6.3f} {judged.f1:6.3f} {judged.recall:6.3f} "
                f"{judged.cpu_ms:7.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""Judge an embedder on real people: crops cut from the ground truth of MOT sequences.

``python -m bench.appearance --data DIR`` prints mAP and Rank-1 of every crop against all others of its sequence at
least 40 frames away, the area under the ROC curve of same against different person, and the distances of mean vectors
of stretches of tracks that the linking of pieces wants to know (`records.DistanceScale`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.machine import machine_line
from bench.mot import MotSequence, find_sequences
from boxes import tlwh_to_xyxy
from model.crops import cut_crops
from model.protocols import Embedder
from model.registry import EMBEDDERS, build_embedder
from records import FloatArray, Image, IntArray

FIGURES = ("mAP", "Rank-1", "AUC", "AUC near", "ms a crop")
MIN_GAP_FRAMES = 40
_NEAR_FRAMES = (10, 150)
_STEP_FRAMES = {"PETS09-S2L1": 10, "TUD-Campus": 5}
_USUAL_STEP_FRAMES = 8
_MAX_CROPS = 600
_MIN_WIDTH, _MIN_HEIGHT = 12, 30
_MIN_INSIDE, _MAX_HIDDEN = 0.8, 0.4
_STRETCH_CROPS = 4


@dataclass(frozen=True, eq=False)
class RealCrops:
    """Crops of people who are mostly to be seen.

    Attributes
    ----------
    images_bgr : N crops.
    identities, frames : (N,) int64.
    """

    images_bgr: list[Image]
    identities: IntArray
    frames: IntArray


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How well vectors tell people apart; see `FIGURES`."""

    mean_average_precision: float
    rank_1: float
    auc: float
    auc_near: float


def cut_real_crops(sequence: MotSequence) -> RealCrops:
    """Cut every few frames' ground truth out, but for small, cut off and hidden people."""
    rows = _truth(sequence)
    step = _STEP_FRAMES.get(sequence.name, _USUAL_STEP_FRAMES)
    step = max(step, len(rows) // _MAX_CROPS // 2)
    images: list[Image] = []
    chosen: list[tuple[int, int]] = []
    with sequence.open() as reader:
        for number, frame in zip(range(1, sequence.length + 1), reader, strict=False):
            if number % step:
                continue
            here = rows[rows[:, 0] == number]
            boxes = tlwh_to_xyxy(here[:, 2:6].astype(np.float32))
            height, width = frame.image_bgr.shape[:2]
            for place in np.flatnonzero(_is_clear(boxes, width, height)):
                images += [crop.copy() for crop in cut_crops(frame.image_bgr, boxes[place : place + 1])]
                chosen.append((int(here[place, 1]), number))
    pairs = np.array(chosen, np.int64).reshape(-1, 2)
    return RealCrops(images, pairs[:, 0], pairs[:, 1])


def _truth(sequence: MotSequence) -> NDArray[np.float64]:
    """Return the rows of ``gt.txt`` that count: in MOT16's form pedestrians of some visibility."""
    rows = np.loadtxt(sequence.folder / "gt" / "gt.txt", delimiter=",", ndmin=2)
    keep = rows[:, 6] != 0
    if rows.shape[1] == 9:
        keep &= (rows[:, 7] == 1) & (rows[:, 8] >= 0.5)
    kept: NDArray[np.float64] = rows[keep]
    return kept


def _is_clear(boxes_xyxy: FloatArray, width: int, height: int) -> NDArray[np.bool_]:
    """Tell which boxes are large enough, inside the picture, and not hidden by one whose feet are lower."""
    x1, y1, x2, y2 = boxes_xyxy.T
    inside_w = np.minimum(x2, width) - np.maximum(x1, 0)
    inside_h = np.minimum(y2, height) - np.maximum(y1, 0)
    area = (x2 - x1) * (y2 - y1)
    clear = (inside_w >= _MIN_WIDTH) & (inside_h >= _MIN_HEIGHT) & (inside_w * inside_h >= _MIN_INSIDE * area)
    shared_w = np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1)
    shared_h = np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1)
    shared = np.clip(shared_w, 0, None) * np.clip(shared_h, 0, None)
    hidden = (shared > _MAX_HIDDEN * area[:, None]) & (y2[None] > y2[:, None])
    result: NDArray[np.bool_] = clear & ~hidden.any(axis=1)
    return result


def separation(vectors: FloatArray, crops: RealCrops) -> Separation:
    """Compare every crop with all others of the sequence that are far enough in time."""
    similarity = vectors @ vectors.T
    gaps = np.abs(crops.frames[:, None] - crops.frames)
    same = crops.identities[:, None] == crops.identities
    precisions, firsts = [], []
    for query in range(len(vectors)):
        far = np.flatnonzero(gaps[query] >= MIN_GAP_FRAMES)
        if not same[query, far].any():
            continue
        hits = same[query, far[np.argsort(-similarity[query, far], kind="stable")]]
        ranks = np.flatnonzero(hits) + 1
        precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
        firsts.append(float(hits[0]))
    once = np.triu(np.ones_like(same), 1)
    near = once & (gaps >= _NEAR_FRAMES[0]) & (gaps <= _NEAR_FRAMES[1])
    far_pairs = once & (gaps >= MIN_GAP_FRAMES)
    return Separation(
        mean_average_precision=float(np.mean(precisions)),
        rank_1=float(np.mean(firsts)),
        auc=area_under_roc(similarity[far_pairs], same[far_pairs]),
        auc_near=area_under_roc(similarity[near], same[near]),
    )


def area_under_roc(scores: NDArray[np.float32], is_same: NDArray[np.bool_]) -> float:
    """Return the probability that a pair of one person scores above a pair of two, ties counting half."""
    _, ranks, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = (np.cumsum(counts) - (counts - 1) / 2)[ranks]
    positives, negatives = int(is_same.sum()), int((~is_same).sum())
    if not positives or not negatives:
        return float("nan")
    return float((mean_rank[is_same].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def stretch_distances(vectors: FloatArray, crops: RealCrops) -> tuple[list[float], list[float]]:
    """Return cosine distances of mean vectors of stretches of four crops: of one person, and of two."""
    means, owners = [], []
    for identity in np.unique(crops.identities):
        rows = np.flatnonzero(crops.identities == identity)
        for start in range(0, len(rows) - _STRETCH_CROPS + 1, _STRETCH_CROPS):
            mean = vectors[rows[start : start + _STRETCH_CROPS]].mean(axis=0)
            means.append(mean / np.linalg.norm(mean))
            owners.append(identity)
    if len(means) < 2:
        return [], []
    distances = 1 - np.stack(means) @ np.stack(means).T
    first, second = np.triu_indices(len(means), 1)
    same = np.array(owners)[first] == np.array(owners)[second]
    pairs = distances[first, second]
    return pairs[same].tolist(), pairs[~same].tolist()


def measure(embedder: Embedder, sequences: Sequence[MotSequence]) -> dict[str, dict[str, float]]:
    """Return `FIGURES` by sequence, and under ``distances`` the fields of a `DistanceScale`, over all sequences."""
    judged: dict[str, dict[str, float]] = {}
    of_one: list[float] = []
    of_two: list[float] = []
    for sequence in sequences:
        crops = cut_real_crops(sequence)
        embedder.embed(crops.images_bgr[:2])  # what is slow the first time only
        started_s = time.perf_counter()
        vectors = embedder.embed(crops.images_bgr)
        seconds = time.perf_counter() - started_s
        found = separation(vectors, crops)
        judged[sequence.name] = {
            "mAP": found.mean_average_precision,
            "Rank-1": found.rank_1,
            "AUC": found.auc,
            "AUC near": found.auc_near,
            "ms a crop": seconds / len(vectors) * 1000,
        }
        one, two = stretch_distances(vectors, crops)
        of_one += one
        of_two += two
    judged["distances"] = {
        "usual_same": float(np.mean(of_one)),
        "spread_same": float(np.std(of_one)),
        "usual_other": float(np.mean(of_two)),
        "spread_other": float(np.std(of_two)),
    }
    return judged


def table(judged: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Yield a Markdown table, a row a sequence, and a line of distances."""
    yield f"| sequence | {' | '.join(FIGURES)} |"
    yield "|" + "---|" * (len(FIGURES) + 1)
    for name, figures in judged.items():
        if name != "distances":
            yield f"| {name} | {' | '.join(f'{figures[figure]:.3f}' for figure in FIGURES)} |"
    yield ""
    yield "distances of stretches: " + ", ".join(f"{name} {value:.3f}" for name, value in judged["distances"].items())


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench.appearance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the sequences")
    parser.add_argument("--sequences", nargs="+", default=(), metavar="NAME", help="only these; all by default")
    parser.add_argument("--embedder", choices=EMBEDDERS, default="auto")
    parser.add_argument("--emb_model_dir", type=Path, default=Path("model/embedding"))
    parser.add_argument("--use_gpu", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON, too")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge and print."""
    options = parse(arguments)
    cv2.setNumThreads(1)
    embedder = build_embedder(options.embedder, options.emb_model_dir, threads=1, use_gpu=options.use_gpu)
    judged = measure(embedder, find_sequences(options.data, options.sequences))
    print(f"{machine_line()}; {embedder.info.name}, one thread\n")
    print("\n".join(table(judged)))
    if options.json:
        options.json.write_text(json.dumps(judged, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()

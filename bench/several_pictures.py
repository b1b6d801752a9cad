"""Measure how several pictures of one person are best searched by: the mean or the highest of their cosines.

    python -m bench.several_pictures --data DIR

DIR holds sequences in MOT layout. Each person's boxes are cut in two halves by
time: pictures of the first are asked with, the mean vector of the second
answers, as the summary of a track does. Figures are means over all persons of
all sequences and ten random choices of pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.machine import machine_line
from bench.mot import MotSequence, find_sequences
from boxes import clip_to_frame, tlwh_to_xyxy
from model.crops import cut_crops
from model.hsv_stripes import HsvStripes
from records import FloatArray

DRAWS = 10
LEAST_BOXES = 20
EVERY = 5
"""Boxes of successive frames show the same; one in five is looked at."""


def halves(sequence: MotSequence) -> list[tuple[FloatArray, FloatArray]]:
    """Return for each person the descriptors of the first and of the second half of its boxes."""
    rows = np.loadtxt(sequence.truth, delimiter=",", ndmin=2)
    embedder = HsvStripes()
    found: dict[int, list[FloatArray]] = {}
    with sequence.open() as reader:
        for index, frame in zip(range(sequence.length), reader, strict=False):
            if index % EVERY:
                continue
            here = rows[(rows[:, 0] == index + 1) & (rows[:, 6] > 0)]
            height, width = frame.image_bgr.shape[:2]
            boxes = clip_to_frame(tlwh_to_xyxy(here[:, 2:6].astype(np.float32)), width, height)
            is_visible = (boxes[:, 2:] - boxes[:, :2] >= 8).all(axis=1)
            vectors = embedder.embed(cut_crops(frame.image_bgr, boxes[is_visible]))
            for number, vector in zip(here[is_visible, 1].astype(int).tolist(), vectors, strict=True):
                found.setdefault(number, []).append(vector)
    stacked = [np.stack(vectors) for vectors in found.values() if len(vectors) * EVERY >= LEAST_BOXES]
    return [(vectors[: len(vectors) // 2], vectors[len(vectors) // 2 :]) for vectors in stacked]


def ranks(people: list[tuple[FloatArray, FloatArray]], count: int, *, seed: int) -> Iterator[tuple[int, int]]:
    """Yield each person's rank, from 0, by the mean and by the highest cosine of ``count`` pictures."""
    rng = np.random.default_rng(seed)
    tracks = np.stack([second.mean(axis=0) for _, second in people])
    tracks /= np.linalg.norm(tracks, axis=1, keepdims=True)
    for number, (first, _) in enumerate(people):
        chosen = first[rng.choice(len(first), min(count, len(first)), replace=False)]
        cosines: NDArray[np.float32] = tracks @ chosen.T
        by_mean, by_highest = cosines.mean(axis=1), cosines.max(axis=1)
        yield int((by_mean > by_mean[number]).sum()), int((by_highest > by_highest[number]).sum())


def main() -> None:
    """Print Rank-1 and the mean reciprocal rank of both."""
    parser = argparse.ArgumentParser(prog="bench.several_pictures", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    sequences = [sequence for sequence in find_sequences(parser.parse_args().data) if sequence.truth.is_file()]
    people = {sequence.name: halves(sequence) for sequence in sequences}
    print(machine_line())
    print(f"{sum(map(len, people.values()))} persons of {', '.join(people)}\n")
    print("| pictures | mean: Rank-1 | mean: MRR | highest: Rank-1 | highest: MRR |\n|---|---|---|---|---|")
    for count in (1, 2, 4, 8):
        found = np.array(
            [pair for some in people.values() for seed in range(DRAWS) for pair in ranks(some, count, seed=seed)]
        )
        first, reciprocal = (found == 0).mean(axis=0), (1 / (found + 1)).mean(axis=0)
        print(f"| {count} | {first[0]:.3f} | {reciprocal[0]:.3f} | {first[1]:.3f} | {reciprocal[1]:.3f} |")


if __name__ == "__main__":
    main()

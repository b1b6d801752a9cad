"""From what similarity on two tracks of real people are one, for `search.proposals.DEFAULT_THRESHOLDS`.

``python -m bench.proposals --data DIR`` cuts the ground truth of MOT sequences into stretches of four crops, describes
each by its mean vector as a track is, and prints the thresholds that so many pairs of different people reach, with
the share of pairs of one person that reach them too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from bench.appearance import cut_real_crops, stretch_distances
from bench.machine import machine_line
from bench.mot import find_sequences
from model.registry import EMBEDDERS, build_embedder

FALSE_MATCH_RATES = (0.01, 0.001, 0.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="bench.proposals", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the sequences")
    parser.add_argument("--embedder", choices=EMBEDDERS, default="auto")
    parser.add_argument("--emb_model_dir", type=Path, default=Path("model/embedding"))
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    embedder = build_embedder(options.embedder, options.emb_model_dir, threads=1, use_gpu=False)
    of_one: list[float] = []
    of_two: list[float] = []
    for sequence in find_sequences(options.data, ()):
        crops = cut_real_crops(sequence)
        one, two = stretch_distances(embedder.embed(crops.images_bgr), crops)
        of_one += one
        of_two += two
    same, different = 1 - np.array(of_one), np.sort(1 - np.array(of_two))
    print(f"{machine_line()}; {embedder.info.name}; {len(same)} pairs of one person, {len(different)} of two\n")
    print("| false matches | threshold | found |\n|---|---|---|")
    for rate in FALSE_MATCH_RATES:
        threshold = different[len(different) - 1 - int(rate * len(different))]
        print(f"| {rate:.1%} | {threshold:.3f} | {np.mean(same > threshold):.1%} |")


if __name__ == "__main__":
    main()

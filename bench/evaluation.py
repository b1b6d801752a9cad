"""Measure evaluation and re-ranking beside a plain reference implementation: seconds and peak memory.

``python -m bench.evaluation`` takes Market-1501's size (3,368 queries, 15,913
gallery pictures, 512 values) and prints Markdown; ``--scale 0.25`` a quarter of
the pictures. Each measurement runs in a process of its own. The embeddings are
made up: the time does not depend on whose they are.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.machine import machine_line
from bench.plain_reid import plain_evaluate, plain_rerank, plain_squared_distances
from reid.distance_blocks import unit_rows
from reid.labelled import LabelledFeatures
from reid.metrics import evaluate, evaluate_ranking
from reid.rerank import Reranker

_ROOT = Path(__file__).resolve().parent.parent
_QUERIES, _GALLERY, _DIMENSION, _IDENTITIES, _CAMERAS = 3368, 15_913, 512, 751, 6
_SPREAD = 3.2
_MAX_RANK = 50
_TASKS = ("nothing", "evaluate", "plain_evaluate", "rerank", "plain_rerank")


def make_split(scale: float) -> tuple[LabelledFeatures, LabelledFeatures]:
    """Return queries and gallery of Market's size times ``scale``, around one direction an identity."""
    generator = np.random.default_rng(0)
    identities = max(2, round(_IDENTITIES * scale))
    directions = generator.standard_normal((identities, _DIMENSION), np.float32)

    def part(count: int) -> LabelledFeatures:
        names = generator.integers(0, identities, count)
        noise = generator.standard_normal((count, _DIMENSION), np.float32)
        features = unit_rows(directions[names] + np.float32(_SPREAD) * noise)
        return LabelledFeatures(features, names, generator.integers(0, _CAMERAS, count))

    return part(round(_QUERIES * scale)), part(round(_GALLERY * scale))


def measure(task: str, scale: float) -> dict[str, float]:
    """Run one task here and return its seconds, its peak memory in MiB and the mean precision it found."""
    query, gallery = make_split(scale)
    started_s = time.perf_counter()
    mean_ap = _run(task, query, gallery)
    seconds = time.perf_counter() - started_s
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mib": peak_mib, "mean_ap": mean_ap}


def _run(task: str, query: LabelledFeatures, gallery: LabelledFeatures) -> float:
    labels = (query.identities, gallery.identities, query.cameras, gallery.cameras)
    if task == "nothing":
        return float("nan")
    if task == "evaluate":
        return evaluate(query, gallery).mean_ap
    if task == "plain_evaluate":
        distances = plain_squared_distances(query.features, gallery.features)
        return plain_evaluate(distances, *labels, _MAX_RANK).mean_ap
    if task == "rerank":
        return evaluate_ranking(Reranker(query.features, gallery.features).blocks(), query, gallery).mean_ap
    return plain_evaluate(plain_rerank(query.features, gallery.features), *labels, _MAX_RANK).mean_ap


def table(measured: dict[str, dict[str, float]]) -> Iterator[str]:
    """Yield a Markdown table, the plain implementation beside the library's."""
    yield "| | seconds | plain | ratio | peak MiB | plain | mAP | plain |"
    yield "|" + "---|" * 8
    for words, task in (("evaluation", "evaluate"), ("re-ranking and evaluation", "rerank")):
        if task not in measured:
            continue
        ours, plain = measured[task], measured.get(f"plain_{task}")
        cells = [words, f"**{ours['seconds']:.1f}**"]
        cells += [f"{plain['seconds']:.1f}", f"{plain['seconds'] / ours['seconds']:.1f}"] if plain else ["", ""]
        cells += [f"{ours['peak_mib']:.0f}", f"{plain['peak_mib']:.0f}" if plain else ""]
        cells += [f"{100 * ours['mean_ap']:.2f}", f"{100 * plain['mean_ap']:.2f}" if plain else ""]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield f"The features and Python alone take {measured['nothing']['peak_mib']:.0f} MiB of each peak."


def main() -> None:
    """Measure what the flags ask for and print it."""
    parser = argparse.ArgumentParser(prog="bench.evaluation", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of Market's pictures, above 0 to 1")
    parser.add_argument("--without_plain", action="store_true", help="leave the plain implementation out")
    parser.add_argument("--task", choices=_TASKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not 0 < options.scale <= 1:
        parser.error(f"--scale must lie above 0 and up to 1, not {options.scale}")
    if options.task:
        print(json.dumps(measure(options.task, options.scale)))
        return
    machine = machine_line()
    tasks = [task for task in _TASKS if not (options.without_plain and task.startswith("plain"))]
    measured = {task: _measure_apart(task, options.scale) for task in tasks}
    queries, gallery = round(_QUERIES * options.scale), round(_GALLERY * options.scale)
    print(f"{machine}\n\n{queries} queries × {gallery} gallery pictures × {_DIMENSION}\n")
    print("\n".join(table(measured)))


def _measure_apart(task: str, scale: float) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.evaluation", "--task", task, "--scale", str(scale)]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()

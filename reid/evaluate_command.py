"""``python -m reid evaluate``: judge a model on a data set, print the figures, and write the report."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from reid.datasets import DATASETS, read_dataset
from reid.embedded import Protocol, choose_protocol, embed_dataset, save_embedded
from reid.embedders import add_model_arguments, open_chosen
from reid.judgement import Judgement, Ranking, judge
from reid.progress import PictureBar
from reid.terminal import tell

FIGURES_NAME = "evaluation.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the data set")
    parser.add_argument(
        "--dataset", choices=tuple(DATASETS), default="market1501", help="how the folder is laid out (market1501)"
    )
    parser.add_argument(
        "--protocol",
        choices=tuple(protocol.value for protocol in Protocol),
        help="the rule of queries and gallery; the data set's own by default",
    )
    add_ranking_arguments(parser)
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="write report.html, the figures and the embeddings there"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Judge what the flags name and return the exit status."""
    dataset = read_dataset(options.dataset, options.data)
    protocol = Protocol(options.protocol) if options.protocol else choose_protocol(options.dataset, dataset)
    embedder = open_chosen(options)
    with PictureBar() as bar:
        embedded = embed_dataset(dataset, embedder, protocol, on_progress=bar.show)
    started_s = time.perf_counter()
    judgement = judge(embedded, rankings=chosen_rankings(options))
    seconds = time.perf_counter() - started_s
    if options.json:
        print(json.dumps(judgement.as_json(), indent=2))  # noqa: T201
    else:
        print("\n".join(figure_lines(judgement)))  # noqa: T201
        print(f"Judged in {seconds:.1f} s.")  # noqa: T201
    if options.report:
        save_embedded(embedded, options.report)
        written = write_results(judgement, options.report)
        tell(f"Wrote {written}")
    return 0


def add_ranking_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that `chosen_rankings` reads."""
    parser.add_argument("--rerank", action="store_true", help="judge re-ranked answers as well (Market's rule only)")
    parser.add_argument("--expand", action="store_true", help="judge with expansion (AQE) as well (Market's rule only)")


def chosen_rankings(options: argparse.Namespace) -> set[Ranking]:
    """Return the rankings that the flags of `add_ranking_arguments` ask for."""
    chosen = {Ranking.RERANKED: options.rerank, Ranking.EXPANDED: options.expand}
    return {ranking for ranking, is_chosen in chosen.items() if is_chosen}


def write_results(judgement: Judgement, folder: Path) -> Path:
    """Write the figures and the report into ``folder``; return the report's path."""
    from reid.report import write_report

    folder.mkdir(parents=True, exist_ok=True)
    (folder / FIGURES_NAME).write_text(json.dumps(judgement.as_json(), indent=2) + "\n", "utf-8")
    return write_report(judgement, folder)


def figure_lines(judgement: Judgement) -> list[str]:
    """Return the figures as lines for a terminal."""
    embedded, evaluation = judgement.embedded, judgement.evaluation
    lines = [
        f"{embedded.model} on {embedded.dataset} ({evaluation.protocol}): {evaluation.judged_queries} queries judged, "
        f"{evaluation.skipped_queries} skipped, {evaluation.gallery_size} gallery pictures"
    ]
    others = {ranking.value: one for ranking, one in judgement.others.items()}
    for name, one in {"as embedded": evaluation, **others}.items():
        ranks = "  ".join(f"Rank-{k} {100 * one.rank(k):.2f}" for k in (1, 5, 10))
        lines.append(
            f"{name:12} {ranks}  mAP {100 * one.mean_ap:.2f} (triangle {100 * one.mean_ap_triangle:.2f})  "
            f"mINP {100 * one.mean_inp:.2f}"
        )
    if judgement.verification is not None:
        one_line = judgement.verification
        lines.append(
            f"pairs        EER {100 * one_line.equal_error_rate:.2f} at {one_line.equal_error.similarity:.4f}  "
            f"AUC {one_line.area_under_curve:.4f}  ({one_line.same_count} same, {one_line.different_count} different)"
        )
    else:
        lines.append(str(judgement.verification_fault))
    return lines

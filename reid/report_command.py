"""``python -m reid report``: write the report of an earlier evaluation again, from its kept embeddings."""

from __future__ import annotations

import argparse
from pathlib import Path

from reid.embedded import load_embedded
from reid.evaluate_command import add_ranking_arguments, chosen_rankings, figure_lines, write_results
from reid.judgement import judge


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("dir", type=Path, metavar="DIR", help="folder that `evaluate --report DIR` wrote")
    add_ranking_arguments(parser)
    parser.add_argument("--figures", action="store_true", help="write each picture as a file of its own as well")


def run(options: argparse.Namespace) -> int:
    """Write the report and return the exit status."""
    judgement = judge(load_embedded(options.dir), rankings=chosen_rankings(options))
    print("\n".join(figure_lines(judgement)))  # noqa: T201
    print(f"Wrote {write_results(judgement, options.dir)}")  # noqa: T201
    if options.figures:
        from reid.report import write_figures

        for path in write_figures(judgement, options.dir):
            print(f"Wrote {path}")  # noqa: T201
    return 0

"""``python -m reid report``: write the report of an earlier evaluation again, from its kept embeddings."""

from __future__ import annotations

import argparse
from pathlib import Path

from reid.evaluate_command import figure_lines, write_results
from reid.judgement import judge, load_embedded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("dir", type=Path, metavar="DIR", help="folder that `evaluate --report DIR` wrote")
    parser.add_argument("--rerank", action="store_true", help="judge re-ranked answers as well (Market's rule only)")


def run(options: argparse.Namespace) -> int:
    """Write the report and return the exit status."""
    judgement = judge(load_embedded(options.dir), with_reranking=options.rerank)
    print("\n".join(figure_lines(judgement)))  # noqa: T201
    print(f"Wrote {write_results(judgement, options.dir)}")  # noqa: T201
    return 0

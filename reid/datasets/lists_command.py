"""``python -m reid lists``: write Paddle's list files for a folder of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from reid.datasets.list_files import MARKET_HELD_OUT, make_lists


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures, e.g. Market-1501's gt_bbox")
    parser.add_argument(
        "--out", type=Path, default=Path("data"), help="gets train_list.txt, test_list.txt (%(default)s)"
    )
    parser.add_argument(
        "--held_out", type=int, default=MARKET_HELD_OUT, help="last pictures kept for testing (%(default)s)"
    )
    parser.add_argument(
        "--identity_length", type=int, default=4, help="first characters of a name that are the identity (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Write both lists; return the exit status."""
    for path in make_lists(
        options.pictures, options.out, held_out=options.held_out, identity_length=options.identity_length
    ):
        print(f"Wrote {path}")  # noqa: T201
    return 0

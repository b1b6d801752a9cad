"""Measure an embedding network by Recall@1 over a list of pictures, each against all others.

The flags are those of PaddlePaddle's metric learning; ``python eval.py --help`` lists them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from reid.terminal import positive, run_command
from reid.training.paddle_commands import evaluate_by_flags
from reid.training.paddle_flags import add_network_flags


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="eval.py", description=(__doc__ or "").splitlines()[0])
    add_network_flags(parser)
    parser.add_argument("--batch_size", type=positive, default=50, help="(%(default)s)")
    return run_command(evaluate_by_flags, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())

"""Train an embedding network in Paddle, picture by picture: softmax or arcmargin.

The flags are those of PaddlePaddle's metric learning; ``python train_elem.py --help`` lists them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from reid.terminal import run_command
from reid.training.paddle_commands import train_by_flags
from reid.training.paddle_flags import add_elem_flags, elem_recipe


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="train_elem.py", description=(__doc__ or "").splitlines()[0])
    add_elem_flags(parser)
    options = parser.parse_args(arguments)
    return run_command(lambda options: train_by_flags(options, elem_recipe(options)), options)


if __name__ == "__main__":
    sys.exit(main())

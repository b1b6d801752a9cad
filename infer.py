"""Embed the pictures of a list or a folder, and name the nearest other picture of each.

The flags are those of PaddlePaddle's metric learning; ``python infer.py --help`` lists them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reid.terminal import positive, run_command
from reid.training.paddle_commands import infer_by_flags
from reid.training.paddle_flags import add_network_flags


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="infer.py", description=(__doc__ or "").splitlines()[0])
    add_network_flags(parser)
    parser.add_argument("--batch_size", type=positive, default=50, help="(%(default)s)")
    parser.add_argument("--image_dir", type=Path, help="a folder of pictures instead of --test_list")
    parser.add_argument(
        "--save_path", type=Path, default=Path("output/features.npz"), help="paths, identities, features (%(default)s)"
    )
    return run_command(infer_by_flags, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())

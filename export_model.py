"""Export a trained embedding network for paddle.inference, ONNX or TorchScript.

The flags are those of PaddlePaddle's metric learning; ``python export_model.py --help`` lists them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from model.export import export_checkpoint, image_shape, natural
from model.export_formats import FORMATS
from reid.terminal import add_switch, run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    return run_command(_export, _parse(arguments))


def _export(options: argparse.Namespace) -> None:
    export_checkpoint(
        options.pretrained_model,
        options.model_save_dir,
        architecture=options.model,
        embedding_size=options.embedding_size,
        size_hw=options.image_shape,
        max_cosine_distance=options.max_cosine_distance,
        formats=options.format or ("paddle",),
    )
    print(f"Wrote {options.model_save_dir}")  # noqa: T201  # a command line


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="export_model.py", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--model", help="architecture, e.g. ResNet101_vd (read from weights that say it)")
    add("--embedding_size", type=natural, help="width of the last layer; 0: the pooled feature (read from the weights)")
    add("--image_shape", type=image_shape, help="3,height,width (the checkpoint's, else 3,128,128)")
    add_switch(parser, "--use_gpu", default=True, help_text="accepted; an export needs none and runs anywhere")
    add(
        "--pretrained_model",
        type=Path,
        required=True,
        help="weights: a folder <iteration>, .pdparams, .safetensors, .pth",
    )
    add("--model_save_dir", type=Path, default=Path("output/export"), help="folder for the export (%(default)s)")
    add("--format", action="append", choices=tuple(FORMATS), help="may be given more than once (paddle)")
    add("--max_cosine_distance", type=float, default=0.2, help="what counts as the same person to the tracker (0.2)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Convert weights between PyTorch, Paddle and our own checkpoints.

``python -m model.convert osnet_x1_0.pth osnet_x1_0.safetensors --arch osnet_x1_0``

The kinds follow from the suffixes: ``.pth`` (PyTorch), ``.pdparams`` (Paddle),
``.safetensors`` (a checkpoint that both load, and that says what it holds).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from errors import ResightError
from model.embedding_spec import Preprocessing
from model.export import image_shape, natural
from model.networks.catalogue import ARCHITECTURES
from model.networks.checkpoints import find_info, save_checkpoint
from model.networks.restore import restore_network
from model.networks.weight_files import SAFETENSORS_SUFFIX, find_weights
from model.networks.weights import write_weights


def convert(
    source: Path,
    target: Path,
    *,
    architecture: str | None = None,
    embedding_size: int | None = None,
    size_hw: tuple[int, int] | None = None,
) -> None:
    """Write the weights of one file into another, whose suffix says for whom.

    Parameters
    ----------
    source : a file, or a folder of a training; see `weight_files.find_weights`.
    architecture, embedding_size : read from the source where it says them.
    size_hw : height and width of the input, for a ``.safetensors``; as the source
        says, or usual for the network.

    Raises
    ------
    ModelError
        when the source is unreadable or of another network, or a suffix is unknown.
    """
    source = find_weights(source)
    network = restore_network(source, "torch", architecture=architecture, embedding_size=embedding_size)
    if target.suffix != SAFETENSORS_SUFFIX:
        write_weights(network, target)
        return
    info = find_info(source)
    if size_hw is not None:
        preprocessing = Preprocessing(sizes_wh=(size_hw[::-1],))
    else:
        preprocessing = ARCHITECTURES[network.architecture].preprocessing if info is None else info.preprocessing
    origin = source.name if info is None else info.origin
    details = {} if info is None else info.details
    save_checkpoint(target, network, preprocessing=preprocessing, origin=origin, details=details)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parse(arguments)
    try:
        convert(
            options.source,
            options.target,
            architecture=options.arch,
            embedding_size=options.embedding_size,
            size_hw=options.image_shape,
        )
    except ResightError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command line
        return 1
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m model.convert", description="Convert weights between PyTorch, Paddle and our checkpoints."
    )
    parser.add_argument("source", type=Path, help=".pth, .pdparams or .safetensors, or the folder of a training")
    parser.add_argument("target", type=Path, help=".pth (PyTorch), .pdparams (Paddle) or .safetensors (both)")
    parser.add_argument("--arch", help=f"one of {', '.join(ARCHITECTURES)} (read from a checkpoint of ours)")
    parser.add_argument("--embedding_size", type=natural, help="0: the pooled feature (read from the weights)")
    parser.add_argument("--image_shape", type=image_shape, help="3,height,width (the checkpoint's, or what is usual)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())

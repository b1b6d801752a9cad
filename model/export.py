"""Export an embedding network for other programs, with what is needed to use it.

``python -m model.export --arch ResNet101_vd --pretrained FILE --embedding_size 128
--image_shape 3,128,128 --out DIR``
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from errors import ModelError, ResightError
from model.embedding_spec import SIDECAR_NAME, UNTRAINED, EmbeddingSpec, Preprocessing
from model.export_formats import FORMATS, Format, largest_difference
from model.networks.build import Framework, Network, build_empty, build_network
from model.networks.checkpoints import CheckpointInfo, find_info
from model.networks.restore import restore_network
from model.networks.weight_files import find_weights
from records import FloatArray

TOLERANCE = 1e-5
"""Largest difference to the network's own vectors, as a share of their largest value."""

DEFAULT_NETWORK = "resnet101_vd"

# deep_sort_paddle squeezes a crop to 64×128 before it makes it square.
_DEEP_SORT_SIZE_HW = (128, 128)


def export_embedder(
    network: Network,
    folder: Path,
    preprocessing: Preprocessing,
    *,
    origin: str,
    max_cosine_distance: float = 0.2,
    name: str | None = None,
    formats: Sequence[str] = ("paddle",),
) -> None:
    """Write a network in each format, and ``embedding.json``, into ``folder``; all or nothing.

    Each export is run on pictures of noise and compared with the network.

    Parameters
    ----------
    network : of either framework; is set to evaluation.
    folder : made where it is missing; an earlier export in it is replaced.
    preprocessing : the last of its sizes becomes the input's.
    origin : file name of the checkpoint that was loaded, or `UNTRAINED`, which
        `model.registry` refuses later.
    name : shown to the user; the architecture by default.
    formats : some of `FORMATS`, one or more.

    Raises
    ------
    ModelError
        for an unknown format, or an export that gives other vectors than the network.
    ValueError
        for ``paddle`` and ``pdmodel`` together, whose parameters would have one name.
    """
    chosen = [_find_format(format_name) for format_name in formats]
    if not formats or {"paddle", "pdmodel"} <= set(formats):
        raise ValueError(f"formats must be one or more, paddle or pdmodel among them but not both; not {formats}")
    spec = EmbeddingSpec(
        name=name or network.architecture,
        architecture=network.architecture,
        dimension=network.dimension,
        preprocessing=preprocessing,
        max_cosine_distance=max_cosine_distance,
        origin=origin,
    )
    network.eval()
    width, height = preprocessing.sizes_wh[-1]
    images = np.random.default_rng(0).standard_normal((3, 3, height, width)).astype(np.float32)
    expected = _vectors(network, images)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as scratch_name:
        scratch = Path(scratch_name)
        for format_name, one in zip(formats, chosen, strict=True):
            one.write(_twin(network, one.framework), scratch, (width, height))
            difference = largest_difference(one.run(scratch, images), expected)
            if not difference <= TOLERANCE:
                raise ModelError(
                    "model.export_differs", format=format_name, difference=f"{difference:.1e}", limit=f"{TOLERANCE:.0e}"
                )
        spec.write(scratch)
        # The programs go last: without them nothing here counts as an export.
        for stale in {file for one in FORMATS.values() for file in one.file_names[-1:]}:
            (folder / stale).unlink(missing_ok=True)
        for file_name in (SIDECAR_NAME, *(file for one in chosen for file in one.file_names)):
            shutil.move(scratch / file_name, folder / file_name)


def _find_format(name: str) -> Format:
    if name not in FORMATS:
        raise ModelError("model.unknown", what="export format", name=name, choices=", ".join(FORMATS))
    return FORMATS[name]


def _twin(network: Network, framework: Framework) -> Network:
    """Return the network itself, or one of the other framework with its values."""
    if network.framework == framework:
        return network
    twin = build_empty(network.definition, framework)
    twin.load_tensors(network.tensors())
    twin.eval()
    return twin


def _vectors(network: Network, images: FloatArray) -> FloatArray:
    """Return what the network itself gives."""
    if network.framework == "torch":
        import torch

        with torch.inference_mode():
            of_torch: FloatArray = network(torch.from_numpy(images)).numpy()
        return of_torch
    import paddle

    with paddle.no_grad():
        of_paddle: FloatArray = network(paddle.to_tensor(images)).numpy()
    return of_paddle


def export_checkpoint(
    path: Path,
    folder: Path,
    *,
    architecture: str | None = None,
    embedding_size: int | None = None,
    size_hw: tuple[int, int] | None = None,
    max_cosine_distance: float = 0.2,
    formats: Sequence[str] = ("paddle",),
) -> None:
    """Export the network of a weights file; see `export_embedder`.

    What is not given is read from the file, where it says so.

    Parameters
    ----------
    path : weights of either framework, or a folder of them; see `weight_files.find_weights`.
    size_hw : height and width of the input.

    Raises
    ------
    ModelError
        when what is given contradicts the file, or nothing says which network it is.
    """
    path = find_weights(path)
    info = find_info(path)
    network = restore_network(path, "paddle", architecture=architecture, embedding_size=embedding_size)
    export_embedder(
        network,
        folder,
        _preprocessing(info, size_hw),
        origin=path.name if info is None else info.origin,
        max_cosine_distance=max_cosine_distance,
        formats=formats,
    )


def _preprocessing(info: CheckpointInfo | None, size_hw: tuple[int, int] | None) -> Preprocessing:
    """Return the checkpoint's own, but for another size: then crops are simply resized to it."""
    if info is not None and (size_hw is None or info.preprocessing.sizes_wh[-1] == size_hw[::-1]):
        return info.preprocessing
    if size_hw is None or size_hw == _DEEP_SORT_SIZE_HW:
        return Preprocessing()
    return Preprocessing(sizes_wh=(size_hw[::-1],))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parse(arguments)
    formats = options.format or ("paddle",)
    try:
        if options.pretrained is not None:
            export_checkpoint(
                options.pretrained,
                options.out,
                architecture=options.arch,
                embedding_size=options.embedding_size,
                size_hw=options.image_shape,
                max_cosine_distance=options.max_cosine_distance,
                formats=formats,
            )
        else:
            network = build_network(options.arch or DEFAULT_NETWORK, "paddle", embedding_size=options.embedding_size)
            export_embedder(
                network,
                options.out,
                _preprocessing(None, options.image_shape),
                origin=UNTRAINED,
                max_cosine_distance=options.max_cosine_distance,
                formats=formats,
            )
    except ResightError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command line
        return 1
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model.export", description="Export an embedding network.")
    parser.add_argument(
        "--arch", help=f"e.g. {DEFAULT_NETWORK}, osnet_x1_0 (read from a checkpoint of ours, which names it)"
    )
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--pretrained", type=Path, help="weights: .safetensors, .pdparams or .pth, or their folder")
    weights.add_argument(
        "--untrained", action="store_true", help="export random weights, for benchmarks alone; nothing else loads them"
    )
    parser.add_argument(
        "--embedding_size",
        type=natural,
        help="width of the network's last layer; 0: leave it out, use the pooled feature (read from the weights)",
    )
    parser.add_argument("--image_shape", type=image_shape, help="3,height,width (the checkpoint's, else 3,128,128)")
    parser.add_argument(
        "--max_cosine_distance", type=_distance, default=0.2, help="what counts as the same person to the tracker (0.2)"
    )
    parser.add_argument(
        "--format", action="append", choices=tuple(FORMATS), help="may be given more than once (paddle)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the export, e.g. model/embedding")
    options = parser.parse_args(arguments)
    if options.untrained and options.embedding_size is None:
        parser.error("--untrained needs --embedding_size")
    return options


def natural(text: str) -> int:
    """Parse a whole number from 0 up, for argparse."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def image_shape(text: str) -> tuple[int, int]:
    """Parse ``3,height,width`` into height and width, for argparse."""
    sides = [int(part) for part in text.split(",")]
    if len(sides) != 3 or sides[0] != 3 or min(sides) < 1:
        raise argparse.ArgumentTypeError(f"3,height,width is wanted, not {text}")
    return sides[1], sides[2]


def _distance(text: str) -> float:
    value = float(text)
    if not 0 < value <= 2:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 2")
    return value


if __name__ == "__main__":
    raise SystemExit(main())

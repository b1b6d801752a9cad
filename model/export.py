"""Export an embedding network for paddle.inference, with what is needed to use it.

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
from typing import TYPE_CHECKING

from errors import ResightError
from model.embedding_spec import SIDECAR_NAME, UNTRAINED, EmbeddingSpec, Preprocessing

if TYPE_CHECKING:
    from model.resnet_vd import ResNetVd

_PROGRAM_NAME, _PARAMS_NAME = "model.json", "model.pdiparams"


def export_embedder(
    network: ResNetVd,
    folder: Path,
    preprocessing: Preprocessing,
    *,
    origin: str,
    max_cosine_distance: float = 0.2,
    name: str | None = None,
) -> None:
    """Write ``model.json``, ``model.pdiparams`` and ``embedding.json`` into ``folder``.

    Parameters
    ----------
    network : is set to evaluation.
    folder : made where it is missing; an earlier export in it is replaced.
    preprocessing : the last of its sizes becomes the input's.
    origin : file name of the checkpoint that was loaded, or `UNTRAINED`, which
        `model.registry` refuses later.
    name : shown to the user; the architecture in small letters by default.
    """
    import paddle
    from paddle.static import InputSpec

    spec = EmbeddingSpec(
        name=name or network.architecture.lower(),
        architecture=network.architecture,
        dimension=network.dimension,
        preprocessing=preprocessing,
        max_cosine_distance=max_cosine_distance,
        origin=origin,
    )
    width, height = preprocessing.sizes_wh[-1]
    network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as scratch_name:
        scratch = Path(scratch_name)
        input_spec = [InputSpec([None, 3, height, width], "float32", name="image")]
        paddle.jit.save(network, str(scratch / Path(_PROGRAM_NAME).stem), input_spec=input_spec)
        spec.write(scratch)
        # The program goes last: without it nothing here counts as an export.
        (folder / _PROGRAM_NAME).unlink(missing_ok=True)
        for file_name in (SIDECAR_NAME, _PARAMS_NAME, _PROGRAM_NAME):
            shutil.move(scratch / file_name, folder / file_name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parse(arguments)
    try:
        _export_checkpoint(options)
    except ResightError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command line
        return 1
    return 0


def _export_checkpoint(options: argparse.Namespace) -> None:
    from model.pdparams import load_pdparams
    from model.resnet_vd import ResNetVd

    height, width = options.image_shape
    # deep_sort_paddle squeezes a crop to 64×128 before it makes it square.
    sizes_wh = ((64, 128), (128, 128)) if (height, width) == (128, 128) else ((width, height),)
    network = ResNetVd(options.arch, embedding_size=options.embedding_size)
    if options.pretrained is not None:
        load_pdparams(network, options.pretrained)
    export_embedder(
        network,
        options.out,
        Preprocessing(sizes_wh=sizes_wh),
        origin=UNTRAINED if options.pretrained is None else options.pretrained.name,
        max_cosine_distance=options.max_cosine_distance,
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model.export", description="Export an embedding network.")
    parser.add_argument("--arch", default="ResNet101_vd", help="ResNet18_vd, ResNet34_vd, ResNet50_vd or ResNet101_vd")
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--pretrained", type=Path, help="checkpoint (.pdparams) of a trained network")
    weights.add_argument(
        "--untrained", action="store_true", help="export random weights, for benchmarks alone; nothing else loads them"
    )
    parser.add_argument(
        "--embedding_size",
        type=_natural,
        required=True,
        help="width of the network's last layer, as in the checkpoint; 0: leave it out, use the pooled feature",
    )
    parser.add_argument("--image_shape", type=_image_shape, default=(128, 128), help="3,height,width (3,128,128)")
    parser.add_argument(
        "--max_cosine_distance", type=_distance, default=0.2, help="what counts as the same person to the tracker (0.2)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the export, e.g. model/embedding")
    return parser.parse_args(arguments)


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def _distance(text: str) -> float:
    value = float(text)
    if not 0 < value <= 2:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 2")
    return value


def _image_shape(text: str) -> tuple[int, int]:
    """Return height and width of ``3,height,width``."""
    sides = [int(part) for part in text.split(",")]
    if len(sides) != 3 or sides[0] != 3 or min(sides) < 1:
        raise argparse.ArgumentTypeError(f"3,height,width is wanted, not {text}")
    return sides[1], sides[2]


if __name__ == "__main__":
    raise SystemExit(main())

"""From what a user names to an embedder of crops."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from errors import ModelError
from model.protocols import Embedder
from model.registry import EMBEDDERS, build_embedder
from records import FloatArray, Image, ModelInfo
from reid.distance_blocks import unit_rows
from reid.flipping import FlippingEmbedder
from reid.reid_model import ReIDModel
from reid.terminal import natural, tell_notice

_EMBEDDING_DIR = Path("model/embedding")
_MAX_COSINE_DISTANCE = 0.2


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that `open_chosen` reads."""
    parser.add_argument(
        "--model",
        default="auto",
        metavar="NAME_OR_FILE",
        help=f"{', '.join(EMBEDDERS)} (weights in --emb_model_dir); a checkpoint's file; a folder with a Paddle model; "
        "or a network's name with --weights (auto)",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the network that --model names")
    parser.add_argument(
        "--flip", action="store_true", help="embed each picture with its mirror image: steadier, twice the time"
    )
    parser.add_argument("--emb_model_dir", type=Path, default=_EMBEDDING_DIR, help=f"({_EMBEDDING_DIR})")
    parser.add_argument("--use_gpu", action="store_true", help="embed on the GPU")
    parser.add_argument(
        "--cpu_threads", type=natural, default=0, help="threads of exported networks; 0: one for each core"
    )


def open_chosen(options: argparse.Namespace) -> Embedder:
    """Load the embedder that the flags of `add_model_arguments` name, and say what should be known of it.

    See `open_embedder`.
    """
    embedder = open_embedder(
        options.model,
        weights=options.weights,
        model_dir=options.emb_model_dir,
        use_gpu=options.use_gpu,
        threads=options.cpu_threads,
    )
    for notice in embedder.info.notices:
        tell_notice(notice)
    return FlippingEmbedder(embedder) if options.flip else embedder


def open_embedder(
    name: str,
    *,
    weights: Path | None = None,
    model_dir: Path = _EMBEDDING_DIR,
    use_gpu: bool = False,
    threads: int = 0,
) -> Embedder:
    """Load what ``name`` means.

    Parameters
    ----------
    name : a name of `model.registry.EMBEDDERS`; a file or folder that `ReIDModel.from_timm` loads; or one of our
        networks, with ``weights``.
    weights : file of the network's weights; None where ``name`` says it all.
    model_dir : where the registry looks for weights.
    threads : of exported networks on the CPU; 0: one for each core.

    Raises
    ------
    ModelError
        for a name that means nothing, a network without weights, and weights that are missing or cannot be used.
    """
    if name in EMBEDDERS:
        return build_embedder(name, model_dir, threads=threads, use_gpu=use_gpu)
    path = Path(name)
    gpu = "gpu" if path.is_dir() else "cuda"  # a folder is Paddle's, which has its own word
    device = gpu if use_gpu else "cpu"
    if weights is not None:
        return CropEmbedder(ReIDModel.from_timm(name, device, weights=weights), source=weights)
    if path.is_dir() and is_export(path):
        return build_embedder("paddle", path, threads=threads, use_gpu=use_gpu)
    if not path.exists():
        choices = f"{', '.join(EMBEDDERS)}, the file of a checkpoint, a folder, or a network with --weights FILE"
        raise ModelError("model.unknown", what="embedder", name=name, choices=choices)
    return CropEmbedder(ReIDModel.from_timm(path, device), source=path)


def is_export(folder: Path) -> bool:
    """Return whether a folder holds an exported Paddle model."""
    from model.paddle_files import find_paddle_files

    return find_paddle_files(folder) is not None


class CropEmbedder:
    """A `ReIDModel` as an `Embedder`: BGR crops in, vectors of unit length out.

    Parameters
    ----------
    source : where its weights lie.
    """

    max_cosine_distance = _MAX_COSINE_DISTANCE

    def __init__(self, model: ReIDModel, *, source: Path) -> None:
        self._model = model
        self.dimension = model.dimension
        self.info = ModelInfo(source.stem, str(source), "cpu" if model.device == "cpu" else "gpu")

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        """Return (N, D) float32 of unit length; see `Embedder.embed`."""
        return unit_rows(self._model.embed_crops([np.ascontiguousarray(crop[..., ::-1]) for crop in crops_bgr]))

"""From what a user names to an embedder of crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from errors import ModelError
from model.network_input import prepare_crops
from model.protocols import Embedder
from model.registry import EMBEDDERS, build_embedder
from records import FloatArray, Image, ModelInfo
from reid.distance_blocks import unit_rows

DEFAULT_FOLDER = Path("model/embedding")
HELP = (
    f"{', '.join(EMBEDDERS)} (weights in --emb_model_dir); or a checkpoint (.safetensors), or the folder of an "
    "exported Paddle model"
)


def open_embedder(name: str, *, model_dir: Path = DEFAULT_FOLDER, use_gpu: bool = False, threads: int = 0) -> Embedder:
    """Load what ``name`` means.

    Parameters
    ----------
    name : a name of `model.registry.EMBEDDERS`, the folder of an exported model, or a checkpoint's file.
    model_dir : where the registry looks for weights.
    threads : of the CPU; 0: one for each core.

    Raises
    ------
    ModelError
        for a name that means nothing, and for weights that are missing or cannot be used.
    """
    path = Path(name)
    if name in EMBEDDERS:
        return build_embedder(name, model_dir, threads=threads, use_gpu=use_gpu)
    if path.is_dir():
        return build_embedder("paddle", path, threads=threads, use_gpu=use_gpu)
    if path.suffix == ".safetensors":
        return CheckpointEmbedder(path, use_gpu=use_gpu)
    choices = f"{', '.join(EMBEDDERS)}, a .safetensors file, a folder with an exported model"
    raise ModelError("model.unknown", what="embedder", name=name, choices=choices)


class CheckpointEmbedder:
    """Embed crops with a network of ours, in PyTorch; see `model.protocols.Embedder`.

    Parameters
    ----------
    path : a checkpoint that says which network it holds; see `model.networks.checkpoints`.
    """

    max_cosine_distance = 0.2

    def __init__(self, path: Path, *, use_gpu: bool) -> None:
        import torch

        from model.networks.checkpoints import load_checkpoint

        if use_gpu and not torch.cuda.is_available():
            raise ModelError("model.gpu_missing", runtime="PyTorch")
        network, facts = load_checkpoint(path, "torch")
        self._device = "cuda" if use_gpu else "cpu"
        self._network = network.to(self._device).eval()
        self._preprocessing = facts.preprocessing
        self.dimension = network.dimension
        self.info = ModelInfo(path.stem, str(path), "gpu" if use_gpu else "cpu")

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        """Return (N, D) float32 of unit length; see `Embedder.embed`."""
        import torch

        if not crops_bgr:
            return np.zeros((0, self.dimension), np.float32)
        images = torch.from_numpy(prepare_crops(crops_bgr, self._preprocessing)).to(self._device)
        with torch.inference_mode():
            features: FloatArray = self._network(images).float().cpu().numpy()
        return unit_rows(features)

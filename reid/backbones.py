"""What turns prepared pictures into vectors, whichever program runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from errors import ModelError
from records import FloatArray, Image

if TYPE_CHECKING:
    import torch

    from model.networks.paddle_network import PaddleNetwork
    from model.protocols import Embedder


class Backbone(Protocol):
    """A network that is ready to run.

    Attributes
    ----------
    device : where it runs: ``cpu``, ``cuda:0``, ``gpu:0``, …
    """

    device: str

    def __call__(self, images: FloatArray) -> FloatArray:
        """Return (N, D) float32 for (N, 3, H, W) float32, N ≥ 1."""


class TorchBackbone:
    """A module of PyTorch.

    Parameters
    ----------
    module : (N, 3, H, W) → (N, D), or anything that is flattened to it; is set to evaluation whenever it runs.
    device : ``auto`` takes a GPU where there is one; else as torch names it.

    Raises
    ------
    ModelError
        when a GPU is asked for and torch can use none.
    """

    def __init__(self, module: torch.nn.Module, device: str = "auto") -> None:
        self.device = choose_torch_device(device)
        self.module = module.to(self.device)

    def __call__(self, images: FloatArray) -> FloatArray:
        """Return the vectors; see `Backbone`."""
        import torch

        self.module.eval()
        with torch.inference_mode():
            output = self.module(torch.from_numpy(images).to(self.device))
        vectors: FloatArray = output.flatten(1).float().cpu().numpy()
        return vectors


class PaddleBackbone:
    """A network of ours in Paddle.

    Parameters
    ----------
    device : ``auto`` takes a GPU where there is one; else as Paddle names it.

    Raises
    ------
    ModelError
        when a GPU is asked for and Paddle can use none.
    """

    def __init__(self, network: PaddleNetwork, device: str = "auto") -> None:
        import paddle

        has_gpu = paddle.device.is_compiled_with_cuda() and paddle.device.cuda.device_count() > 0
        if device == "auto":
            device = "gpu" if has_gpu else "cpu"
        if device != "cpu" and not has_gpu:
            raise ModelError("model.gpu_missing", runtime="Paddle")
        paddle.device.set_device(device)
        self.device = device
        self.module = network

    def __call__(self, images: FloatArray) -> FloatArray:
        """Return the vectors; see `Backbone`."""
        import paddle

        self.module.eval()
        with paddle.no_grad():
            vectors: FloatArray = self.module(paddle.to_tensor(images)).numpy()
        return vectors


class OnnxBackbone:
    """An ONNX file with one input (N, 3, H, W) and vectors as its first output.

    Parameters
    ----------
    device : ``auto`` and ``cpu`` run on the CPU, anything else on a GPU.

    Attributes
    ----------
    size_wh : the input's width and height as the file declares them; None where they are free.

    Raises
    ------
    ModelError
        when the file is missing or unreadable, or a GPU is asked for and there is none.
    """

    def __init__(self, path: Path, device: str = "auto") -> None:
        from model.onnx_session import open_session

        if not path.is_file():
            raise ModelError("model.weights_missing", model="the network", path=str(path))
        is_gpu = device not in ("auto", "cpu")
        self.device = "gpu" if is_gpu else "cpu"
        self._session = open_session(path, threads=0, use_gpu=is_gpu)
        shapes = {one.name: one.shape for one in self._session.get_inputs()}
        if len(shapes) != 1 or len(next(iter(shapes.values()))) != 4:
            detail = f"one input (N, 3, H, W) is wanted, it has {shapes}"
            raise ModelError("model.export_unreadable", path=str(path), detail=detail)
        ((self._input_name, (_, _, height, width)),) = shapes.items()
        self.size_wh = (width, height) if isinstance(width, int) and isinstance(height, int) else None

    def __call__(self, images: FloatArray) -> FloatArray:
        """Return the vectors; see `Backbone`."""
        output = self._session.run(None, {self._input_name: images})[0]
        vectors: FloatArray = output.reshape(len(images), -1)
        return vectors


class PaddleExportBackbone:
    """An export that paddle.inference runs.

    Parameters
    ----------
    device : ``auto`` and ``cpu`` run on the CPU, anything else on a GPU.

    Raises
    ------
    ModelError
        see `model.paddle_embedder.PaddleEmbedder`.
    """

    def __init__(self, folder: Path, device: str = "auto") -> None:
        from model.paddle_embedder import PaddleEmbedder

        is_gpu = device not in ("auto", "cpu")
        self._embedder = PaddleEmbedder(folder, use_gpu=is_gpu)
        self.device = "gpu" if is_gpu else "cpu"
        self.dimension = self._embedder.dimension
        self.preprocessing = self._embedder.preprocessing
        self.name = self._embedder.info.name

    def __call__(self, images: FloatArray) -> FloatArray:
        """Return the vectors; see `Backbone`."""
        return self._embedder.run(images)


class EmbedderBackbone:
    """An embedder of `model.registry`, which prepares crops itself and gives vectors of unit length."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.device = embedder.info.device
        self.dimension = embedder.dimension

    def embed_crops(self, crops_rgb: Sequence[Image]) -> FloatArray:
        """Return (N, D) float32 for (h, w, 3) uint8 crops."""
        return self._embedder.embed([crop[..., ::-1] for crop in crops_rgb])

    def __call__(self, images: FloatArray) -> FloatArray:
        """Refuse prepared pictures.

        Raises
        ------
        TypeError
            always.
        """
        raise TypeError(f"{self._embedder.info.name} prepares crops itself and takes no transforms")


def choose_torch_device(device: str) -> str:
    """Return a device of torch's: the one that was asked for, or for ``auto`` the best there is.

    Raises
    ------
    ModelError
        for one that this machine does not have.
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError("model.gpu_missing", runtime=f"PyTorch ({device})") from error
    return device


def as_backbone(model: Any, device: str) -> Backbone:
    """Return what runs a module of torch, a network of ours in Paddle, or a backbone already.

    Raises
    ------
    TypeError
        for anything else.
    """
    import sys

    if "torch" in sys.modules and isinstance(model, sys.modules["torch"].nn.Module):
        return TorchBackbone(model, device)
    if "paddle" in sys.modules and isinstance(model, sys.modules["paddle"].nn.Layer):
        return PaddleBackbone(model, device)
    if callable(model) and hasattr(model, "device"):
        backbone: Backbone = model
        return backbone
    raise TypeError(f"backbone_model must be a module of torch or a layer of Paddle, not {type(model).__name__}")


def measure_dimension(backbone: Backbone, size_wh: tuple[int, int]) -> int:
    """Return the length of a network's vectors, by running it once on a black picture."""
    width, height = size_wh
    return int(backbone(np.zeros((1, 3, height, width), np.float32)).shape[1])

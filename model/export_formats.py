"""Writing an embedding network in each format that other programs run, and running it back.

An export is only worth having when it gives the network's own vectors; so every
format comes with what runs it, for `export` to compare.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from errors import ModelError
from model.networks.build import Framework
from records import FloatArray

if TYPE_CHECKING:
    from model.networks.paddle_network import PaddleNetwork
    from model.networks.torch_network import TorchNetwork

STEM = "model"
"""File name of every export, without its suffix."""

_ONNX_OPSET = 17  # 2022; onnxruntime 1.13 and newer run it
_INPUT, _OUTPUT = "image", "embedding"


@dataclass(frozen=True)
class Format:
    """A way to write a network.

    Attributes
    ----------
    framework : whose network is written.
    suffixes : of the files that it consists of; the last makes the export complete.
    write : called with the network in evaluation, a folder, and the input's width and height.
    run : called with the folder and (N, 3, H, W) float32, returns (N, D) float32.
    """

    framework: Framework
    suffixes: tuple[str, ...]
    write: Callable[[Any, Path, tuple[int, int]], None]
    run: Callable[[Path, FloatArray], FloatArray]

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of its files, the one that completes it last."""
        return tuple(f"{STEM}{suffix}" for suffix in self.suffixes)


def _write_paddle(network: PaddleNetwork, folder: Path, size_wh: tuple[int, int]) -> None:
    import paddle
    from paddle.static import InputSpec

    width, height = size_wh
    paddle.jit.save(
        network, str(folder / STEM), input_spec=[InputSpec([None, 3, height, width], "float32", name=_INPUT)]
    )


def _write_pdmodel(network: PaddleNetwork, folder: Path, size_wh: tuple[int, int]) -> None:
    import paddle

    with paddle.pir_utils.OldIrGuard():
        _write_paddle(network, folder, size_wh)


def _run_paddle(folder: Path, images: FloatArray) -> FloatArray:
    from model.paddle_files import find_paddle_files
    from model.paddle_runtime import PaddlePredictor

    files = find_paddle_files(folder)
    if files is None:
        raise ModelError("model.weights_missing", model="the export", path=str(folder))
    vectors: FloatArray = PaddlePredictor(files, threads=1).run({_INPUT: images})[0]
    return vectors


def _write_onnx(network: TorchNetwork, folder: Path, size_wh: tuple[int, int]) -> None:
    import torch

    with warnings.catch_warnings():
        # The newer exporter needs onnxscript and splits large models; this one still does all that these networks need.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (_example(size_wh),),
            str(folder / f"{STEM}.onnx"),
            input_names=[_INPUT],
            output_names=[_OUTPUT],
            dynamic_axes={_INPUT: {0: "batch"}, _OUTPUT: {0: "batch"}},
            opset_version=_ONNX_OPSET,
            dynamo=False,
        )


def _run_onnx(folder: Path, images: FloatArray) -> FloatArray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / f"{STEM}.onnx"), providers=["CPUExecutionProvider"])
    vectors: FloatArray = session.run(None, {_INPUT: images})[0]
    return vectors


def _write_torchscript(network: TorchNetwork, folder: Path, size_wh: tuple[int, int]) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is what is asked for
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]  # torch leaves it untyped
            network, (_example(size_wh),), check_trace=False
        )
        torch.jit.save(traced, str(folder / f"{STEM}.pt"))


def _run_torchscript(folder: Path, images: FloatArray) -> FloatArray:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        path = str(folder / f"{STEM}.pt")
        module = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]  # torch leaves it untyped
    with torch.inference_mode():
        vectors: FloatArray = module(torch.from_numpy(images)).numpy()
    return vectors


def _example(size_wh: tuple[int, int]) -> Any:
    import torch

    width, height = size_wh
    return torch.zeros(2, 3, height, width)


FORMATS: Mapping[str, Format] = {
    "paddle": Format("paddle", (".pdiparams", ".json"), _write_paddle, _run_paddle),
    "pdmodel": Format("paddle", (".pdiparams", ".pdmodel"), _write_pdmodel, _run_paddle),
    "onnx": Format("torch", (".onnx",), _write_onnx, _run_onnx),
    "torchscript": Format("torch", (".pt",), _write_torchscript, _run_torchscript),
}
"""Formats by name: paddle.inference's of today and its old one, ONNX, TorchScript. The batch's size is free in all."""


def largest_difference(got: FloatArray, expected: FloatArray) -> float:
    """Return max |got − expected| / max |expected|."""
    return float(np.abs(got - expected).max() / max(float(np.abs(expected).max()), 1e-12))

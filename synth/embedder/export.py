"""The network as one ONNX file with half-precision weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch

from synth.embedder.network import ColourEmbedder

OPSET = 17
_SMALL = 4096  # tensors below are not worth it, and the sharp edges of the colour bins want all their digits


class _FromPixels(torch.nn.Module):
    """The network on pixels 0 to 255, as a camera writes them."""

    def __init__(self, network: ColourEmbedder) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        embeddings: torch.Tensor = self.network(crops / 255.0)
        return embeddings


def export_embedder(network: ColourEmbedder, path: Path, *, seed: int = 0) -> float:
    """Write ``path``: input ``crops`` (N, 3, 128, 64) float32 RGB 0 to 255, output ``embeddings`` (N, 128).

    Large weights are stored as float16 and computed with as float32.

    Returns
    -------
    the lowest cosine, over random crops, between embeddings before and after rounding the weights.
    """
    import onnx
    import onnxruntime

    whole = _FromPixels(network).eval()
    crops = torch.rand(8, 3, 128, 64, generator=torch.Generator().manual_seed(seed)) * 255
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():  # the other exporter needs onnxscript
        warnings.simplefilter("ignore")
        torch.onnx.export(
            whole,
            (crops,),
            str(path),
            input_names=["crops"],
            output_names=["embeddings"],
            dynamic_axes={"crops": {0: "n"}, "embeddings": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    _halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (rounded,) = session.run(None, {"crops": crops.numpy()})
    with torch.no_grad():
        exact = whole(crops).numpy()
    return float((exact * rounded).sum(axis=1).min())


def _halve(model: object) -> None:
    """Store large float32 weights as float16, each followed by a cast back."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph  # type: ignore[attr-defined]  # onnx has no stubs
    casts = []
    for place, weight in enumerate(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < _SMALL:
            continue
        values = numpy_helper.to_array(weight).astype(np.float16)
        stored = numpy_helper.from_array(values, f"{weight.name}.half")
        casts.append(helper.make_node("Cast", [stored.name], [weight.name], to=TensorProto.FLOAT))
        graph.initializer[place].CopyFrom(stored)
    for cast in reversed(casts):
        graph.node.insert(0, cast)

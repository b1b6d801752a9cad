"""Write the trained detector as the ONNX file that is shipped: weights in 16 bits, arithmetic in 32."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from records import CLASS_NAMES
from synth.detector.network import DecodedNetwork, Network

_OPSET = 17
_SMALLEST = 256
"""Arrays with fewer numbers stay as they are: they save nothing."""


def export_detector(weights: Path, out: Path, *, origin: str) -> None:
    """Write ``out``: input ``pictures_bgr`` (N, 3, H, W), outputs ``boxes_xyxy`` (N, A, 4) and ``scores`` (N, A, C).

    Batch normalisation is folded into the convolutions; H and W are free multiples of 32.

    Parameters
    ----------
    weights : state of a `Network`, or a training's ``state.pt``, of which the average is taken.
    origin : one line for the file's metadata: what it was trained on.
    """
    import onnx

    state = torch.load(weights, weights_only=True)
    network = Network()
    network.load_state_dict(state.get("average", state))
    picture = torch.zeros(1, 3, 64, 96)
    out.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():  # the other exporter needs onnxscript; the sizes that are traced stay free
        warnings.simplefilter("ignore")
        torch.onnx.export(
            DecodedNetwork(network).eval(),
            (picture,),
            str(out),
            input_names=["pictures_bgr"],
            output_names=["boxes_xyxy", "scores"],
            dynamic_axes={
                "pictures_bgr": {0: "batch", 2: "height", 3: "width"},
                "boxes_xyxy": {0: "batch", 1: "cells"},
                "scores": {0: "batch", 1: "cells"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(out))
    for value, length in zip(model.graph.output, (4, len(CLASS_NAMES)), strict=True):
        value.type.tensor_type.shape.dim[2].dim_value = length  # the tracer loses it
    _halve(model)
    for key, value in (("classes", ",".join(CLASS_NAMES)), ("origin", origin)):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    onnx.save(model, str(out))


def _halve(model: Any) -> None:
    """Store large float32 weights as float16 and widen them by a Cast, which onnxruntime does once on loading."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    casts = []
    for position, tensor in enumerate(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _SMALLEST:
            continue
        stored = f"{tensor.name}.f16"
        casts.append(
            helper.make_node("Cast", [stored], [tensor.name], to=TensorProto.FLOAT, name=f"{tensor.name}.cast")
        )
        graph.initializer[position].CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
    for node in reversed(casts):
        graph.node.insert(0, node)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m synth.detector.export", description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--origin", default="Resight, rendered pictures only")
    options = parser.parse_args(arguments)
    export_detector(options.weights, options.out, origin=options.origin)


if __name__ == "__main__":
    main()

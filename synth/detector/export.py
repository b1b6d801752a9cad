"""Write the trained detector as the ONNX file that is shipped: weights in 16 bits, arithmetic in 32."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from records import CLASS_NAMES
from synth.banks import load_banks
from synth.detector.calibrate import Calibration, calibrate
from synth.detector.network import DecodedNetwork, Network
from synth.pictures import Picture, PictureMaker

_OPSET = 17
_SIDE = 416
_SMALLEST = 256
"""Arrays with fewer numbers stay as they are: they save nothing."""


def export_detector(weights: Path, out: Path, *, origin: str, calibration_pictures: Iterable[Picture] = ()) -> None:
    """Write ``out``: input ``pictures_bgr`` (N, 3, H, W), outputs ``boxes_xyxy`` (N, A, 4) and ``scores`` (N, A, C).

    Batch normalisation is folded into the convolutions; H and W are free multiples of 32.

    Parameters
    ----------
    weights : state of a `Network`, or a training's ``state.pt``, of which the average is taken.
    calibration_pictures : of strangers; scores are calibrated on them, or stay raw where there are none.
    origin : one line for the file's metadata: what it was trained on.
    """
    import onnx

    state = torch.load(weights, weights_only=True)
    network = Network()
    network.load_state_dict(state.get("average", state))
    network.eval()
    pictures = list(calibration_pictures)
    calibration = calibrate(network, pictures) if pictures else Calibration()
    picture = torch.zeros(1, 3, 64, 96)
    out.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():  # the other exporter needs onnxscript; the sizes that are traced stay free
        warnings.simplefilter("ignore")
        torch.onnx.export(
            DecodedNetwork(network, scale=calibration.scale, offset=calibration.offset).eval(),
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
    described = f"scale {calibration.scale:.4f}, offset {calibration.offset:.4f}"
    for key, value in (("classes", ",".join(CLASS_NAMES)), ("origin", origin), ("calibration", described)):
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
    parser.add_argument("--bank", type=Path, default=None, help="sprites and places to calibrate on, of another seed")
    parser.add_argument("--pictures", type=int, default=200, help="put together from them (200)")
    options = parser.parse_args(arguments)
    pictures: list[Picture] = []
    if options.bank:
        maker, rng = PictureMaker(*load_banks(options.bank), side=_SIDE), np.random.default_rng(1)
        pictures = [maker.make(rng) for _ in range(options.pictures)]
    export_detector(options.weights, options.out, origin=options.origin, calibration_pictures=pictures)


if __name__ == "__main__":
    main()

"""ONNX files opened by onnxruntime, with threads that leave the cores to others while they wait."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(path: Path, *, threads: int, use_gpu: bool) -> InferenceSession:
    """Open an ONNX file.

    Parameters
    ----------
    threads : of the network; 0: onnxruntime's choice.

    Raises
    ------
    ModelError
        when the file is unreadable, or when the GPU is asked for and
        onnxruntime cannot use one.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as failures

    if use_gpu and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ModelError("model.gpu_missing", runtime="onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads take the cores from the decoder and the encoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"] if use_gpu else ["CPUExecutionProvider"]
    refusals = (
        failures.Fail,
        failures.InvalidArgument,
        failures.InvalidProtobuf,
        failures.InvalidGraph,
        failures.NotImplemented,
    )
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except refusals as error:
        detail = f"onnxruntime refuses the file ({str(error).splitlines()[0]})"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail) from error
    if session.get_providers()[0] != providers[0]:  # it falls back to the CPU with a warning
        raise ModelError("model.gpu_missing", runtime="onnxruntime")
    return session

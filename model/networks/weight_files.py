"""Reading and writing files of named tensors: safetensors, Paddle's ``.pdparams``, PyTorch's ``.pth``.

The latter two are pickles, which could run any program; both are read by
unpicklers that know arrays and nothing else.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import ModelError
from model.networks.pdparams import read_pdparams, write_pdparams
from model.networks.tensors import Arrays

PADDLE_SUFFIX = ".pdparams"
TORCH_SUFFIXES = (".pth", ".pt", ".bin", ".tar")
SAFETENSORS_SUFFIX = ".safetensors"
SUFFIXES = (SAFETENSORS_SUFFIX, PADDLE_SUFFIX, *TORCH_SUFFIXES)

_CONTAINERS = ("state_dict", "model", "model_state_dict")
_COUNTER = ".num_batches_tracked"
_PARALLEL_PREFIX = "module."


def find_weights(path: Path) -> Path:
    """Return the weights file that a path means.

    A file is itself. Of a folder it is ``model.safetensors``, else the one weights
    file in it. A path without its suffix, as Paddle writes them, gains it.

    Raises
    ------
    ModelError
        when there is none, or a folder holds several.
    """
    if path.is_file():
        return path
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        chosen = [file for file in files if file.name == f"model{SAFETENSORS_SUFFIX}"] or files
        if len(chosen) > 1:
            detail = f"it holds several weights files ({', '.join(file.name for file in chosen)}); name one of them"
            raise ModelError("model.export_unreadable", path=str(path), detail=detail)
        if chosen:
            return chosen[0]
    for suffix in SUFFIXES:
        if (file := path.with_name(path.name + suffix)).is_file():
            return file
    raise ModelError("model.weights_missing", model="the network", path=str(path))


def read_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a file by name, as float32.

    Training state around the weights (``state_dict`` of a ``.pth``), the prefix of
    parallel training and counters of batches are left away.

    Raises
    ------
    ModelError
        when the file is missing, of an unknown kind, or holds anything but arrays.
    """
    if path.suffix not in SUFFIXES:
        raise ModelError("model.unknown", what="kind of weights file", name=path.name, choices=", ".join(SUFFIXES))
    if not path.is_file():
        raise ModelError("model.weights_missing", model="the network", path=str(path))
    if path.suffix == PADDLE_SUFFIX:
        return read_pdparams(path)
    if path.suffix == SAFETENSORS_SUFFIX:
        return read_safetensors(path)[0]
    return _read_pth(path)


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays into a file of the kind that its suffix says; see `SUFFIXES`.

    Raises
    ------
    ModelError
        for an unknown suffix.
    """
    if path.suffix == PADDLE_SUFFIX:
        write_pdparams(path, arrays)
    elif path.suffix == SAFETENSORS_SUFFIX:
        write_safetensors(path, arrays, {})
    elif path.suffix in TORCH_SUFFIXES:
        import torch

        torch.save({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, path)
    else:
        raise ModelError("model.unknown", what="kind of weights file", name=path.name, choices=", ".join(SUFFIXES))


def read_safetensors(path: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """Return the arrays of a safetensors file as float32, and its metadata.

    Raises
    ------
    ModelError
        when the file is missing or cannot be read as one.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelError("model.weights_missing", model="the network", path=str(path))
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            names = [name for name in file.keys() if not name.endswith(_COUNTER)]  # noqa: SIM118  # no mapping
            return {name: file.get_tensor(name).astype(np.float32) for name in names}, metadata
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        detail = f"it is no safetensors file ({error})"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail) from error


def write_safetensors(path: Path, arrays: Arrays, metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, whole or not at all."""
    from safetensors.numpy import save_file

    partial = path.with_name(f".{path.name}.partial")
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(contiguous, str(partial), metadata=dict(metadata))
    partial.replace(path)


def _read_pth(path: Path) -> dict[str, NDArray[np.float32]]:
    import torch

    try:
        with torch.serialization.safe_globals(_numpy_scalars()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        detail = f"it is no checkpoint of PyTorch's that holds arrays alone ({first[:200]})"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail) from error
    state = _unwrapped(content)
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, tensor in state.items():
        if not isinstance(tensor, torch.Tensor):
            detail = f"“{name}” in it is no tensor"
            raise ModelError("model.export_unreadable", path=str(path), detail=detail)
        if not name.endswith(_COUNTER):
            arrays[name.removeprefix(_PARALLEL_PREFIX)] = tensor.detach().float().numpy()
    if not arrays:
        raise ModelError("model.export_unreadable", path=str(path), detail="it holds no named tensors")
    return arrays


def _unwrapped(content: Any) -> dict[str, Any]:
    """Return the weights of a checkpoint, which may lie beside epoch and optimizer."""
    for container in _CONTAINERS:
        if isinstance(content, dict) and isinstance(content.get(container), dict):
            return _unwrapped(content[container])
    return content if isinstance(content, dict) else {}


def _numpy_scalars() -> list[Any]:
    """Return what torchreid's checkpoints name besides tensors: their Rank-1 as a number of NumPy's."""
    scalar: Any = np.float64(0).__reduce__()[0]
    return [(scalar, "numpy.core.multiarray.scalar"), scalar, np.dtype, *{type(np.dtype(kind)) for kind in "df"}]

"""Paddle's ``.pdparams`` checkpoints, read without running what is pickled in them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import ModelError

_NAME_TABLE = "StructuredToParameterName@@"
_ALLOWED_GLOBALS = frozenset(
    {
        ("collections", "OrderedDict"),
        ("_codecs", "encode"),  # bytes of arrays in pickles of protocol 2
        ("builtins", "tuple"),  # (name, array) pairs of Paddle 2.1 and newer
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    }
)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickle dictionaries of NumPy arrays; refuse every other class and function."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in _ALLOWED_GLOBALS:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which no list of arrays needs")
        return super().find_class(module_name, global_name)


def read_pdparams(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a checkpoint by name.

    Raises
    ------
    ModelError
        when the file is missing, no pickle of named arrays, or asks for
        anything but arrays (a pickle could run any program).
    """
    if not path.is_file():
        raise ModelError("model.weights_missing", model="the network", path=str(path))
    try:
        with path.open("rb") as file:
            content = _ArrayUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, ImportError, IndexError) as error:
        detail = f"it is no checkpoint of Paddle's ({error})"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail) from error
    if not isinstance(content, dict):
        detail = f"it holds a {type(content).__name__}, not named arrays"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail)
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, value in content.items():
        if name == _NAME_TABLE:
            continue
        array = value[1] if isinstance(value, tuple) and len(value) == 2 else value
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            detail = f"“{name}” in it is no array of numbers"
            raise ModelError("model.export_unreadable", path=str(path), detail=detail)
        arrays[str(name)] = array.astype(np.float32)
    return arrays


def write_pdparams(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Write arrays by name as ``paddle.load`` reads them."""
    path.write_bytes(pickle.dumps({name: np.array(array) for name, array in arrays.items()}, protocol=4))

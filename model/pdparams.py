"""Reading Paddle's ``.pdparams`` checkpoints without running what is pickled in them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from errors import ModelError

if TYPE_CHECKING:
    from model.resnet_vd import ResNetVd

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


def load_pdparams(network: ResNetVd, path: Path) -> None:
    """Load a checkpoint into ``network`` by parameter name, all or nothing.

    The names of PaddleClas' first release (``conv1_1._conv.weight``,
    ``bb_0_0.conv0._batch_norm.bias``, ``out.weight``) are understood as well. A
    final layer in the file is left out when the network has none
    (embedding_size 0): that is how a classifier becomes a feature extractor.

    Raises
    ------
    ModelError
        when a tensor is missing, superfluous or of another shape; it names them.
    """
    arrays = {_current_name(name, network.depths): array for name, array in read_pdparams(path).items()}
    if network.fc is None:
        arrays = {name: array for name, array in arrays.items() if not name.startswith("fc.")}
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    faults = [
        *(f"{name} is missing" for name in wanted.keys() - arrays.keys()),
        *(f"{name} is not part of it" for name in arrays.keys() - wanted.keys()),
        *(
            f"{name} has shape {arrays[name].shape} instead of {wanted[name]}"
            for name in wanted.keys() & arrays.keys()
            if arrays[name].shape != wanted[name]
        ),
    ]
    if faults:
        shown = "; ".join(sorted(faults)[:5])
        detail = shown if len(faults) <= 5 else f"{shown}; and {len(faults) - 5} more"
        raise ModelError("model.weights_mismatch", path=str(path), model=network.architecture, detail=detail)
    import paddle

    network.set_state_dict({name: paddle.to_tensor(array) for name, array in arrays.items()})


def _current_name(name: str, depths: tuple[int, ...]) -> str:
    """Return today's name of a parameter that may be named as in PaddleClas' first release."""
    head, _, rest = name.partition(".")
    if head.startswith("conv1_"):
        head = f"stem.{int(head.removeprefix('conv1_')) - 1}"
    elif head.startswith("bb_"):
        stage, index = (int(part) for part in head.removeprefix("bb_").split("_"))
        head = f"blocks.{sum(depths[:stage]) + index}"
    elif head == "out":
        head = "fc"
    else:
        return name
    return f"{head}.{rest}".replace("._conv.", ".conv.").replace("._batch_norm.", ".bn.")

"""The files of an exported Paddle model: finding, checking and reading what they declare.

Paddle 3.3.1 ends the whole process on some damaged programs and reads a
truncated parameter file without a word; so both are looked through first.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from errors import ModelError

_MAX_DESCRIPTION_BYTES = 1024
_MAX_ELEMENTS = 1 << 40
_OLD_PARAMS_NAMES = ("__params__", "params")
# Bytes of an element by protobuf's number of the type: bool, int16, int32, int64, fp16, fp32, fp64, uint8, int8, bf16.
_ELEMENT_BYTES = {0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 20: 1, 21: 1, 22: 2}


@dataclass(frozen=True)
class PaddleFiles:
    """The two files of an export: its program (``.json``, ``.pdmodel``, ``__model__``) and its parameters."""

    program: Path
    params: Path

    def unreadable(self, detail: str) -> ModelError:
        """Return the error that says why these files cannot be used."""
        return ModelError("model.export_unreadable", path=str(self.program.parent), detail=detail)


def find_paddle_files(folder: Path) -> PaddleFiles | None:
    """Return the export that lies in ``folder``, or None where there is nothing of one.

    ``NAME.json`` or ``NAME.pdmodel`` beside ``NAME.pdiparams``, or ``__model__``
    beside ``__params__``. A ``.json`` wins over a ``.pdmodel`` of the same name.

    Raises
    ------
    ModelError
        when half of an export is there, or several exports are.
    """
    if not folder.is_dir():
        return None
    pairs: list[PaddleFiles] = []
    for params in sorted(folder.glob("*.pdiparams")):
        programs = [params.with_suffix(suffix) for suffix in (".json", ".pdmodel")]
        pairs += [PaddleFiles(program, params) for program in programs if program.is_file()][:1]
    old_params = [folder / name for name in _OLD_PARAMS_NAMES if (folder / name).is_file()]
    if (folder / "__model__").is_file() and old_params:
        pairs.append(PaddleFiles(folder / "__model__", old_params[0]))
    if len(pairs) > 1:
        detail = f"it holds several models ({', '.join(pair.program.name for pair in pairs)}); leave one"
        raise ModelError("model.export_unreadable", path=str(folder), detail=detail)
    if pairs:
        return pairs[0]
    halves = [*folder.glob("*.pdiparams"), *folder.glob("*.pdmodel"), *folder.glob("__model__")]
    if halves:
        detail = (
            f"half of an export is there ({', '.join(sorted(path.name for path in halves))}); "
            "a .json, .pdmodel or __model__ file and its .pdiparams or __params__ file are wanted"
        )
        raise ModelError("model.export_unreadable", path=str(folder), detail=detail)
    return None


def declared_inputs(files: PaddleFiles) -> dict[str, tuple[int, ...]]:
    """Return the shape of each input by name, -1 where it is free.

    Raises
    ------
    ModelError
        when the program is none, or declares no input.
    """
    try:
        shapes = _inputs_of_json(files.program) if files.program.suffix == ".json" else _inputs_of_old(files.program)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise files.unreadable(f"{files.program.name} is no Paddle program") from error
    if not shapes:
        raise files.unreadable(f"{files.program.name} declares no input")
    return shapes


def check_params(files: PaddleFiles) -> None:
    """Refuse a parameter file that is empty, cut off or something else.

    Layout of each tensor: uint32 version 0, uint64 levels of detail (a parameter
    has 0), uint32 version 0, int32 size of the description, the description
    (protobuf: 1 = type, 2 = sides), the elements.

    Raises
    ------
    ModelError
        when the tensors do not fill the file exactly.
    """
    size = files.params.stat().st_size
    if size == 0:
        raise files.unreadable(f"{files.params.name} is empty")
    try:
        with files.params.open("rb") as file:
            while file.tell() < size:
                _skip_tensor(file)
            end = file.tell()
    except (struct.error, ValueError, KeyError, StopIteration, OverflowError) as error:
        raise files.unreadable(f"{files.params.name} is no file of Paddle parameters, or is damaged") from error
    if end != size:
        raise files.unreadable(f"{files.params.name} is cut off: {size} bytes of {end}")


def _inputs_of_json(program: Path) -> dict[str, tuple[int, ...]]:
    operations = json.loads(program.read_bytes())["program"]["regions"][0]["blocks"][0]["ops"]
    shapes: dict[str, tuple[int, ...]] = {}
    for operation in operations:
        if operation["#"].endswith(".data"):
            values: dict[str, Any] = {item["N"]: item["AT"]["D"] for item in operation["A"]}
            shapes[str(values["name"])] = tuple(int(side) for side in values["shape"])
    return shapes


def _inputs_of_old(program: Path) -> dict[str, tuple[int, ...]]:
    from paddle.base import core

    description = core.ProgramDesc(program.read_bytes())  # owns the blocks: must outlive them
    if description.num_blocks() == 0:
        raise ValueError("an empty program")
    block = description.block(0)
    operations = [block.op(index) for index in range(block.op_size())]
    names = [operation.output("Out")[0] for operation in operations if operation.type() == "feed"]
    return {name: tuple(int(side) for side in block.find_var(name.encode()).shape()) for name in names}


def _skip_tensor(file: BinaryIO) -> None:
    version, levels = struct.unpack("<IQ", file.read(12))
    tensor_version, description_bytes = struct.unpack("<Ii", file.read(8))
    if version or levels or tensor_version or not 0 < description_bytes < _MAX_DESCRIPTION_BYTES:
        raise ValueError("no parameter starts here")
    description = file.read(description_bytes)
    element_type, sides = -1, []
    numbers = _varints(description)
    for key in numbers:
        if key == 8:  # field 1, a number
            element_type = next(numbers)
        elif key == 16:  # field 2, a number
            sides.append(next(numbers))
        else:
            raise ValueError(f"field {key} does not belong in the description of a tensor")
    element_count = math.prod(sides)
    if element_count > _MAX_ELEMENTS:
        raise ValueError(f"a tensor of {sides} elements is no parameter")
    file.seek(_ELEMENT_BYTES[element_type] * element_count, 1)


def _varints(data: bytes) -> Iterator[int]:
    """Yield protobuf's variable-length numbers."""
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0

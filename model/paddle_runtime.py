"""Exported Paddle models: finding their files and running them with paddle.inference."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from errors import ModelError

if TYPE_CHECKING:
    from paddle.inference import Predictor

_OLD_PARAMS_NAMES = ("__params__", "params")


@dataclass(frozen=True)
class PaddleFiles:
    """The two files of an export: its program (``.json``, ``.pdmodel``, ``__model__``) and its parameters."""

    program: Path
    params: Path


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
    found = [
        PaddleFiles(program, params)
        for params in sorted(folder.glob("*.pdiparams"))
        for program in [_program_beside(params)]
        if program is not None
    ]
    old_program = folder / "__model__"
    found += [PaddleFiles(old_program, folder / name) for name in _OLD_PARAMS_NAMES if (folder / name).is_file()]
    if len(found) > 1:
        detail = f"it holds several models ({', '.join(files.program.name for files in found)}); leave one"
        raise ModelError("model.export_unreadable", path=str(folder), detail=detail)
    if found and found[0].program.is_file():
        return found[0]
    halves = sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix in (".pdiparams", ".pdmodel") or path.name in ("__model__", *_OLD_PARAMS_NAMES[:1])
    )
    if halves:
        detail = (
            f"half of an export is there ({', '.join(halves)}); "
            "a .json, .pdmodel or __model__ file and its .pdiparams or __params__ file are wanted"
        )
        raise ModelError("model.export_unreadable", path=str(folder), detail=detail)
    return None


def _program_beside(params: Path) -> Path | None:
    for suffix in (".json", ".pdmodel"):
        program = params.with_suffix(suffix)
        if program.is_file():
            return program
    return None


class PaddlePredictor:
    """Run one exported model.

    Parameters
    ----------
    threads : of the CPU; 0: one for each core.
    use_gpu : run on the first GPU.
    use_onednn : run oneDNN's kernels on the CPU (measured 1.5 to 3 times as fast as Paddle's own).

    Raises
    ------
    ModelError
        when the files cannot be read as a model, or the GPU is asked for and
        this Paddle can use none.
    """

    def __init__(self, files: PaddleFiles, *, threads: int = 0, use_gpu: bool = False, use_onednn: bool = True) -> None:
        import paddle
        from paddle import inference

        if use_gpu and not (paddle.device.is_compiled_with_cuda() and paddle.device.cuda.device_count() > 0):
            raise ModelError("model.gpu_missing", runtime="paddle")
        _check_readable(files)
        config = inference.Config(str(files.program), str(files.params))
        config.disable_glog_info()
        if use_gpu:
            config.enable_use_gpu(256, 0)
        else:
            config.disable_gpu()
            config.set_cpu_math_library_num_threads(threads or os.cpu_count() or 1)
            if use_onednn:
                config.enable_mkldnn()
            else:
                config.disable_mkldnn()
        # No enable_memory_optim(): Paddle 3.3.1 computes wrong values with it on a PIR model.
        try:
            self._predictor: Predictor = inference.create_predictor(config)
        except (RuntimeError, ValueError, OSError) as error:
            raise _unreadable(files, f"Paddle refuses it ({_reason(error)})") from error
        self._files = files
        self.input_names: tuple[str, ...] = tuple(self._predictor.get_input_names())
        self.output_names: tuple[str, ...] = tuple(self._predictor.get_output_names())

    def input_shape(self, name: str) -> tuple[int, ...]:
        """Return the shape that the model declares for an input; -1 where it is free."""
        return tuple(int(side) for side in self._predictor.get_input_tensor_shape()[name])

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs, in the order of `output_names`.

        Parameters
        ----------
        feeds : an array for each of `input_names`.

        Raises
        ------
        ModelError
            when Paddle cannot run the model on these arrays.
        """
        try:
            for name in self.input_names:
                handle = self._predictor.get_input_handle(name)
                handle.reshape(feeds[name].shape)
                handle.copy_from_cpu(np.ascontiguousarray(feeds[name]))
            self._predictor.run()
            return [self._predictor.get_output_handle(name).copy_to_cpu() for name in self.output_names]
        except (RuntimeError, ValueError, OSError) as error:
            shapes = {name: feeds[name].shape for name in self.input_names}
            raise _unreadable(self._files, f"it fails on inputs {shapes} ({_reason(error)})") from error


def require_inputs(predictor: PaddlePredictor, folder: Path, known: Sequence[str]) -> None:
    """Raise a `ModelError` when the model wants an input that is not in ``known``."""
    foreign = [name for name in predictor.input_names if name not in known]
    if foreign:
        detail = f"it wants inputs {', '.join(foreign)}; only {', '.join(known)} can be given"
        raise ModelError("model.export_unreadable", path=str(folder), detail=detail)


def _check_readable(files: PaddleFiles) -> None:
    """Refuse files that make Paddle end the whole process instead of raising."""
    for path in (files.program, files.params):
        if path.stat().st_size == 0:
            raise _unreadable(files, f"{path.name} is empty")
    if files.program.suffix == ".json":
        try:
            document = json.loads(files.program.read_bytes())
        except ValueError as error:
            raise _unreadable(files, f"{files.program.name} is no JSON") from error
        if not isinstance(document, dict) or "program" not in document:
            raise _unreadable(files, f"{files.program.name} is no Paddle program")


def _unreadable(files: PaddleFiles, detail: str) -> ModelError:
    return ModelError("model.export_unreadable", path=str(files.program.parent), detail=detail)


def _reason(error: Exception) -> str:
    """Return the line of Paddle's long message that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "Error:" in line), lines[-1] if lines else type(error).__name__)[:300]

"""Running exported Paddle models with paddle.inference."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from errors import ModelError
from model.paddle_files import PaddleFiles, check_params, declared_inputs

if TYPE_CHECKING:
    from paddle.inference import Predictor


class PaddlePredictor:
    """Run one exported model.

    Parameters
    ----------
    threads : of the CPU; 0: one for each core.
    use_gpu : run on the first GPU.
    use_onednn : run oneDNN's kernels on the CPU (ResNet101_vd, 2 cores, 8 crops of
        128×128: 29 ms a crop instead of 53).

    Attributes
    ----------
    input_shapes : the declared shape of each input by name, -1 where it is free.
    output_names : in the order in which `run` returns them.

    Raises
    ------
    ModelError
        when the files cannot be read as a model, or the GPU is asked for and
        this Paddle can use none.
    """

    def __init__(self, files: PaddleFiles, *, threads: int = 0, use_gpu: bool = False, use_onednn: bool = True) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No ccache found")  # nothing is compiled here
            import paddle
            from paddle import inference

        if use_gpu and not (paddle.device.is_compiled_with_cuda() and paddle.device.cuda.device_count() > 0):
            raise ModelError("model.gpu_missing", runtime="paddle")
        self.input_shapes = declared_inputs(files)
        check_params(files)
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
        # enable_memory_optim() is not called: Paddle 3.3.1 mishandles it on models of the new format (.json).
        try:
            self._predictor: Predictor = inference.create_predictor(config)
        except (RuntimeError, ValueError, OSError) as error:
            raise files.unreadable(f"Paddle refuses it ({_reason(error)})") from error
        self._files = files
        self.output_names: tuple[str, ...] = tuple(self._predictor.get_output_names())

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs, in the order of `output_names`.

        Parameters
        ----------
        feeds : an array for each of `input_shapes`.

        Raises
        ------
        ModelError
            when Paddle cannot run the model on these arrays.
        """
        try:
            for name in self.input_shapes:
                handle = self._predictor.get_input_handle(name)
                handle.reshape(feeds[name].shape)
                handle.copy_from_cpu(np.ascontiguousarray(feeds[name]))
            self._predictor.run()
            return [self._predictor.get_output_handle(name).copy_to_cpu() for name in self.output_names]
        except (RuntimeError, ValueError, OSError) as error:
            shapes = {name: feeds[name].shape for name in self.input_shapes}
            raise self._files.unreadable(f"it fails on inputs {shapes} ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """Return the line of Paddle's long message that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "Error:" in line), lines[-1] if lines else type(error).__name__)[:300]

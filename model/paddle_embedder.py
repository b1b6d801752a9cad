"""Embedding by an exported Paddle network, e.g. ResNet101_vd trained by metric learning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from errors import ModelError
from model.embedding_spec import UNTRAINED, EmbeddingSpec, Preprocessing, read_spec
from model.network_input import prepare_crops
from model.paddle_files import find_paddle_files
from model.paddle_runtime import PaddlePredictor
from records import FloatArray, Image, ModelInfo

CPU_BATCHES = (8, 4, 1)  # ResNet101_vd at 128×128 on 2 cores, ms a crop: 47 alone, 34 by 4, 29 by 8, 37 by 16
GPU_BATCHES = (64, 8, 1)

_FOREIGN_MAX_COSINE_DISTANCE = 0.2  # deep_sort_paddle's


class PaddleEmbedder:
    """Embed crops with the export in a folder.

    Parameters
    ----------
    folder : program and parameters, and our ``embedding.json``. Without that
        file the export is somebody else's: it is prepared as deep_sort_paddle
        does, and its input size and dimension are read from the model.
    threads : of the CPU; 0: one for each core.
    batch_sizes : how many crops may run together, falling to 1. Few sizes, because oneDNN keeps up to 160 MiB for
        each one it has seen, and prepares itself anew for half a second; `CPU_BATCHES` or `GPU_BATCHES` by default.
    allow_untrained : accept an export of random weights. For benchmarks alone:
        its vectors mean nothing.

    Attributes
    ----------
    preprocessing : how crops are prepared.

    Raises
    ------
    ModelError
        when the export is missing, unreadable, not what its sidecar says, or
        untrained.
    """

    def __init__(
        self,
        folder: Path,
        *,
        threads: int = 0,
        use_gpu: bool = False,
        batch_sizes: Sequence[int] | None = None,
        allow_untrained: bool = False,
    ) -> None:
        files = find_paddle_files(folder)
        if files is None:
            raise ModelError("model.weights_missing", model="the embedding network", path=str(folder))
        spec = read_spec(folder)
        if spec is not None and spec.origin == UNTRAINED and not allow_untrained:
            raise ModelError("model.untrained", path=str(folder))
        self._folder = folder
        self._batch_sizes = tuple(batch_sizes or (GPU_BATCHES if use_gpu else CPU_BATCHES))
        if self._batch_sizes != tuple(sorted(self._batch_sizes, reverse=True)) or self._batch_sizes[-1] != 1:
            raise ValueError(f"batch_sizes must fall to 1, they are {self._batch_sizes}")
        self._predictor = PaddlePredictor(files, threads=threads, use_gpu=use_gpu)
        if len(self._predictor.input_shapes) != 1:
            raise self._unreadable(f"one input is wanted, it has {', '.join(self._predictor.input_shapes)}")
        ((self._input_name, self._input_shape),) = self._predictor.input_shapes.items()
        if len(self._input_shape) != 4 or self._input_shape[1] not in (3, -1):
            raise self._unreadable(f"an input (N, 3, H, W) is wanted, it has {self._input_shape}")
        self.preprocessing = spec.preprocessing if spec else self._foreign_preprocessing()
        self.dimension = self._measure_dimension(spec)
        self.max_cosine_distance = spec.max_cosine_distance if spec else _FOREIGN_MAX_COSINE_DISTANCE
        name = spec.name if spec else "paddle"
        distances = spec.distances if spec else None
        self.info = ModelInfo(name, str(folder), "gpu" if use_gpu else "cpu", distances=distances)

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        """Return (N, D) float32 of unit length; see `Embedder.embed`."""
        vectors = np.empty((len(crops_bgr), self.dimension), np.float32)
        start = 0
        while start < len(crops_bgr):
            size = next(size for size in self._batch_sizes if size <= len(crops_bgr) - start)
            batch = crops_bgr[start : start + size]
            vectors[start : start + size] = self.run(prepare_crops(batch, self.preprocessing))
            start += size
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors

    def run(self, tensor: FloatArray) -> FloatArray:
        """Return (N, D) float32 as the network gives it, for (N, 3, H, W) float32 of `preprocessing`; N ≥ 1."""
        output = self._predictor.run({self._input_name: tensor})[0]
        vectors: FloatArray = output.reshape(len(tensor), -1).astype(np.float32)
        return vectors

    def _measure_dimension(self, spec: EmbeddingSpec | None) -> int:
        """Run the network once on black crops; that also warms it up."""
        black = np.zeros((8, 8, 3), np.uint8)
        dimension: int = self.run(prepare_crops([black], self.preprocessing)).shape[1]
        if spec is not None and dimension != spec.dimension:
            raise self._unreadable(f"its vectors have {dimension} values, its sidecar says {spec.dimension}")
        return dimension

    def _foreign_preprocessing(self) -> Preprocessing:
        """Return deep_sort_paddle's steps, ending in the size that the model declares, if it does."""
        defaults = Preprocessing()
        height, width = self._input_shape[2:]
        if height < 1 or width < 1:
            return defaults
        return Preprocessing(sizes_wh=(*defaults.sizes_wh[:-1], (width, height)))

    def _unreadable(self, detail: str) -> ModelError:
        return ModelError("model.export_unreadable", path=str(self._folder), detail=detail)

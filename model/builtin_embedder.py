"""The embedder of people that comes with the program: small, trained on rendered people alone.

`model/shipped/EMBEDDER.md` says how it was made and what it reaches on real footage.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from errors import ModelError
from model.onnx_session import open_session
from records import DistanceScale, FloatArray, Image, ModelInfo, Notice

WEIGHTS = Path(__file__).resolve().parent / "shipped" / "embedder.onnx"
DIMENSION = 128

_WIDTH, _HEIGHT = 64, 128
_MAX_BATCH = 32
_MAX_COSINE_DISTANCE = 0.3
_DISTANCES = DistanceScale(usual_same=0.136, spread_same=0.09, usual_other=0.606, spread_other=0.225)
"""Measured on PETS09-S2L1 by ``python -m bench.appearance``."""


class BuiltinEmbedder:
    """Describe crops of people with the shipped network.

    Parameters
    ----------
    path : ONNX file with one input (N, 3, 128, 64) float32, RGB 0 to 255, and one output (N, 128), vectors of unit
        length, as `synth.embedder.export` writes it; N is free.
    threads : of the network; 0: onnxruntime's choice.

    Raises
    ------
    ModelError
        when the file is missing, unreadable or not such a network, or when the GPU is asked for and onnxruntime
        cannot use one.
    """

    dimension = DIMENSION
    max_cosine_distance = _MAX_COSINE_DISTANCE

    def __init__(
        self,
        path: Path = WEIGHTS,
        *,
        threads: int = 0,
        use_gpu: bool = False,
        notices: tuple[Notice, ...] = (),
    ) -> None:
        if not path.is_file():
            raise ModelError("model.weights_missing", model="builtin", path=str(path))
        self.info = ModelInfo("builtin", str(path), "gpu" if use_gpu else "cpu", notices, distances=_DISTANCES)
        self._session = open_session(path, threads=threads, use_gpu=use_gpu)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shapes = ([entry.shape[1:] for entry in inputs], [entry.shape[1:] for entry in outputs])
        if shapes != ([[3, _HEIGHT, _WIDTH]], [[DIMENSION]]):
            detail = f"an input (N, 3, {_HEIGHT}, {_WIDTH}) and an output (N, {DIMENSION}) are wanted, not {shapes}"
            raise ModelError("model.export_unreadable", path=str(path), detail=detail)
        self._input_name = inputs[0].name

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        """Return (N, 128) float32 vectors of unit length; see `Embedder.embed`."""
        parts = [
            self._session.run(None, {self._input_name: _pixels(crops_bgr[start : start + _MAX_BATCH])})[0]
            for start in range(0, len(crops_bgr), _MAX_BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, DIMENSION), np.float32)


def _pixels(crops_bgr: Sequence[Image]) -> FloatArray:
    """Return (N, 3, 128, 64) float32 RGB, 0 to 255."""
    pixels = np.empty((len(crops_bgr), 3, _HEIGHT, _WIDTH), np.float32)
    for row, crop in enumerate(crops_bgr):
        # Averaging where it shrinks, as the training's cameras do: plain bilinear picks single pixels of large crops.
        is_larger = crop.shape[0] > _HEIGHT and crop.shape[1] > _WIDTH
        resized = cv2.resize(crop, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA if is_larger else cv2.INTER_LINEAR)
        pixels[row] = resized[..., ::-1].transpose(2, 0, 1)
    return pixels

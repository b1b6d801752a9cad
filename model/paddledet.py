"""Detectors exported by PaddleDetection: ``infer_cfg.yml`` and the model beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxes import clip_to_frame
from errors import ModelError
from model.paddle_files import find_paddle_files
from model.paddle_runtime import PaddlePredictor
from model.paddledet_config import CONFIG_NAME, Prepared, read_config
from records import Detections, FloatArray, Image, ModelInfo

DEFAULT_THRESHOLD = 0.5

_INPUT_NAMES = ("image", "im_shape", "scale_factor")


class PaddleDetector:
    """Find people and vehicles with a PaddleDetection export.

    Parameters
    ----------
    folder : ``infer_cfg.yml``, and the model as ``.json``, ``.pdmodel`` or
        ``__model__`` with its parameters.
    threshold : lowest score of a box that is returned.
    threads : of the CPU; 0: one for each core.

    Raises
    ------
    ModelError
        when files are missing or unreadable, when the configuration asks for a
        step that is not known, or names no class of ours.
    """

    def __init__(
        self, folder: Path, *, threshold: float = DEFAULT_THRESHOLD, threads: int = 0, use_gpu: bool = False
    ) -> None:
        files = find_paddle_files(folder)
        if files is None or not (folder / CONFIG_NAME).is_file():
            raise ModelError("model.weights_missing", model=f"paddledet ({CONFIG_NAME} and model)", path=str(folder))
        self._config = read_config(folder / CONFIG_NAME)
        self._folder = folder
        self._threshold = threshold
        self._predictor = PaddlePredictor(files, threads=threads, use_gpu=use_gpu)
        foreign = sorted(self._predictor.input_shapes.keys() - set(_INPUT_NAMES))
        if foreign:
            raise self._unreadable(f"it wants inputs {', '.join(foreign)}; only {', '.join(_INPUT_NAMES)} can be given")
        self._is_batch_free = all(shape[:1] == (-1,) for shape in self._predictor.input_shapes.values())
        self.info = ModelInfo("paddledet", str(folder), "gpu" if use_gpu else "cpu")

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        """Return the people and vehicles in each picture; see `Detector.detect`."""
        prepared = [self._config.prepare(image) for image in images_bgr]
        shapes = {item.tensor.shape for item in prepared}
        if self._is_batch_free and len(shapes) == 1:
            rows_by_image = self._run(prepared)
        else:
            rows_by_image = [self._run([item])[0] for item in prepared]
        return [
            self._to_detections(rows, image.shape[1], image.shape[0])
            for rows, image in zip(rows_by_image, images_bgr, strict=True)
        ]

    def _run(self, batch: Sequence[Prepared]) -> list[FloatArray]:
        """Return the (N, 6) rows class, score, x1, y1, x2, y2 of each picture, in its own pixels."""
        feeds = {
            "image": np.stack([item.tensor for item in batch]),
            "im_shape": np.array([item.size_hw for item in batch], np.float32),
            "scale_factor": np.array([item.scales_yx for item in batch], np.float32),
        }
        outputs = self._predictor.run(feeds)
        rows, counts = self._rows_and_counts(outputs, len(batch))
        return np.split(rows, np.cumsum(counts)[:-1])

    def _rows_and_counts(self, outputs: Sequence[NDArray[Any]], batch: int) -> tuple[FloatArray, NDArray[Any]]:
        if not outputs or outputs[0].ndim != 2 or outputs[0].shape[1] != 6:
            # Old exports answer a picture without boxes with a single -1.
            if batch == 1 and outputs and outputs[0].size == 1:
                return np.zeros((0, 6), np.float32), np.zeros(1, np.int64)
            shapes = [output.shape for output in outputs]
            raise self._unreadable(f"rows of class, score, x1, y1, x2, y2 are wanted, its outputs have shapes {shapes}")
        rows = outputs[0].astype(np.float32)
        counts = outputs[1].reshape(-1) if len(outputs) > 1 else np.array([len(rows)])
        if len(counts) != batch or counts.sum() != len(rows):
            raise self._unreadable(f"it counts {counts.tolist()} boxes for {batch} pictures and gives {len(rows)}")
        return rows, counts

    def _to_detections(self, rows: FloatArray, width: int, height: int) -> Detections:
        classes = rows[:, 0].astype(np.int64)
        is_label = (classes >= 0) & (classes < len(self._config.class_ids))
        class_ids = self._config.class_ids[np.where(is_label, classes, 0)]
        keep = is_label & (class_ids >= 0) & (rows[:, 1] >= self._threshold)
        rows, class_ids = rows[keep], class_ids[keep]
        order = np.argsort(-rows[:, 1], kind="stable")
        return Detections(clip_to_frame(rows[order, 2:], width, height), rows[order, 1], class_ids[order])

    def _unreadable(self, detail: str) -> ModelError:
        return ModelError("model.export_unreadable", path=str(self._folder), detail=detail)

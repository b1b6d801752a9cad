"""YOLOX exported to ONNX, run by onnxruntime: people and COCO's road vehicles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from boxes import clip_to_frame, non_maximum_suppression
from errors import ModelError
from model.onnx_session import open_session
from records import CLASS_KINDS, Detections, FloatArray, Image, Kind, ModelInfo

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEFAULT_THRESHOLD = 0.5
"""For a tracker that takes every box as it is; one that matches weak boxes in a second stage wants 0.1."""

_STRIDES = (8, 16, 32)
_KIND_IDS = np.array([list(Kind).index(kind) for kind in CLASS_KINDS], np.int64)
_PADDING = 114
_MAX_IOU = 0.6
DEFAULT_INPUT_SIDE = 640
_DYNAMIC_BATCH = 8
_COCO_CLASSES = 80
_CLASS_OF_COCO = {0: 0, 1: 1, 2: 2, 3: 3, 5: 4, 7: 5}  # person, bicycle, car, motorcycle, bus, truck


class YoloxDetector:
    """Find people and vehicles with a YOLOX network.

    Parameters
    ----------
    path : ONNX file with one input (N, 3, H, W), BGR 0 to 255, and one output
        (N, H·W/64 + H·W/256 + H·W/1024, 85): raw offsets, log sizes, objectness
        and the 80 classes of COCO, as YOLOX's own export writes it. N may be
        fixed or free, and so may H and W.
    threshold : lowest objectness × class probability of a box that is returned.
    threads : of the network; 0: onnxruntime's choice.
    input_side : long side of the network's input where the file leaves the sides free; a multiple of 32. The short
        side follows the picture then, so that no time goes into padding.

    Raises
    ------
    ModelError
        when the file is missing, unreadable or not such a network, or when
        the GPU is asked for and onnxruntime cannot use one.
    """

    def __init__(
        self,
        path: Path,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        threads: int = 0,
        use_gpu: bool = False,
        input_side: int = DEFAULT_INPUT_SIDE,
    ) -> None:
        if input_side < _STRIDES[-1] or input_side % _STRIDES[-1]:
            raise ValueError(f"input_side must be a multiple of {_STRIDES[-1]}, not {input_side}")
        if not path.is_file():
            raise ModelError("model.weights_missing", model="yolox", path=str(path))
        self.info = ModelInfo("yolox", str(path), "gpu" if use_gpu else "cpu")
        self._threshold = threshold
        self._session = open_session(path, threads=threads, use_gpu=use_gpu)
        self._input_side = input_side
        self._input_name, self._fixed_batch, self._fixed_size = _check_input(self._session, path)
        self._grids: dict[tuple[int, int], tuple[FloatArray, FloatArray]] = {}
        cells = None if self._fixed_size is None else len(self._grid(self._fixed_size)[0])
        _check_output(self._session, path, cells)
        self._class_of_coco = np.full(_COCO_CLASSES, -1, np.int64)
        self._class_of_coco[list(_CLASS_OF_COCO)] = list(_CLASS_OF_COCO.values())

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        """Return the people and vehicles in each picture; see `Detector.detect`."""
        limit = self._fixed_batch or _DYNAMIC_BATCH
        found: list[Detections] = []
        for size, same in groupby(images_bgr, self._input_size):
            images = list(same)
            for start in range(0, len(images), limit):
                found += self._detect_batch(images[start : start + limit], size)
        return found

    def _detect_batch(self, images_bgr: Sequence[Image], size: tuple[int, int]) -> list[Detections]:
        """Return the boxes of a few pictures; ``size`` is the input's height and width."""
        cells = len(self._grid(size)[0])
        tensor = np.full((self._fixed_batch or len(images_bgr), 3, *size), _PADDING, np.float32)
        scales = [_letterbox(image, tensor[row]) for row, image in enumerate(images_bgr)]
        (outputs,) = self._session.run(None, {self._input_name: tensor})
        if outputs.shape[1:] != (cells, 5 + _COCO_CLASSES):
            detail = f"it answers in shape {outputs.shape}, not (N, {cells}, {5 + _COCO_CLASSES})"
            raise ModelError("model.export_unreadable", path=self.info.source, detail=detail)
        return [
            self._decode(output, size, scale, image.shape[1], image.shape[0])
            for output, scale, image in zip(outputs, scales, images_bgr, strict=False)  # a fixed batch has spare rows
        ]

    def _input_size(self, image_bgr: Image) -> tuple[int, int]:
        """Return the height and width of the input for a picture."""
        if self._fixed_size is not None:
            return self._fixed_size
        height, width = (
            math.ceil(side * self._input_side / max(image_bgr.shape[:2]) / _STRIDES[-1]) * _STRIDES[-1]
            for side in image_bgr.shape[:2]
        )
        return height, width

    def _grid(self, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
        """Return the cells and strides of an input of this height and width; see `_grid`."""
        if size not in self._grids:
            self._grids[size] = _grid(*size)
        return self._grids[size]

    def _decode(self, output: FloatArray, size: tuple[int, int], scale: float, width: int, height: int) -> Detections:
        """Return the boxes of one picture from (cells, 85) raw values.

        centre = (offset + cell)·stride, size = exp(log size)·stride (YOLOX, arXiv 2107.08430).
        """
        likely = np.flatnonzero(output[:, 4] >= self._threshold)  # no class probability exceeds 1
        rows = output[likely]
        coco = rows[:, 5:].argmax(axis=1)
        scores = rows[:, 4] * rows[np.arange(len(rows)), 5 + coco]
        class_ids = self._class_of_coco[coco]
        keep = (scores >= self._threshold) & (class_ids >= 0)
        rows, scores, class_ids, likely = rows[keep], scores[keep], class_ids[keep], likely[keep]
        cells, cell_strides = self._grid(size)
        strides = cell_strides[likely][:, None]
        centres = (rows[:, :2] + cells[likely]) * strides
        halves = np.exp(rows[:, 2:4]) * strides / 2
        boxes_xyxy = (np.concatenate([centres - halves, centres + halves], axis=1) / scale).astype(np.float32)
        # Within a kind, not a class: one van is often found as a car and as a truck.
        chosen = non_maximum_suppression(boxes_xyxy, scores, _KIND_IDS[class_ids], _MAX_IOU)
        return Detections(clip_to_frame(boxes_xyxy[chosen], width, height), scores[chosen], class_ids[chosen])


def _letterbox(image_bgr: Image, tensor: FloatArray) -> float:
    """Write the picture, scaled to fit, into the top left of (3, H, W); return the scale."""
    height, width = image_bgr.shape[:2]
    scale: float = min(tensor.shape[1] / height, tensor.shape[2] / width)
    new_width, new_height = max(1, int(width * scale)), max(1, int(height * scale))
    resized = cv2.resize(image_bgr, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    tensor[:, :new_height, :new_width] = resized.transpose(2, 0, 1)
    return scale


def _check_input(session: InferenceSession, path: Path) -> tuple[str, int | None, tuple[int, int] | None]:
    """Return the input's name, its batch size and its height and width; None for what is free."""
    inputs = session.get_inputs()
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3:
        detail = f"one input (N, 3, H, W) is wanted, it has {[(i.name, i.shape) for i in inputs]}"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail)
    batch = shape[0] if isinstance(shape[0], int) else None
    height, width = shape[2:]
    if isinstance(height, int) != isinstance(width, int):
        detail = f"both sides of the input must be fixed or both free, they are {height} and {width}"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail)
    if not isinstance(height, int):
        return inputs[0].name, batch, None
    if height % _STRIDES[-1] or width % _STRIDES[-1]:
        detail = f"the input's sides must be multiples of {_STRIDES[-1]}, they are {height} and {width}"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail)
    return inputs[0].name, batch, (height, width)


def _check_output(session: InferenceSession, path: Path, cells: int | None) -> None:
    """Refuse another output than (N, ``cells``, 85); None: the number of cells is free."""
    outputs = session.get_outputs()
    shape = outputs[0].shape
    wanted = (cells, 5 + _COCO_CLASSES)
    fits = len(outputs) == 1 and len(shape) == 3
    fits = fits and all(
        want is None or not isinstance(got, int) or got == want for got, want in zip(shape[1:], wanted, strict=True)
    )
    if not fits:
        sides = f"(N, {cells or 'cells'}, {wanted[1]})"
        detail = f"one output {sides} is wanted, it has {[(o.name, o.shape) for o in outputs]}"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail)


def _grid(height: int, width: int) -> tuple[FloatArray, FloatArray]:
    """Return (A, 2) cell positions x, y and (A,) strides, in the order of the output's rows."""
    cells: list[NDArray[np.float32]] = []
    strides: list[NDArray[np.float32]] = []
    for stride in _STRIDES:
        y, x = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))
        strides.append(np.full(x.size, stride, np.float32))
    return np.concatenate(cells), np.concatenate(strides)

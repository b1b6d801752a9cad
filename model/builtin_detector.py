"""The detector that comes with the program: small, trained on rendered people and vehicles alone.

`model/shipped/DETECTOR.md` says how it was made and what it reaches on real footage.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from boxes import clip_to_frame, non_maximum_suppression
from errors import ModelError
from model.onnx_session import open_session
from records import CLASS_KINDS, CLASS_NAMES, Detections, FloatArray, Image, Kind, ModelInfo, Notice

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

WEIGHTS = Path(__file__).resolve().parent / "shipped" / "detector.onnx"
DEFAULT_THRESHOLD = 0.5
"""For a tracker that takes every box as it is; one that matches weak boxes in a second stage wants 0.1."""
INPUT_SIDES = (416, 640)
"""Smallest and largest long side of the input where none is given; between them two thirds of the picture's."""

_STEP = 32
_PADDING = 114
_MAX_IOU = 0.6
_CANDIDATES = 600
_GPU_BATCH = 32
_KIND_IDS = np.array([list(Kind).index(kind) for kind in CLASS_KINDS], np.int64)


class BuiltinDetector:
    """Find people and vehicles with the shipped network.

    Parameters
    ----------
    path : ONNX file with one input (N, 3, H, W), BGR 0 to 255, H and W free multiples of 32, and the outputs
        (N, A, 4) boxes in pixels of the input and (N, A, classes) scores 0 to 1, as `synth.detector.export` writes it.
    threshold : lowest score of a box that is returned.
    threads : of the network; 0: onnxruntime's choice.
    input_side : pictures are scaled so that their long side has this many pixels, a multiple of 32; None: as
        `default_input_side` says.

    Raises
    ------
    ModelError
        when the file is missing, unreadable or not such a network, or when
        the GPU is asked for and onnxruntime cannot use one.
    ValueError
        when no stride divides the input side.
    """

    def __init__(
        self,
        path: Path = WEIGHTS,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        threads: int = 0,
        use_gpu: bool = False,
        input_side: int | None = None,
        notices: tuple[Notice, ...] = (),
    ) -> None:
        if input_side is not None and (input_side < _STEP or input_side % _STEP):
            raise ValueError(f"input_side must be a multiple of {_STEP}, not {input_side}")
        if not path.is_file():
            raise ModelError("model.weights_missing", model="builtin", path=str(path))
        self.info = ModelInfo("builtin", str(path), "gpu" if use_gpu else "cpu", notices)
        self._threshold = threshold
        self._input_side = input_side
        self._batch = _GPU_BATCH if use_gpu else 1
        self._session = open_session(path, threads=threads, use_gpu=use_gpu)
        self._input_name = _check(self._session, path)

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        """Return the people and vehicles in each picture; see `Detector.detect`."""
        found: list[Detections] = []
        for _, same in groupby(images_bgr, lambda image: image.shape):
            images = list(same)
            for start in range(0, len(images), self._batch):
                found += self._detect_alike(images[start : start + self._batch])
        return found

    def _detect_alike(self, images_bgr: Sequence[Image]) -> list[Detections]:
        """Return the boxes of a few pictures of one size."""
        tensors, scales = zip(*map(self._letterbox, images_bgr), strict=True)
        answers = self._session.run(None, {self._input_name: np.concatenate(tensors)})
        height, width = images_bgr[0].shape[:2]
        return [
            self._select(boxes / np.float32(scale), scores, width, height)
            for boxes, scores, scale in zip(*answers, scales, strict=True)
        ]

    def _letterbox(self, image_bgr: Image) -> tuple[FloatArray, float]:
        """Return (1, 3, H, W), the picture in its top left and at most 31 rows or columns of grey, and the scale."""
        height, width = image_bgr.shape[:2]
        side = self._input_side or default_input_side(max(height, width))
        scale = side / max(height, width)
        new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
        padded = (-(-new_height // _STEP) * _STEP, -(-new_width // _STEP) * _STEP)
        tensor = np.full((1, 3, *padded), _PADDING, np.float32)
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(image_bgr, (new_width, new_height), interpolation=flags)
        tensor[0, :, :new_height, :new_width] = resized.transpose(2, 0, 1)
        return tensor, scale

    def _select(self, boxes_xyxy: FloatArray, scores: FloatArray, width: int, height: int) -> Detections:
        """Return what is left of the answers of all cells: (A, 4) boxes and (A, classes) scores."""
        class_ids = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), class_ids]
        likely = np.flatnonzero(best >= self._threshold)
        likely = likely[np.argsort(-best[likely], kind="stable")[:_CANDIDATES]]
        boxes = clip_to_frame(boxes_xyxy[likely], width, height)
        # Within a kind, not a class: one van is often found as a car and as a truck.
        chosen = non_maximum_suppression(boxes, best[likely], _KIND_IDS[class_ids[likely]], _MAX_IOU)
        kept = likely[chosen]
        return Detections(boxes[chosen], best[kept].astype(np.float32), class_ids[kept].astype(np.int64))


def default_input_side(long_side: int) -> int:
    """Return the long side of the network's input for a picture: smaller pictures show larger people."""
    smallest, largest = INPUT_SIDES
    return min(max(round(long_side * 2 / 3 / _STEP) * _STEP, smallest), largest)


def _check(session: InferenceSession, path: Path) -> str:
    """Return the input's name."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = len(inputs) == 1 and len(inputs[0].shape) == 4 and len(outputs) == 2
    fits = fits and outputs[0].shape[-1] == 4 and outputs[1].shape[-1] == len(CLASS_NAMES)
    if not fits:
        shapes = [(value.name, value.shape) for value in (*inputs, *outputs)]
        detail = (
            f"an input (N, 3, H, W) and outputs (N, A, 4) and (N, A, {len(CLASS_NAMES)}) are wanted, it has {shapes}"
        )
        raise ModelError("model.export_unreadable", path=str(path), detail=detail)
    return str(inputs[0].name)

"""PaddleDetection's ``infer_cfg.yml``: how a picture is prepared, and what the classes are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from errors import ModelError
from records import CLASS_NAMES, FloatArray, Image, IntArray

CONFIG_NAME = "infer_cfg.yml"

_CLASS_OF_LABEL = {
    **{name: name for name in CLASS_NAMES},
    "pedestrian": "person",
    "people": "person",
    "bike": "bicycle",
    "van": "car",
    "vehicle": "car",
    "motorbike": "motorcycle",
    "motor": "motorcycle",
}
_INTERPOLATIONS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4)


@dataclass(frozen=True, eq=False)
class Prepared:
    """One picture as the network takes it.

    Attributes
    ----------
    tensor : (3, H, W) float32, RGB.
    size_hw : height and width after resizing, without padding.
    scales_yx : size after resizing over size before.
    """

    tensor: FloatArray
    size_hw: tuple[float, float]
    scales_yx: tuple[float, float]


@dataclass(frozen=True, eq=False)
class _Step:
    """A picture on its way: (H, W, 3) RGB, uint8 or float32."""

    pixels: NDArray[Any]
    size_hw: tuple[float, float]
    scales_yx: tuple[float, float]


@dataclass(frozen=True, eq=False)
class DetectorConfig:
    """What `read_config` found.

    Attributes
    ----------
    class_ids : (labels,) index into `records.CLASS_NAMES` of each label; -1 for those that are none of ours.
    """

    architecture: str
    class_ids: IntArray
    _steps: tuple[Callable[[_Step], _Step], ...]

    def prepare(self, image_bgr: Image) -> Prepared:
        """Return the picture as the network takes it."""
        height, width = image_bgr.shape[:2]
        step = _Step(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), (float(height), float(width)), (1.0, 1.0))
        for function in self._steps:
            step = function(step)
        tensor = np.ascontiguousarray(step.pixels.transpose(2, 0, 1), np.float32)
        return Prepared(tensor, step.size_hw, step.scales_yx)


def read_config(path: Path) -> DetectorConfig:
    """Read ``infer_cfg.yml``.

    Raises
    ------
    ModelError
        when it is no YAML, lacks an entry, asks for an unknown step, or none of
        its labels is a class of ours.
    """
    try:
        document = yaml.safe_load(path.read_bytes())
        labels = [str(label) for label in document["label_list"]]
        names = [str(entry["type"]) for entry in document["Preprocess"]]
        unknown = [name for name in names if name not in _BUILDERS]
        if unknown:
            raise _unreadable(path, f"its step {unknown[0]} is not known; known are {', '.join(_BUILDERS)}")
        if "Permute" not in names:
            raise _unreadable(path, "its steps lack Permute, so channels would not come first")
        steps = tuple(_BUILDERS[name](entry) for name, entry in zip(names, document["Preprocess"], strict=True))
        architecture = str(document.get("arch", ""))
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        raise _unreadable(path, f"{path.name} is not as exported ({detail})") from error
    chosen = [_CLASS_OF_LABEL.get(label.strip().lower()) for label in labels]
    class_ids = np.array([-1 if name is None else CLASS_NAMES.index(name) for name in chosen], np.int64)
    if not (class_ids >= 0).any():
        raise _unreadable(path, f"none of its labels ({', '.join(labels[:10])}) is a person or a road vehicle")
    return DetectorConfig(architecture, class_ids, steps)


def _resize(entry: Mapping[str, Any]) -> Callable[[_Step], _Step]:
    """Resize to ``target_size`` (height, width); with keep_ratio the sides stay within it, whichever way it lies."""
    target = entry["target_size"]
    target_hw = (int(target), int(target)) if isinstance(target, int) else (int(target[0]), int(target[1]))
    keep_ratio, interpolation = bool(entry.get("keep_ratio", True)), int(entry.get("interp", cv2.INTER_LINEAR))
    if min(target_hw) < 1 or interpolation not in _INTERPOLATIONS:
        raise ValueError(f"target_size {target_hw} and interp {interpolation} cannot be used")

    def resize(step: _Step) -> _Step:
        height, width = step.pixels.shape[:2]
        if keep_ratio:
            scale = min(target_hw) / min(height, width)
            if round(scale * max(height, width)) > max(target_hw):
                scale = max(target_hw) / max(height, width)
            scale_y = scale_x = scale
        else:
            scale_y, scale_x = target_hw[0] / height, target_hw[1] / width
        size_wh = (max(1, round(width * scale_x)), max(1, round(height * scale_y)))
        pixels = cv2.resize(step.pixels, size_wh, interpolation=interpolation)
        return _Step(pixels, (float(size_wh[1]), float(size_wh[0])), (scale_y, scale_x))

    return resize


def _normalise(entry: Mapping[str, Any]) -> Callable[[_Step], _Step]:
    norm_type = str(entry.get("norm_type", "mean_std"))
    if norm_type not in ("mean_std", "none"):
        raise ValueError(f"norm_type {norm_type} is not known; mean_std and none are")
    scale = np.float32(1 / 255 if entry.get("is_scale", True) else 1)
    mean, std = _channels(entry.get("mean", (0, 0, 0))), _channels(entry.get("std", (1, 1, 1)))
    if norm_type == "none":
        mean, std = _channels((0, 0, 0)), _channels((1, 1, 1))

    def normalise(step: _Step) -> _Step:
        pixels = (step.pixels.astype(np.float32) * scale - mean) / std
        return _Step(pixels, step.size_hw, step.scales_yx)

    return normalise


def _permute(entry: Mapping[str, Any]) -> Callable[[_Step], _Step]:
    """Do nothing: channels are put first once, after all steps."""
    return lambda step: step


def _pad(entry: Mapping[str, Any]) -> Callable[[_Step], _Step]:
    """Pad with zeros at the right and below to multiples of ``stride``."""
    stride = int(entry["stride"])

    def pad(step: _Step) -> _Step:
        if stride <= 0:
            return step
        height, width = step.pixels.shape[:2]
        margins = ((0, -height % stride), (0, -width % stride), (0, 0))
        return _Step(np.pad(step.pixels, margins), step.size_hw, step.scales_yx)

    return pad


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any]], Callable[[_Step], _Step]]] = {
    "Resize": _resize,
    "NormalizeImage": _normalise,
    "Permute": _permute,
    "PadStride": _pad,
}


def _channels(values: Sequence[float]) -> FloatArray:
    if len(values) != 3:
        raise ValueError(f"three values wanted, one a channel, not {list(values)}")
    return np.array(values, np.float32)


def _unreadable(path: Path, detail: str) -> ModelError:
    return ModelError("model.export_unreadable", path=str(path.parent), detail=detail)

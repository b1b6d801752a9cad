"""A slow, obvious ResNet-vd in NumPy, reading parameters by PaddleClas' names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def forward(parameters: Mapping[str, Array], pictures: Array, depths: tuple[int, ...]) -> Array:
    """Return (N, C) pooled features, or (N, D) where there is ``fc.weight``, for (N, 3, H, W)."""
    y = pictures
    for index, stride in enumerate((2, 1, 1)):
        y = _relu(_conv_norm(parameters, f"stem.{index}", y, stride))
    y = _max_pool(y)
    block = 0
    for stage, depth in enumerate(depths):
        for index in range(depth):
            y = _block(parameters, f"blocks.{block}", y, 2 if stage > 0 and index == 0 else 1)
            block += 1
    pooled = y.mean(axis=(2, 3))
    if "fc.weight" in parameters:
        pooled = pooled @ parameters["fc.weight"] + parameters["fc.bias"]
    return pooled


def _block(parameters: Mapping[str, Array], name: str, x: Array, stride: int) -> Array:
    is_bottleneck = f"{name}.conv2.conv.weight" in parameters
    strides = (1, stride, 1) if is_bottleneck else (stride, 1)
    y = x
    for index, own_stride in enumerate(strides):
        y = _conv_norm(parameters, f"{name}.conv{index}", y, own_stride)
        if index < len(strides) - 1:
            y = _relu(y)
    if f"{name}.short.conv.weight" in parameters:
        x = _conv_norm(parameters, f"{name}.short", _average_pool(x) if stride == 2 else x, 1)
    return _relu(x + y)


def _conv_norm(parameters: Mapping[str, Array], name: str, x: Array, stride: int) -> Array:
    kernel = parameters[f"{name}.conv.weight"]
    size = kernel.shape[2]
    margin = (size - 1) // 2
    padded = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    y = np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True)
    mean, variance = parameters[f"{name}.bn._mean"], parameters[f"{name}.bn._variance"]
    scale = parameters[f"{name}.bn.weight"] / np.sqrt(variance + 1e-5)
    return (y - mean[:, None, None]) * scale[:, None, None] + parameters[f"{name}.bn.bias"][:, None, None]


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _max_pool(x: Array) -> Array:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
    return windows.max(axis=(4, 5))


def _average_pool(x: Array) -> Array:
    """Average 2×2 pixels; at an odd border, the one or two that there are."""
    rows, columns = -(-x.shape[2] // 2), -(-x.shape[3] // 2)
    y = np.empty((*x.shape[:2], rows, columns))
    for row in range(rows):
        for column in range(columns):
            y[:, :, row, column] = x[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean(axis=(2, 3))
    return y

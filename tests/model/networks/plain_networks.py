"""Slow, obvious OSNet and ResNet-50 in NumPy, reading parameters by the names of torchreid and torchvision.

What normalises is seen from the parameters: running statistics mean batch
normalisation, none mean instance normalisation, ``IN`` and ``BN`` both halves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Parameters = Mapping[str, Array]


def osnet(p: Parameters, pictures: Array, *, is_norm_inside: bool) -> Array:
    """Return (N, D). ``is_norm_inside``: a block's instance normalisation comes before the sum (AIN), not after."""
    y = _relu(_norm(p, "conv1.bn", _conv(p, "conv1.conv", pictures, stride=2)))
    y = _max_pool(y, size=3, stride=2, margin=1)
    for stage in (2, 3, 4):
        for block in (0, 1):
            y = _osnet_block(p, f"conv{stage}.{block}", y, is_norm_inside=is_norm_inside)
        if stage < 4:
            y = _conv_norm(p, f"conv{stage}.2.0", y)
            rows, columns = y.shape[2] // 2, y.shape[3] // 2
            y = y[:, :, : 2 * rows, : 2 * columns].reshape(*y.shape[:2], rows, 2, columns, 2).mean(axis=(3, 5))
    pooled = _conv_norm(p, "conv5", y).mean(axis=(2, 3))
    linear = pooled @ p["fc.0.weight"].T + p["fc.0.bias"]
    return _relu(_norm(p, "fc.1", linear[:, :, None, None])[:, :, 0, 0])


def _osnet_block(p: Parameters, name: str, x: Array, *, is_norm_inside: bool) -> Array:
    y = _conv_norm(p, f"{name}.conv1", x)
    total = np.zeros_like(y)
    for letter, depth in (("a", 1), ("b", 2), ("c", 3), ("d", 4)):
        stream = y
        for index in range(depth):
            layer = f"{name}.conv2{letter}" + ("" if depth == 1 else f".{index}")
            stream = _conv(p, f"{layer}.conv1", stream)
            kernel = p[f"{layer}.conv2.weight"]
            alone = [_convolve(stream[:, c : c + 1], kernel[c : c + 1], 1) for c in range(len(kernel))]
            stream = _relu(_norm(p, f"{layer}.bn", np.concatenate(alone, axis=1)))
        gate = stream.mean(axis=(2, 3))
        gate = _relu(gate @ p[f"{name}.gate.fc1.weight"][:, :, 0, 0].T + p[f"{name}.gate.fc1.bias"])
        gate = gate @ p[f"{name}.gate.fc2.weight"][:, :, 0, 0].T + p[f"{name}.gate.fc2.bias"]
        total = total + stream / (1 + np.exp(-gate))[:, :, None, None]
    y = _conv(p, f"{name}.conv3.conv", total)
    if f"{name}.conv3.bn.weight" in p:
        y = _norm(p, f"{name}.conv3.bn", y)
    has_norm = f"{name}.IN.weight" in p
    if has_norm and is_norm_inside:
        y = _norm(p, f"{name}.IN", y)
    if f"{name}.downsample.conv.weight" in p:
        x = _norm(p, f"{name}.downsample.bn", _conv(p, f"{name}.downsample.conv", x))
    y = y + x
    return _relu(_norm(p, f"{name}.IN", y) if has_norm and not is_norm_inside else y)


def resnet50(p: Parameters, pictures: Array) -> Array:
    """Return (N, 2048), pooled."""
    y = _relu(_norm(p, "bn1", _conv(p, "conv1", pictures, stride=2)))
    y = _max_pool(y, size=3, stride=2, margin=1)
    for stage, depth in enumerate((3, 4, 6, 3), 1):
        for block in range(depth):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            x = y
            y = _relu(_norm(p, f"{name}.bn1", _conv(p, f"{name}.conv1", y)))
            y = _relu(_norm(p, f"{name}.bn2", _conv(p, f"{name}.conv2", y, stride=stride)))
            y = _norm(p, f"{name}.bn3", _conv(p, f"{name}.conv3", y))
            if block == 0:
                x = _norm(p, f"{name}.downsample.1", _conv(p, f"{name}.downsample.0", x, stride=stride))
            y = _relu(y + x)
    return y.mean(axis=(2, 3))


def _conv_norm(p: Parameters, name: str, x: Array) -> Array:
    return _relu(_norm(p, f"{name}.bn", _conv(p, f"{name}.conv", x)))


def _norm(p: Parameters, name: str, x: Array) -> Array:
    if f"{name}.IN.weight" in p:
        half = x.shape[1] // 2
        return np.concatenate([_norm(p, f"{name}.IN", x[:, :half]), _norm(p, f"{name}.BN", x[:, half:])], axis=1)
    if f"{name}.running_mean" in p:
        mean, variance = (p[f"{name}.running_{what}"][:, None, None] for what in ("mean", "var"))
    else:
        mean, variance = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * p[f"{name}.weight"][:, None, None] + p[f"{name}.bias"][:, None, None]


def _conv(p: Parameters, name: str, x: Array, *, stride: int = 1) -> Array:
    return _convolve(x, p[f"{name}.weight"], stride)


def _convolve(x: Array, kernel: Array, stride: int) -> Array:
    size = kernel.shape[2]
    margin = (size - 1) // 2
    padded = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True)


def _max_pool(x: Array, *, size: int, stride: int, margin: int) -> Array:
    padded = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.max(axis=(4, 5))


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)

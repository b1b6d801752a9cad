"""The network: depth-wise 5×5 blocks, a pyramid of three levels, boxes without anchors.

Every cell of the strides 8, 16 and 32 answers with the distances from its
middle to the four sides of a box (FCOS, arXiv 1904.01355) and with one score
for each class.
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, softplus

from records import CLASS_NAMES

STRIDES = (8, 16, 32)
_WIDTHS = (24, 48, 96, 144, 192)
_DEPTHS = (1, 3, 3, 2)
_NECK = 72
_MEAN = 0.45
_RARE = -4.6
"""Logit of 1 %: how often a cell holds something before anything is learnt (arXiv 1708.02002)."""
_FIRST_REACH = (0.55, 1.3)
"""Half width and half height of the first guesses, in units of two strides: people are upright."""


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.03),
        nn.SiLU(inplace=True),
    )


def _separable(inputs: int, outputs: int, kernel: int = 5, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_conv(inputs, inputs, kernel, stride, groups=inputs), _conv(inputs, outputs))


class _Blocks(nn.Module):
    """Residual blocks: point-wise, depth-wise 5×5, point-wise."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(_conv(width, width), _separable(width, width)) for _ in range(count))

    def forward(self, features: Tensor) -> Tensor:
        for block in self.blocks:
            features = features + block(features)
        return features


class Network(nn.Module):
    """Map (N, 3, H, W) RGB pictures, 0 to 1, H and W multiples of 32, to raw answers.

    The answers are (N, H·W/64 + H·W/256 + H·W/1024, 4 + classes), before `decode`.
    """

    def __init__(self, classes: int = len(CLASS_NAMES)) -> None:
        super().__init__()
        w0, w1, w2, w3, w4 = _WIDTHS
        self.stem = _conv(3, w0, 3, 2)
        self.stage1 = nn.Sequential(_separable(w0, w1, 3, 2), _Blocks(w1, _DEPTHS[0]))
        self.stage2 = nn.Sequential(_separable(w1, w2, 5, 2), _Blocks(w2, _DEPTHS[1]))
        self.stage3 = nn.Sequential(_separable(w2, w3, 5, 2), _Blocks(w3, _DEPTHS[2]))
        self.stage4 = nn.Sequential(_separable(w3, w4, 5, 2), _Blocks(w4, _DEPTHS[3]))
        self.lateral = nn.ModuleList(_conv(width, _NECK) for width in (w2, w3, w4))
        self.top_down = nn.ModuleList(_Blocks(_NECK, 1) for _ in range(2))
        self.down = nn.ModuleList(_separable(_NECK, _NECK, 5, 2) for _ in range(2))
        self.bottom_up = nn.ModuleList(_Blocks(_NECK, 1) for _ in range(2))
        self.heads = nn.ModuleList(
            nn.Sequential(_separable(_NECK, _NECK), _separable(_NECK, _NECK), nn.Conv2d(_NECK, 4 + classes, 1))
            for _ in STRIDES
        )
        for head in self.heads:
            last = cast(nn.Conv2d, cast(nn.Sequential, head)[-1])
            nn.init.normal_(last.weight, 0, 0.01)
            reach = torch.tensor([_FIRST_REACH[0], _FIRST_REACH[1]] * 2)
            with torch.no_grad():
                bias = cast(Tensor, last.bias)
                bias[:4] = torch.log(torch.expm1(reach))  # softplus gives the reach back
                bias[4:] = _RARE

    def forward(self, pictures: Tensor) -> Tensor:
        return self.answer(pictures - _MEAN)

    def answer(self, centred: Tensor) -> Tensor:
        """Return the raw answers to pictures whose middle grey is 0."""
        fine = self.stage2(self.stage1(self.stem(centred)))
        middle = self.stage3(fine)
        coarse = self.lateral[2](self.stage4(middle))
        middle = self.top_down[0](self.lateral[1](middle) + interpolate(coarse, scale_factor=2.0))
        fine = self.top_down[1](self.lateral[0](fine) + interpolate(middle, scale_factor=2.0))
        middle = self.bottom_up[0](middle + self.down[0](fine))
        coarse = self.bottom_up[1](coarse + self.down[1](middle))
        answers = [head(level).flatten(2) for head, level in zip(self.heads, (fine, middle, coarse), strict=True)]
        return torch.cat(answers, 2).permute(0, 2, 1)


def cells(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the (A, 2) middles x, y of all cells in pixels, and their (A,) strides."""
    middles, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        middles.append((torch.stack([x, y], 2).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((y.numel(),), float(stride)))
    return torch.cat(middles), torch.cat(strides)


def decode(answers: Tensor, middles: Tensor, strides: Tensor) -> Tensor:
    """Return (N, A, 4) boxes x1, y1, x2, y2 in pixels: each side lies 2 · stride · softplus(answer) away."""
    reach = softplus(answers[..., :4]) * (2 * strides[:, None])
    return torch.cat([middles - reach[..., :2], middles + reach[..., 2:]], -1)


class DecodedNetwork(nn.Module):
    """The network as it is shipped: BGR 0 to 255 in, boxes in pixels and scores 0 to 1 out, of any size.

    The order of the colours and their scale are in the weights of a copy's first layer.

    Parameters
    ----------
    scale, offset : scores are sigmoid(scale · answer + offset); see `synth.detector.calibrate`.
    """

    def __init__(self, network: Network, *, scale: float = 1.0, offset: float = 0.0) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset
        self.network = copy.deepcopy(network)
        first = cast(nn.Conv2d, self.network.stem[0])
        first.weight = nn.Parameter(first.weight.detach().flip(1) / 255)

    def forward(self, pictures_bgr: Tensor) -> tuple[Tensor, Tensor]:
        answers = self.network.answer(pictures_bgr - 255 * _MEAN)
        height, width = pictures_bgr.shape[2], pictures_bgr.shape[3]
        middles, strides = cells(height, width)
        return decode(answers, middles, strides), (self.scale * answers[..., 4:] + self.offset).sigmoid()

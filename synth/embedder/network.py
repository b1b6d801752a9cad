"""The network: soft colour histograms of stripes beside light convolutions, both weighted by a learned foreground.

Convolutions alone lose fine colour, which on small crops of one camera is most of what tells people apart; a
histogram alone knows neither who is the person nor what they wear. Here a pixel's colour goes softly into learned
bins, a small branch says which pixels are the person, and stripes are pooled by it. With a bin for each cell of HSV
and a bell over the middle as foreground this would be the descriptor of `model.hsv_stripes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

DIMENSION = 128
_SEEN = 6  # what is seen of a pixel: roots of RGB, two chromas, saturation


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Sizes of the network.

    Attributes
    ----------
    bins : colours that are told apart; 0 leaves the histograms out.
    bin_stripes, shape_stripes : horizontal stripes of histograms and of convolutions.
    width : channels of the convolutions after the stem; 0 leaves the branch out (but for the foreground).
    """

    bins: int = 48
    bin_stripes: int = 8
    shape_stripes: int = 4
    width: int = 32
    dimension: int = DIMENSION


def _block(inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Separable(nn.Module):
    """A residual block of two depthwise separable convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _block(channels, channels, 3, groups=channels),
            _block(channels, channels, 1),
            _block(channels, channels, 3, groups=channels),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.body(features))


class ColourEmbedder(nn.Module):
    """From crops (N, 3, 128, 64), RGB 0 to 1, to embeddings (N, 128) of unit length."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        width = layout.width or 16
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 6, 4, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.low = Separable(width)
        self.foreground = nn.Sequential(_block(width, 16, 3), _block(16, 16, 5, groups=16), nn.Conv2d(16, 1, 1))
        joint = 0
        if layout.bins:
            self.tint = nn.Linear(_SEEN, 24)
            self.bins = nn.Linear(24 + _SEEN, layout.bins)
            joint += layout.bins * layout.bin_stripes
        if layout.width:
            self.middle = nn.Sequential(
                _block(width, 2 * width, 3, stride=2), Separable(2 * width), Separable(2 * width)
            )
            self.high = nn.Sequential(_block(2 * width, 4 * width, 1), Separable(4 * width))
            joint += 4 * width * layout.shape_stripes
        self.joint = nn.Linear(joint, layout.dimension, bias=False)
        self.norm = nn.BatchNorm1d(layout.dimension)

    def forward(self, crops: Tensor) -> Tensor:
        return self.embed(crops)[0]

    def embed(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings of unit length and the foreground's logits (N, 1, 32, 16)."""
        low = self.low(self.stem(crops - 0.5))
        logits = self.foreground(low)
        weight = torch.sigmoid(logits)
        parts = []
        if self.layout.bins:
            parts.append(self._histograms(crops, weight))
        if self.layout.width:
            high = self.high(self.middle(low))
            pooled = self._pooled(high, functional.avg_pool2d(weight, 2), self.layout.shape_stripes)
            parts.append(pooled.flatten(1))
        joint = self.norm(self.joint(torch.cat(parts, 1)))
        return functional.normalize(joint), logits

    def _histograms(self, crops: Tensor, weight: Tensor) -> Tensor:
        """Return (N, stripes · bins), the square roots of soft histograms."""
        small = functional.avg_pool2d(crops, (4, 2)).permute(0, 2, 3, 1)
        top, low, grey = small.amax(3, keepdim=True), small.amin(3, keepdim=True), small.mean(3, keepdim=True)
        chroma = (small - grey) / (grey + 0.1)
        seen = torch.cat([small.sqrt(), chroma[..., :2], (top - low) / (top + 0.05)], 3)
        shares = torch.softmax(4 * self.bins(torch.cat([torch.relu(self.tint(seen)), seen], 3)), 3)
        stripes = self.layout.bin_stripes
        shares = shares.reshape(len(crops), stripes, -1, self.layout.bins)
        fine = functional.interpolate(weight, scale_factor=(1.0, 2.0), mode="nearest")
        fine = fine.reshape(len(crops), stripes, 1, -1)
        pooled = torch.matmul(fine, shares)[:, :, 0] / (fine.sum(3) + 0.5)
        return (pooled + 1e-4).sqrt().flatten(1)

    @staticmethod
    def _pooled(features: Tensor, weight: Tensor, stripes: int) -> Tensor:
        """Return (N, C, stripes): means over horizontal stripes by weight."""
        rows = features.shape[2] // stripes
        summed = functional.avg_pool2d(features * weight, (rows, features.shape[3]))
        total = functional.avg_pool2d(weight, (rows, features.shape[3]))
        return (summed / (total + 0.02))[..., 0]

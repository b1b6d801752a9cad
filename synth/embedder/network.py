"""The network: soft colour histograms of stripes, of the pixels that a few convolutions take for the person.

On small crops of one camera colours are most of what tells people apart. Convolutions to an embedding learn rendered
people by heart and lose fine colour; a histogram alone does not know who in the crop is the person. Here a pixel's
colour goes softly into learned bins, convolutions say which pixels count, and a learned layer joins the stripes. With
a bin for each cell of HSV and a bell over the middle this would be the descriptor of `model.hsv_stripes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

DIMENSION = 128
_SEEN = 6
_PIXELS = 32 * 32


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Sizes of the network.

    Attributes
    ----------
    bins : colours that are told apart.
    stripes : horizontal ones, each with a histogram.
    width : channels of the convolutions.
    """

    bins: int = 80
    stripes: int = 8
    width: int = 32


def colours_seen(crops: Tensor) -> Tensor:
    """Return (N, 32, 32, 6): roots of RGB, two chromas and the saturation of crops (N, 3, 128, 64), shrunk."""
    small = functional.avg_pool2d(crops, (4, 2)).permute(0, 2, 3, 1)
    top, low, grey = small.amax(3, keepdim=True), small.amin(3, keepdim=True), small.mean(3, keepdim=True)
    chroma = (small - grey) / (grey + 0.1)
    return torch.cat([(small + 1e-4).sqrt(), chroma[..., :2], (top - low) / (top + 0.05)], 3)


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
        width = layout.width
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 6, 4, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.low = Separable(width)
        self.foreground = nn.Sequential(_block(width, 16, 3), _block(16, 16, 5, groups=16), nn.Conv2d(16, 1, 1))
        self.tint = nn.Linear(_SEEN, 24)
        self.bins = nn.Linear(24 + _SEEN, layout.bins)
        self.joint = nn.Linear(layout.bins * layout.stripes, DIMENSION, bias=False)
        self.norm = nn.BatchNorm1d(DIMENSION, affine=False)

    def forward(self, crops: Tensor) -> Tensor:
        """Return embeddings (N, 128) of unit length."""
        return functional.normalize(self.see(crops)[0])

    def see(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings before they are scaled, and the foreground's logits (N, 1, 32, 16)."""
        logits = self.foreground(self.low(self.stem(crops - 0.5)))
        return self.norm(self.joint(self.histograms(crops, torch.sigmoid(logits)))), logits

    def histograms(self, crops: Tensor, weight: Tensor) -> Tensor:
        """Return (N, stripes · bins), the square roots of soft histograms of pixels by ``weight`` (N, 1, 32, 16)."""
        seen = colours_seen(crops)
        shares = torch.softmax(self.bins(torch.cat([torch.relu(self.tint(seen)), seen], 3)), 3)
        stripes = self.layout.stripes
        shares = shares.reshape(-1, stripes, _PIXELS // stripes, self.layout.bins)
        fine = functional.interpolate(weight, scale_factor=(1.0, 2.0), mode="nearest")
        fine = fine.reshape(-1, stripes, 1, _PIXELS // stripes)
        pooled = torch.matmul(fine, shares)[:, :, 0] / (fine.sum(3) + 0.5)
        return (pooled + 1e-4).sqrt().flatten(1)

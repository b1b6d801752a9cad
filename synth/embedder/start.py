"""A start from which the network is a histogram already, so that training only has to improve on it.

The bins begin at the colours that clothes have (k-means), the last layer at the principal directions of the
histograms, which keep their distances.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from synth.embedder.network import DIMENSION, ColourEmbedder, colours_seen

_SHARPNESS = 60.0
_PIXELS, _ROUNDS = 12_000, 20


@torch.no_grad()
def start_from_colours(network: ColourEmbedder, crops: Tensor, masks: Tensor, generator: torch.Generator) -> None:
    """Set the bins and the last layer.

    Parameters
    ----------
    crops : (N, 3, 128, 64) RGB 0 to 1, N at least `DIMENSION`.
    masks : (N, 1, 32, 16), how much of each cell is the person.
    """
    seen = colours_seen(crops)
    is_person = functional.interpolate(masks, scale_factor=(1.0, 2.0))[:, 0] > 0.7
    pixels = seen[is_person]
    pixels = pixels[torch.randperm(len(pixels), generator=generator)[:_PIXELS]]
    centres = _k_means(pixels, network.layout.bins, generator)
    # softmax of −β·|x − c|² is softmax of β·(2 c·x − |c|²)
    network.bins.weight.zero_()
    network.bins.weight[:, -seen.shape[3] :] = 2 * _SHARPNESS * centres
    network.bins.bias.copy_(-_SHARPNESS * (centres**2).sum(1))
    network.train()
    described = network.histograms(crops, torch.sigmoid(network.see(crops)[1]))
    directions = torch.linalg.svd(described - described.mean(0), full_matrices=False).Vh
    size = DIMENSION
    # A random turn shares the variance out over all numbers of the embedding, which its normalisation then keeps.
    turn = torch.linalg.qr(torch.randn(size, size, generator=generator)).Q
    network.joint.weight.copy_(turn @ directions[:size])


def _k_means(pixels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return (count, C) centres of clusters."""
    centres = pixels[torch.randperm(len(pixels), generator=generator)[:count]].clone()
    for _ in range(_ROUNDS):
        nearest = torch.cdist(pixels, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, pixels)
        sizes = torch.bincount(nearest, minlength=count)[:, None]
        centres = torch.where(sizes > 0, sums / sizes.clamp_min(1), centres)
    return centres

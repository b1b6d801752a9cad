"""Which cells answer for which box: task alignment (TOOD, arXiv 2108.07755), as batched tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_TOP = 9
_ALPHA, _BETA = 1.0, 4.0
_NEAR = 1.5
_FAR = 2.5


@dataclass(frozen=True, eq=False)
class Truth:
    """The boxes of a batch, padded to the most that one picture has.

    Attributes
    ----------
    boxes_xyxy : (N, M, 4) pixels; classes : (N, M); is_real : (N, M) False for padding.
    is_ignored : (N, M) real, but neither to be found nor to be blamed for.
    """

    boxes_xyxy: Tensor
    classes: Tensor
    is_real: Tensor
    is_ignored: Tensor


@dataclass(frozen=True, eq=False)
class Targets:
    """What the cells should answer.

    Attributes
    ----------
    scores : (N, A, C) 0 but for the box's class of positive cells.
    boxes_xyxy : (N, A, 4), meaningful where ``is_positive`` (N, A).
    is_counted : (N, A) False within ignored boxes.
    """

    scores: Tensor
    boxes_xyxy: Tensor
    is_positive: Tensor
    is_counted: Tensor


def pair_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Return the IoU of boxes, broadcast over all but the last axis."""
    low, high = torch.maximum(a_xyxy[..., :2], b_xyxy[..., :2]), torch.minimum(a_xyxy[..., 2:], b_xyxy[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = _area(a_xyxy) + _area(b_xyxy) - shared
    return shared / union.clamp(min=1e-6)


def generalized_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Return IoU minus the share of the smallest common box that neither covers (arXiv 1902.09630)."""
    low, high = torch.maximum(a_xyxy[..., :2], b_xyxy[..., :2]), torch.minimum(a_xyxy[..., 2:], b_xyxy[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = (_area(a_xyxy) + _area(b_xyxy) - shared).clamp(min=1e-6)
    hull_low = torch.minimum(a_xyxy[..., :2], b_xyxy[..., :2])
    hull_high = torch.maximum(a_xyxy[..., 2:], b_xyxy[..., 2:])
    hull = (hull_high - hull_low).clamp(min=0).prod(-1).clamp(min=1e-6)
    return shared / union - (hull - union) / hull


def _area(boxes_xyxy: Tensor) -> Tensor:
    return (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).clamp(min=0).prod(-1)


@torch.no_grad()
def assign(boxes_xyxy: Tensor, scores: Tensor, middles: Tensor, strides: Tensor, truth: Truth) -> Targets:
    """Choose for each box the cells whose answers agree with it best.

    A cell may answer for a box that its middle lies in (not further than 2.5
    strides from the box's middle on both axes, unless the box is smaller), or
    whose middle is nearer than 1.5 strides. Among those, the nine with the
    largest alignment t = score^α · IoU^β are positive; their target is t scaled
    so that the best has the box's best IoU. A cell wanted by several boxes takes
    the one with the largest IoU.

    Parameters
    ----------
    boxes_xyxy : (N, A, 4) decoded answers; scores : (N, A, C) 0 to 1.
    """
    wanted = truth.is_real & ~truth.is_ignored
    gt = truth.boxes_xyxy[:, :, None]  # (N, M, 1, 4)
    inside = ((middles > gt[..., :2]) & (middles < gt[..., 2:])).all(-1)  # (N, M, A)
    offsets = ((gt[..., :2] + gt[..., 2:]) / 2 - middles).abs().amax(-1) / strides
    size = (gt[..., 2:] - gt[..., :2]).amax(-1)
    # A level whose cells are larger than the box, or of which it would cover dozens, leaves it to the others.
    suits = (size > 0.9 * strides) & (size < 22 * strides)
    candidate = ((inside & (offsets < _FAR * 2)) | (offsets < _NEAR)) & suits & wanted[..., None]
    iou = pair_iou(boxes_xyxy[:, None], gt)
    own = scores.permute(0, 2, 1).gather(1, truth.classes[..., None].expand(-1, -1, scores.shape[1]))
    alignment = torch.where(candidate, own.clamp(min=1e-4) ** _ALPHA * iou.clamp(min=1e-3) ** _BETA, 0.0)
    best = alignment.topk(min(_TOP, alignment.shape[2]), dim=2)
    chosen = torch.zeros_like(candidate).scatter_(2, best.indices, best.values > 0)
    contested = torch.where(chosen, iou, -1.0)
    value, owner = contested.max(1)  # (N, A)
    is_positive = value >= 0
    picked = torch.zeros_like(chosen).scatter_(1, owner[:, None], is_positive[:, None]) & chosen
    alignment = torch.where(picked, alignment, 0.0)
    peak = alignment.amax(2, keepdim=True).clamp(min=1e-9)
    best_iou = torch.where(picked, iou, 0.0).amax(2, keepdim=True)
    quality = (alignment / peak * best_iou).amax(1).clamp(min=0.05) * is_positive
    classes = truth.classes.gather(1, owner)
    targets = torch.zeros_like(scores).scatter_(2, classes[..., None], quality[..., None])
    spared = truth.is_real & truth.is_ignored
    is_blameless = (inside & spared[..., None]).any(1) & ~is_positive
    boxes = truth.boxes_xyxy.gather(1, owner[..., None].expand(-1, -1, 4))
    return Targets(targets, boxes, is_positive, ~is_blameless)

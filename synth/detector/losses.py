"""What the training minimises."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from synth.detector.assignment import Truth, assign, generalized_iou
from synth.detector.network import decode

_BOX_WEIGHT = 2.0
_NEGATIVE_WEIGHT, _GAMMA = 0.75, 2.0


@dataclass(frozen=True, eq=False)
class Loss:
    """The sum to minimise, and its parts as numbers."""

    total: Tensor
    score: float
    box: float


def detection_loss(answers: Tensor, middles: Tensor, strides: Tensor, truth: Truth) -> Loss:
    """Return varifocal loss on the scores (arXiv 2008.13367) and generalized-IoU loss on the boxes.

    Both are divided by the batch's sum of target scores.

    Parameters
    ----------
    answers : (N, A, 4 + C) raw, of the network.
    """
    boxes, logits = decode(answers, middles, strides), answers[..., 4:]
    scores = logits.sigmoid()
    targets = assign(boxes.detach(), scores.detach(), middles, strides, truth)
    amount = targets.scores.sum().clamp(min=1.0)
    found = targets.scores
    weight = torch.where(found > 0, found, _NEGATIVE_WEIGHT * scores.detach() ** _GAMMA) * targets.is_counted[..., None]
    score_loss = (binary_cross_entropy_with_logits(logits, found, reduction="none") * weight).sum() / amount
    positive = targets.is_positive
    overlap = generalized_iou(boxes[positive], targets.boxes_xyxy[positive])
    box_loss = ((1 - overlap) * found[positive].amax(-1)).sum() / amount
    return Loss(score_loss + _BOX_WEIGHT * box_loss, float(score_loss.detach()), float(box_loss.detach()))

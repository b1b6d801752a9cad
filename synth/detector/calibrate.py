"""Make scores mean something: the share of boxes with that score that are right, on pictures of strangers.

The trackers begin a track at a score of 0.6 whatever the detector; a network trained with a varifocal loss says the
overlap it expects instead, which is lower.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from boxes import iou, non_maximum_suppression
from records import FloatArray
from synth.detector.network import Network, cells, decode
from synth.pictures import Picture

_ROUNDS = 30
_LOWEST_SCORE, _MAX_IOU, _MATCH_IOU = 0.02, 0.6, 0.5


@dataclass(frozen=True)
class Calibration:
    """Calibrated score = sigmoid(scale · logit + offset) (Platt)."""

    scale: float = 1.0
    offset: float = 0.0


def fit(logits: NDArray[np.float64], is_right: NDArray[np.bool_]) -> Calibration:
    """Return the most likely calibration for (N,) raw logits and whether their boxes were right.

    Newton's method on the logistic likelihood, with Platt's priors in place of 0 and 1.

    Raises
    ------
    ValueError
        where not both kinds of boxes are there.
    """
    right, wrong = int(is_right.sum()), int((~is_right).sum())
    if not right or not wrong:
        raise ValueError(f"right and wrong boxes are needed, there are {right} and {wrong}")
    wanted = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(_ROUNDS):
        expected = 1 / (1 + np.exp(-design @ weights))
        curvature = design.T @ (design * (expected * (1 - expected))[:, None]) + 1e-9 * np.eye(2)
        weights = weights - np.linalg.solve(curvature, design.T @ (expected - wanted))
    return Calibration(float(weights[0]), float(weights[1]))


@torch.no_grad()
def calibrate(network: Network, pictures: Iterable[Picture]) -> Calibration:
    """Fit on what a network in evaluation finds in pictures that it was not trained on.

    A box is right where it overlaps a thing by an IoU of 0.5 that no better box has claimed. Boxes on things that are
    to be ignored count neither way.
    """
    logits: list[float] = []
    is_right: list[bool] = []
    for picture in pictures:
        tensor = torch.from_numpy(picture.image_rgb).permute(2, 0, 1)[None].float() / 255
        answers = network(tensor)
        middles, strides = cells(*picture.image_rgb.shape[:2])
        boxes: FloatArray = decode(answers, middles, strides)[0].numpy()
        raw = answers[0, :, 4:].amax(1).numpy().astype(np.float64)
        likely = np.flatnonzero(raw > np.log(_LOWEST_SCORE / (1 - _LOWEST_SCORE)))
        groups = np.zeros(len(likely), np.int64)
        chosen = likely[non_maximum_suppression(boxes[likely], raw[likely].astype(np.float32), groups, _MAX_IOU)]
        overlaps = iou(boxes[chosen], picture.boxes_xyxy)
        for row, cell in enumerate(chosen):
            best = int(overlaps[row].argmax()) if overlaps.shape[1] else -1
            is_hit = best >= 0 and bool(overlaps[row, best] >= _MATCH_IOU)
            if is_hit and picture.is_ignored[best]:
                continue
            if is_hit:
                overlaps[:, best] = -1
            logits.append(float(raw[cell]))
            is_right.append(is_hit)
    return fit(np.array(logits), np.array(is_right, bool))

"""Small scenes for walking the fusion tracker frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deep_sort.fusion import FusionTracker
from deep_sort.tracker import TrackedBoxes

RED = (1.0, 0.0, 0.0)
GREEN = (0.0, 1.0, 0.0)
REDDISH = (1.0, 0.15, 0.0)
FRAME_RATE = 10.0


def show(
    tracker: FusionTracker,
    boxes: Sequence[Sequence[float]],
    features: Sequence[Sequence[float]] | None = None,
    *,
    scores: Sequence[float] | None = None,
    camera_affine: np.ndarray | None = None,
) -> TrackedBoxes:
    """Give the tracker a frame with these boxes; scores are .9 unless said otherwise."""
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    weights = np.full(len(rows), 0.9, np.float32) if scores is None else np.array(scores, np.float32)
    looks = None if features is None else np.array(features, np.float32).reshape(len(rows), 3)
    return tracker.step(rows, weights, looks, camera_affine=camera_affine)

"""Small scenes for walking the tracker frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deep_sort.tracker import TrackedBoxes, Tracker

RED = (1.0, 0.0, 0.0)
GREEN = (0.0, 1.0, 0.0)
BLUE = (0.0, 0.0, 1.0)


def person(left: float, top: float = 100, width: float = 40, height: float = 100) -> list[float]:
    return [left, top, left + width, top + height]


def show(
    tracker: Tracker, boxes: Sequence[Sequence[float]], features: Sequence[Sequence[float]] | None = None
) -> TrackedBoxes:
    """Give the tracker a frame with these boxes, and these features if any."""
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    appearance = None
    if features is not None:
        appearance = (
            np.array(features, np.float32).reshape(len(rows), -1) if len(rows) else np.zeros((0, 3), np.float32)
        )
    return tracker.step(rows, np.full(len(rows), 0.9, np.float32), appearance)


def numbers(tracked: TrackedBoxes) -> list[int]:
    return tracked.track_numbers.tolist()


def number_of_row(tracked: TrackedBoxes) -> dict[int, int]:
    """Return the track number of each input row that has one."""
    return dict(zip(tracked.detection_indices.tolist(), tracked.track_numbers.tolist(), strict=True))

"""Which tracks of a new attempt show what the tracks of the published one show."""

from __future__ import annotations

import numpy as np

from boxes import iou
from points import PointTable
from records import FloatArray

MIN_IOU = 0.5
MIN_SHARE = 0.25
"""A new track is the heir of the earlier one that most of its boxes lie on, if at least so many do."""


def heirs(earlier: PointTable, new: PointTable) -> dict[int, list[int]]:
    """Return the numbers of the new tracks that show what an earlier one did, by its number.

    Two boxes of one frame show the same where each is the other's best and their IoU is at least `MIN_IOU`.
    A new track has one earlier one at most; of several heirs the one that shares most frames comes first.
    """
    shared: dict[tuple[int, int], int] = {}
    for frame in np.intersect1d(earlier.frames, new.frames):
        old_numbers, old_boxes = _at(earlier, int(frame))
        new_numbers, new_boxes = _at(new, int(frame))
        overlaps = iou(old_boxes, new_boxes)
        best_new, best_old = overlaps.argmax(axis=1), overlaps.argmax(axis=0)
        for row in np.flatnonzero(best_old[best_new] == np.arange(len(old_numbers))):
            if overlaps[row, best_new[row]] >= MIN_IOU:
                pair = (int(old_numbers[row]), int(new_numbers[best_new[row]]))
                shared[pair] = shared.get(pair, 0) + 1
    best: dict[int, tuple[int, int]] = {}
    for (old, number), count in sorted(shared.items()):
        if count > best.get(number, (0, 0))[0]:
            best[number] = (count, old)
    numbers, totals = np.unique(new.track_numbers, return_counts=True)
    points = dict(zip(numbers.tolist(), totals.tolist(), strict=True))
    found: dict[int, list[tuple[int, int]]] = {}
    for number, (count, old) in best.items():
        if count >= MIN_SHARE * points[number]:
            found.setdefault(old, []).append((-count, number))
    return {old: [number for _, number in sorted(heirs)] for old, heirs in found.items()}


def _at(points: PointTable, frame: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], FloatArray]:
    start, stop = np.searchsorted(points.frames, [frame, frame + 1])
    return points.track_numbers[start:stop], points.boxes_xyxy[start:stop]

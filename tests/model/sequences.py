"""Reading the real sequences, and judging detectors and descriptors on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from boxes import iou, tlwh_to_xyxy
from model.crops import cut_crops
from records import Detections, FloatArray, Image


def read_frames(sequence: Path, *, step: int) -> Iterator[tuple[int, Image]]:
    """Yield every ``step``-th frame with its number, counted from 1 as in the ground truth."""
    video = sequence / "vtest.avi"
    if video.is_file():
        capture = cv2.VideoCapture(str(video))
        number = 0
        while capture.grab():
            number += 1
            if number % step == 1:
                yield number, capture.retrieve()[1]
        capture.release()
        return
    for path in sorted((sequence / "img1").iterdir()):
        if int(path.stem) % step == 1:
            yield int(path.stem), cv2.imread(str(path))


def read_boxes(path: Path) -> dict[int, tuple[NDArray[np.int64], FloatArray, FloatArray]]:
    """Return identities, boxes x1, y1, x2, y2 and scores of each frame of a MOT file."""
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    return {
        int(number): (rows[:, 1].astype(np.int64), tlwh_to_xyxy(rows[:, 2:6]), rows[:, 6].astype(np.float32))
        for number in np.unique(table[:, 0])
        for rows in [table[table[:, 0] == number]]
    }


def average_precision(found: Mapping[int, Detections], truth: Mapping[int, FloatArray]) -> float:
    """Return AP at IoU 0.5 of the people in ``found``, area under the interpolated curve."""
    hits: list[tuple[float, bool]] = []
    for number, detections in found.items():
        overlaps = iou(detections.boxes_xyxy, truth[number])
        for row in np.argsort(-detections.scores, kind="stable"):
            best = int(overlaps[row].argmax())
            is_hit = bool(overlaps[row, best] >= 0.5)
            hits.append((float(detections.scores[row]), is_hit))
            if is_hit:
                overlaps[:, best] = -1
    flags = np.array([is_hit for _, is_hit in sorted(hits, key=lambda hit: -hit[0])], float)
    recall = np.cumsum(flags) / sum(len(boxes) for boxes in truth.values())
    precision = np.maximum.accumulate((np.cumsum(flags) / np.arange(1, len(flags) + 1))[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def visible_crops(sequence: Path, *, step: int) -> tuple[list[Image], NDArray[np.int64], NDArray[np.int64]]:
    """Return crops of people of whom most is seen, with their identities and frame numbers.

    Left out are boxes under 12×30 pixels, those cut off by the border, and
    those of which a person standing nearer hides more than 40 %.
    """
    truth = read_boxes(sequence / "gt" / "gt.txt")
    crops: list[Image] = []
    identities: list[int] = []
    numbers: list[int] = []
    for number, image in read_frames(sequence, step=step):
        if number not in truth:
            continue
        ids, boxes, _ = truth[number]
        height, width = image.shape[:2]
        for row, (x1, y1, x2, y2) in enumerate(boxes):
            area = (x2 - x1) * (y2 - y1)
            seen = (min(x2, width) - max(x1, 0)) * (min(y2, height) - max(y1, 0))
            others = np.delete(boxes, row, axis=0)
            sides = np.minimum(others[:, 2:], [x2, y2]) - np.maximum(others[:, :2], [x1, y1])
            is_hidden = (sides.min(axis=1) > 0) & (sides.prod(axis=1) > 0.4 * area) & (others[:, 3] > y2)
            if x2 - x1 >= 12 and y2 - y1 >= 30 and seen >= 0.8 * area and not is_hidden.any():
                crops += cut_crops(image, boxes[row : row + 1])
                identities.append(int(ids[row]))
                numbers.append(number)
    return crops, np.array(identities), np.array(numbers)

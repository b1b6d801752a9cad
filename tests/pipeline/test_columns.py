"""Boxes collected frame by frame."""

from __future__ import annotations

import numpy as np

from pipeline.columns import BoxColumns
from pipeline.detections import FoundBoxes
from pipeline.tracking import FrameTracks
from records import Detections


def _add(columns: BoxColumns, numbers: list[int], *, detected: int | None = None) -> None:
    """Add a frame whose tracks were seen as its last detections, the first track as the very last one."""
    count = len(numbers) if detected is None else detected
    boxes = np.array([[n, n, n + 10, n + 20] for n in range(count)], np.float32).reshape(-1, 4)
    scores = np.linspace(0.5, 0.9, count).astype(np.float32)
    found = FoundBoxes(Detections(boxes, scores, np.arange(count) % 6), np.zeros((count, 4), np.float32))
    rows = np.arange(count)[::-1][: len(numbers)]
    tracks = FrameTracks(np.array(numbers, np.int64), boxes[rows], rows)
    columns.add_frame(found, tracks, np.array(numbers, np.int64) * 10)


def test_no_frames_make_empty_columns() -> None:
    table = BoxColumns().table()
    assert len(table) == 0
    assert table.boxes_xyxy.shape == (0, 4)


def test_frames_without_tracks_are_counted() -> None:
    columns = BoxColumns()
    for numbers in ([], [1], []):
        _add(columns, numbers)
    assert columns.frame_count == 3
    assert columns.table().frames.tolist() == [1]


def test_tracks_are_in_rising_order_within_a_frame() -> None:
    columns = BoxColumns()
    _add(columns, [7, 3, 5])
    table = columns.table()
    assert table.track_numbers.tolist() == [3, 5, 7]
    assert table.pieces.tolist() == [30, 50, 70]
    assert table.boxes_xyxy[:, 0].tolist() == [1, 0, 2], "each keeps its own box"


def test_rows_count_all_detections_of_the_video() -> None:
    columns = BoxColumns()
    _add(columns, [1], detected=5)
    _add(columns, [1, 2], detected=3)
    assert columns.table().detections.tolist() == [4, 7, 6]
    assert columns.table().class_ids.tolist() == [4, 2, 1]

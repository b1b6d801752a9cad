"""Points collected frame by frame."""

from __future__ import annotations

import sys

import numpy as np

from pipeline.columns import PointColumns


def _add(columns: PointColumns, pts_s: float, numbers: list[int]) -> None:
    boxes = np.array([[n, n, n + 10, n + 20] for n in numbers], np.float32).reshape(-1, 4)
    columns.add_frame(pts_s, np.array(numbers, np.int64), boxes, np.full(len(numbers), 0.5, np.float32))


def test_no_frames_make_an_empty_table() -> None:
    table = PointColumns().table()
    assert len(table) == 0
    assert table.frame_pts_s.shape == (0,)
    assert table.boxes_xyxy.shape == (0, 4)


def test_frames_without_points_keep_their_times() -> None:
    columns = PointColumns()
    for pts_s, numbers in ((0.0, []), (0.1, [1]), (0.35, [])):
        _add(columns, pts_s, numbers)
    table = columns.table()
    assert table.frame_pts_s.tolist() == [0.0, 0.1, 0.35]
    assert table.frames.tolist() == [1]
    assert columns.frame_count == 3


def test_points_of_a_frame_are_ordered_by_number_with_their_boxes() -> None:
    columns = PointColumns()
    _add(columns, 0.0, [5, 2, 9])
    table = columns.table()
    assert table.track_numbers.tolist() == [2, 5, 9]
    assert table.boxes_xyxy[:, 0].tolist() == [2, 5, 9]
    assert (table.frames.dtype, table.boxes_xyxy.dtype) == (np.int32, np.float32)


def test_the_table_is_a_copy() -> None:
    columns = PointColumns()
    _add(columns, 0.0, [1])
    table = columns.table()
    _add(columns, 0.1, [1, 2])
    assert len(table) == 1
    assert len(columns.table()) == 3


def test_a_point_costs_about_28_bytes() -> None:
    columns = PointColumns()
    for frame in range(2000):
        _add(columns, frame / 10, list(range(1, 11)))
    held = sum(sys.getsizeof(value) for value in vars(columns).values())
    assert held < 20_000 * 28 * 1.3 + 2000 * 8

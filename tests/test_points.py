"""The columnar file of a video's boxes, and its MOT and CSV forms."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from points import FORMAT_VERSION, PointTable, csv_lines, mot_lines


def table(
    frames: list[int], numbers: list[int] | None = None, *, pts_s: list[float] | None = None, seed: int = 1
) -> PointTable:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 500, (len(frames), 2))
    return PointTable(
        np.array([0.1 * index for index in range(10)] if pts_s is None else pts_s, np.float64),
        np.array(frames, np.int32),
        np.array(range(1, len(frames) + 1) if numbers is None else numbers, np.int32),
        np.concatenate([corners, corners + rng.uniform(10, 90, corners.shape)], axis=1).astype(np.float32),
        rng.uniform(0, 1, len(frames)).astype(np.float32),
    )


def random_table(seed: int, frame_count: int = 200) -> PointTable:
    """Return points at uneven times, several, one or none a frame."""
    rng = np.random.default_rng(seed)
    pts_s = np.concatenate([[0], np.cumsum(rng.uniform(0.01, 0.5, frame_count - 1))])
    frames = np.sort(rng.integers(0, frame_count, 300))
    return table(frames.tolist(), pts_s=pts_s.tolist(), seed=seed)


@pytest.mark.parametrize("frames", [[], [3], [0, 0, 2, 9]])
def test_a_saved_table_is_read_back_unchanged(frames: list[int], tmp_path: Path) -> None:
    points = table(frames)
    points.save(tmp_path / "points.npz")
    loaded = PointTable.load(tmp_path / "points.npz")
    assert len(loaded) == len(frames)
    for name in ("frame_pts_s", "frames", "track_numbers", "boxes_xyxy", "scores"):
        before, after = getattr(points, name), getattr(loaded, name)
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)


def test_a_table_of_a_video_without_frames_is_possible(tmp_path: Path) -> None:
    points = table([], pts_s=[])
    points.save(tmp_path / "points.npz")
    loaded = PointTable.load(tmp_path / "points.npz")
    assert len(loaded) == 0
    assert loaded.presence(1.0).tolist() == []
    assert loaded.between(0, 10) == (slice(0, 0), slice(0, 0))


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.npz"
    table([1]).save(path)
    with np.load(path) as stored:
        columns = dict(stored)
    columns["version"] = np.array(FORMAT_VERSION + 1)
    with path.open("wb") as file:
        np.savez(file, **columns)
    with pytest.raises(ValueError, match=rf"points.npz has format version {FORMAT_VERSION + 1}, {FORMAT_VERSION} is"):
        PointTable.load(path)


def test_columns_of_unequal_length_are_refused() -> None:
    whole = table([0, 1])
    columns = {
        name: getattr(whole, name) for name in ("frame_pts_s", "frames", "track_numbers", "boxes_xyxy", "scores")
    }
    for name in ("track_numbers", "boxes_xyxy", "scores"):
        with pytest.raises(ValueError, match="columns of 2 points wanted"):
            PointTable(**(columns | {name: columns[name][:1]}))


@pytest.mark.parametrize("frames", [[2, 1], [-1, 0], [9, 10]])
def test_frames_out_of_order_or_out_of_the_video_are_refused(frames: list[int]) -> None:
    with pytest.raises(ValueError, match="frames must not fall and must lie in 0 to 9"):
        table(frames)


@pytest.mark.parametrize("seed", [1, 2])
def test_points_between_two_times_are_those_that_a_full_search_finds(seed: int) -> None:
    points = random_table(seed)
    rng = np.random.default_rng(seed)
    ranges = np.sort(rng.uniform(-5, points.frame_pts_s[-1] + 5, (40, 2)), axis=1).tolist()
    ranges += [[float(points.frame_pts_s[3]), float(points.frame_pts_s[7])], [4.0, 4.0]]
    for from_s, to_s in ranges:
        frames, chosen = points.between(from_s, to_s)
        expected = [i for i, pts_s in enumerate(points.frame_pts_s) if from_s <= pts_s < to_s]
        assert list(range(*frames.indices(len(points.frame_pts_s)))) == expected
        expected_points = [i for i, frame in enumerate(points.frames) if frame in expected]
        assert list(range(*chosen.indices(len(points)))) == expected_points


@pytest.mark.parametrize("bin_s", [0.01, 0.2, 1.0, 7.3, 1000.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_presence_is_the_most_points_of_one_frame_in_each_bin(seed: int, bin_s: float) -> None:
    points = random_table(seed)
    mask = np.random.default_rng(seed).uniform(size=len(points)) < 0.5
    for chosen in (None, mask):
        counted = points.frames if chosen is None else points.frames[chosen]
        expected: dict[int, int] = {}
        for index, pts_s in enumerate(points.frame_pts_s):
            bin_index = int(pts_s // bin_s)
            expected[bin_index] = max(expected.get(bin_index, 0), int((counted == index).sum()))
        presence = points.presence(bin_s, chosen)
        filled = [expected[max(known for known in expected if known <= index)] for index in range(max(expected) + 1)]
        assert presence.tolist() == filled


def test_presence_of_a_video_without_people_is_zero_in_every_bin() -> None:
    assert table([]).presence(0.25).tolist() == [0, 0, 0, 0]


def test_mot_lines_count_frames_from_one_and_give_left_top_width_height() -> None:
    points = PointTable(
        np.array([0, 0.04], np.float64),
        np.array([0, 1], np.int32),
        np.array([1, 7], np.int32),
        np.array([[10, 20, 30.5, 60.25], [-3.125, 0, 5, 8]], np.float32),
        np.array([0.9, 0.5], np.float32),
    )
    assert list(mot_lines(points)) == [
        "1,1,10.00,20.00,20.50,40.25,1,-1,-1,-1\n",
        "2,7,-3.12,0.00,8.12,8.00,1,-1,-1,-1\n",
    ]


def test_mot_lines_of_no_points_are_none() -> None:
    assert list(mot_lines(table([]))) == []


def test_csv_without_points_is_its_header() -> None:
    assert "".join(csv_lines(table([]), {})) == "frame,time_s,track,class,left,top,right,bottom,score\n"


def test_csv_gives_every_point_with_time_and_class() -> None:
    points = table([0, 2, 2], [4, 4, 5])
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines(points, {4: "person", 5: 'a "car", red'})))))
    assert [row["frame"] for row in rows] == ["0", "2", "2"]
    assert [row["time_s"] for row in rows] == ["0.000", "0.200", "0.200"]
    assert [row["track"] for row in rows] == ["4", "4", "5"]
    assert [row["class"] for row in rows] == ["person", "person", 'a "car", red']
    for row, box, score in zip(rows, points.boxes_xyxy, points.scores, strict=True):
        assert [float(row[side]) for side in ("left", "top", "right", "bottom")] == pytest.approx(box, abs=0.006)
        assert float(row["score"]) == pytest.approx(score, abs=0.0006)


def test_a_long_csv_comes_in_pieces_and_is_whole() -> None:
    count = 5000
    points = table([0] * count, list(range(count)))
    pieces = list(csv_lines(points, dict.fromkeys(range(count), "person")))
    assert len(pieces) > 2
    assert max(map(len, pieces)) < 1 << 17
    rows = list(csv.reader(io.StringIO("".join(pieces))))
    assert len(rows) == count + 1
    assert [int(row[2]) for row in rows[1:]] == list(range(count))
    assert {len(row) for row in rows} == {9}

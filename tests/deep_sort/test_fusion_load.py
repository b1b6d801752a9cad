"""Many boxes a frame, and long videos."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from deep_sort.fusion import FusionOptions, FusionTracker
from deep_sort.pieces import FeatureSums, PieceCutter, split_gap_s
from deep_sort.refine import RefinedColumns, TrackColumns, refine
from tests.deep_sort.scenes import number_of_row
from tests.deep_sort.test_tracker_load import DIMENSION, crowd


def test_five_hundred_people_a_frame_keep_their_numbers() -> None:
    rng = np.random.default_rng(1)
    boxes, looks = crowd(rng, 500)
    tracker = FusionTracker(FusionOptions.recorded(25))
    started = time.perf_counter()
    for frame in range(20):
        moved = (boxes + 2 * frame + rng.normal(0, 1, boxes.shape)).astype(np.float32)
        features = (looks + rng.normal(0, 0.1, looks.shape)).astype(np.float32)
        tracked = tracker.step(moved, np.ones(500, np.float32), features)
        assert number_of_row(tracked) == {row: row + 1 for row in range(500)}
    assert time.perf_counter() - started < 60


def test_crowds_nobody_and_one_may_follow_each_other() -> None:
    tracker = FusionTracker(FusionOptions.recorded(25))
    for count in (0, 1, 0, 500, 500, 3, 0, 1):
        rng = np.random.default_rng(count)
        corners = rng.uniform(0, 600, (count, 2))
        features = rng.random((count, DIMENSION))
        features[: count // 3] = np.nan
        tracked = tracker.step(np.concatenate([corners, corners + 50], axis=1), np.full(count, 0.9), features)
        assert len(np.unique(tracked.track_numbers)) == len(tracked) <= count
        assert np.isfinite(tracked.boxes_xyxy).all()


LOOKS = np.abs(np.random.default_rng(3).normal(size=(97, DIMENSION)))


def visits(frames: range, tracker: FusionTracker, cutter: PieceCutter) -> None:
    """Show one who stays and, after each other, visitors of 40 frames."""
    for frame in frames:
        visit, age = divmod(frame, 50)
        left = 200 + visit % 7 * 150 + 2 * age
        boxes = np.array([[10, 10, 50, 110], [left, 10, left + 40, 110]], np.float32)[: 2 if age < 40 else 1]
        tracked = tracker.step(boxes, np.full(len(boxes), 0.9), LOOKS[[0, 1 + visit % 96]][: len(boxes)])
        cutter.step(tracked.track_numbers, frame / 25)


def test_memory_stays_flat_over_a_long_video() -> None:
    tracker, cutter = FusionTracker(FusionOptions.recorded(25)), PieceCutter(split_gap_s(25))
    visits(range(500), tracker, cutter)
    tracemalloc.start()
    try:
        visits(range(500, 1000), tracker, cutter)
        early, _ = tracemalloc.get_traced_memory()
        visits(range(1000, 3000), tracker, cutter)
        late, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert late - early < 20_000


def test_sums_of_features_take_memory_by_the_piece_and_not_by_the_box() -> None:
    sums = FeatureSums()
    tracemalloc.start()
    try:
        for _ in range(200):
            sums.add(np.arange(100), LOOKS[np.arange(100) % 97], np.ones(100))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 2 * 100 * DIMENSION * 4 + 20_000


@pytest.mark.slow
def test_an_hour_is_refined_in_seconds() -> None:
    frame_count, rate = 90_000, 25.0
    rng = np.random.default_rng(1)
    frames, pieces, boxes = [], [], []
    for visit in range(3000):  # ten people at a time, each seen for twelve seconds and cut in two
        start = visit * 30
        for part, (first, last) in enumerate(((0, 140), (155, 300))):
            seen = np.arange(start + first, min(start + last, frame_count))
            left = 100.0 * (visit % 10) + 0.2 * (seen - start)
            frames.append(seen)
            pieces.append(np.full(len(seen), 2 * visit + part))
            boxes.append(np.column_stack([left, left * 0 + 50, left + 40, left * 0 + 150]))
    order = np.argsort(np.concatenate(frames), kind="stable")
    looks = np.abs(rng.normal(size=(3000, 64)))
    sums = FeatureSums()
    sums.add(np.arange(6000), np.repeat(looks, 2, axis=0), np.ones(6000))
    columns = TrackColumns(
        frames=np.concatenate(frames)[order],
        pieces=np.concatenate(pieces)[order],
        boxes_xyxy=np.concatenate(boxes)[order].astype(np.float32),
        scores=np.full(len(order), 0.9),
        features=(sums,),
    )
    started = time.perf_counter()
    refined: RefinedColumns = refine(columns, frame_times_s=np.arange(frame_count) / rate, frame_width=1200)
    assert time.perf_counter() - started < 60
    assert refined.track_numbers.max() == pytest.approx(3000, abs=30)

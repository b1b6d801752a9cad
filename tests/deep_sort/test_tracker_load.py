"""Many boxes a frame, and long videos."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from deep_sort.tracker import Tracker, TrackerOptions
from tests.deep_sort.scenes import number_of_row

DIMENSION = 256


def crowd(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    columns, rows = np.meshgrid(np.arange(25) * 60.0, np.arange(count // 25) * 120.0)
    corners = np.column_stack([columns.ravel(), rows.ravel()])
    return np.concatenate([corners, corners + np.array([40, 100])], axis=1), rng.normal(size=(count, DIMENSION))


def test_five_hundred_people_a_frame_keep_their_numbers() -> None:
    rng = np.random.default_rng(1)
    boxes, looks = crowd(rng, 500)
    tracker = Tracker(TrackerOptions())
    started = time.perf_counter()
    for frame in range(20):
        moved = (boxes + 2 * frame + rng.normal(0, 1, boxes.shape)).astype(np.float32)
        features = (looks + rng.normal(0, 0.1, looks.shape)).astype(np.float32)
        tracked = tracker.step(moved, np.ones(500, np.float32), features)
        if frame >= 2:
            assert number_of_row(tracked) == {row: row + 1 for row in range(500)}
    assert time.perf_counter() - started < 60


def churn(tracker: Tracker, rng: np.random.Generator, frames: range) -> None:
    """Show a new person every six frames, for six frames, and one who stays."""
    for frame in frames:
        visit, age = divmod(frame, 6)
        left = 200 + visit % 7 * 150 + 2 * age
        boxes = np.array([[10, 10, 50, 110], [left, 10, left + 40, 110]], np.float32)
        features = np.stack([np.ones(DIMENSION), np.random.default_rng(visit).normal(size=DIMENSION)])
        tracker.step(boxes, np.ones(2, np.float32), features + rng.normal(0, 0.01, features.shape))


def test_memory_stays_flat_over_a_long_video() -> None:
    tracker, rng = Tracker(TrackerOptions(max_age=10)), np.random.default_rng(2)
    churn(tracker, rng, range(300))
    tracemalloc.start()
    try:
        churn(tracker, rng, range(300, 600))
        early, _ = tracemalloc.get_traced_memory()
        churn(tracker, rng, range(600, 1500))
        late, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert late - early < 20_000

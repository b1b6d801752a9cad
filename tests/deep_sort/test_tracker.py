"""The life of tracks, frame by frame."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from deep_sort.tracker import TrackedBoxes, Tracker, TrackerOptions
from tests.deep_sort.scenes import GREEN, RED, numbers, person, show


def confirmed_at(left: float, **options: float) -> Tracker:
    """Return a tracker whose track 1 stands at ``left``, dressed in red."""
    tracker = Tracker(TrackerOptions(**options))  # type: ignore[arg-type]  # values of several types
    for _ in range(3):
        tracked = show(tracker, [person(left)], [RED])
    assert numbers(tracked) == [1]
    return tracker


@pytest.mark.parametrize("n_init", [1, 2, 3, 5])
def test_track_is_confirmed_at_its_nth_detection(n_init: int) -> None:
    tracker = Tracker(TrackerOptions(n_init=n_init))
    seen = [numbers(show(tracker, [person(10 + 2 * frame)], [RED])) for frame in range(n_init + 1)]
    assert seen == [[]] * (n_init - 1) + [[1], [1]]


def test_tentative_track_ends_with_its_first_miss() -> None:
    tracker = Tracker(TrackerOptions(n_init=3))
    seen = [numbers(show(tracker, boxes)) for boxes in ([person(9)], [person(9)], [], [person(9)], [person(9)])]
    assert seen == [[]] * 5
    assert numbers(show(tracker, [person(9)])) == [1]


def test_numbers_have_no_gaps_though_flickering_boxes_come_and_go() -> None:
    tracker = Tracker(TrackerOptions(n_init=2))
    for frame in range(10):
        show(tracker, [person(200 + 90 * frame)])
    show(tracker, [person(10), person(500)])
    assert numbers(show(tracker, [person(10), person(500)])) == [1, 2]


@pytest.mark.parametrize("features", [[RED], None])
def test_track_survives_two_missed_frames(features: list[tuple[float, ...]] | None) -> None:
    tracker = Tracker(TrackerOptions())
    for frame in range(10):
        show(tracker, [person(100 + 4 * frame)], features)
    for _ in range(2):
        assert numbers(show(tracker, [], None if features is None else [])) == []
    tracked = show(tracker, [person(100 + 4 * 12)], features)
    assert numbers(tracked) == [1]
    np.testing.assert_allclose(tracked.boxes_xyxy, [person(148)], atol=3)


@pytest.mark.parametrize("max_age", [0, 1, 5, 30])
def test_track_survives_max_age_missed_frames_and_not_one_more(max_age: int) -> None:
    for missed, expected in ((max_age, [1]), (max_age + 1, [])):
        tracker = confirmed_at(100, max_age=max_age)
        for _ in range(missed):
            show(tracker, [], [])
        assert numbers(show(tracker, [person(100)], [RED])) == expected
        show(tracker, [person(100)], [RED])
        assert numbers(show(tracker, [person(100)], [RED])) == (expected or [2])


def test_coasting_boxes_are_not_output() -> None:
    tracker = confirmed_at(100)
    show(tracker, [person(100), person(400)], [RED, GREEN])
    tracked = show(tracker, [person(400)], [GREEN])
    assert numbers(tracked) == []
    tracked = show(tracker, [person(400)], [GREEN])
    assert numbers(tracked) == [2]


def test_detection_indices_point_at_the_rows_of_the_input() -> None:
    tracker = Tracker(TrackerOptions(n_init=1))
    boxes = [person(100), person(300), person(500)]
    show(tracker, boxes)
    tracked = show(tracker, [boxes[2], person(800), boxes[0], boxes[1]])
    assert numbers(tracked) == [1, 2, 3, 4]
    assert tracked.detection_indices.tolist() == [2, 3, 0, 1]


def test_boxes_without_area_are_passed_over() -> None:
    tracker = confirmed_at(100)
    for _ in range(4):
        boxes = [[50, 50, 50, 90], [70, 80, 90, 80], person(100), [1, 1, 1, 1]]
        tracked = show(tracker, boxes, [RED] * 4)
        assert numbers(tracked) == [1]
        assert tracked.detection_indices.tolist() == [2]


def test_output_has_the_promised_types_also_when_empty() -> None:
    tracker = Tracker(TrackerOptions(n_init=1))
    for boxes in ([], [person(5)]):
        tracked = show(tracker, boxes)
        assert isinstance(tracked, TrackedBoxes)
        assert (tracked.track_numbers.dtype, tracked.track_numbers.shape) == (np.int64, (len(boxes),))
        assert (tracked.boxes_xyxy.dtype, tracked.boxes_xyxy.shape) == (np.float32, (len(boxes), 4))
        assert (tracked.detection_indices.dtype, tracked.detection_indices.shape) == (np.int64, (len(boxes),))
        assert len(tracked) == len(boxes)


def test_output_keeps_its_values_when_the_tracker_goes_on() -> None:
    tracker = confirmed_at(100)
    tracked = show(tracker, [person(100)], [RED])
    before = tracked.boxes_xyxy.copy(), tracked.detection_indices.copy(), tracked.track_numbers.copy()
    show(tracker, [], [])
    show(tracker, [person(400), person(120)], [GREEN, RED])
    np.testing.assert_array_equal(tracked.boxes_xyxy, before[0])
    np.testing.assert_array_equal(tracked.detection_indices, before[1])
    np.testing.assert_array_equal(tracked.track_numbers, before[2])


def test_two_trackers_share_one_source_of_numbers() -> None:
    source = itertools.count(10)
    people, vehicles = (Tracker(TrackerOptions(n_init=1), numbers=source) for _ in range(2))
    assert numbers(show(people, [person(0), person(200)])) == [10, 11]
    assert numbers(show(vehicles, [person(0)])) == [12]
    assert numbers(show(people, [person(0), person(200), person(400)])) == [10, 11, 13]


def test_input_arrays_are_untouched() -> None:
    tracker = Tracker(TrackerOptions())
    boxes, scores, features = np.array([person(5)], np.float32), np.ones(1, np.float32), np.array([[3, 4]], np.float32)
    copies = boxes.copy(), scores.copy(), features.copy()
    for _ in range(4):
        tracker.step(boxes, scores, features)
    for array, copy in zip((boxes, scores, features), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


BAD_FRAMES = [
    ([[np.nan, 0, 5, 5]], [RED], "not finite"),
    ([[9, 0, 5, 5]], [RED], "ends before it starts"),
    ([person(100)], [[1.0, 0.0]], "features have 2 dimensions"),
]


@pytest.mark.parametrize(("boxes", "features", "message"), BAD_FRAMES)
def test_a_refused_frame_leaves_the_tracker_as_it_was(
    boxes: list[list[float]], features: list[list[float]], message: str
) -> None:
    tracker = confirmed_at(100, max_age=1)
    for _ in range(5):
        with pytest.raises(ValueError, match=message):
            show(tracker, boxes, features)
    show(tracker, [], [])
    assert numbers(show(tracker, [person(100)], [RED])) == [1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_cosine_distance", 0),
        ("max_cosine_distance", 2.1),
        ("max_cosine_distance", float("nan")),
        ("max_iou_distance", 0),
        ("max_iou_distance", 1.1),
        ("max_iou_distance", float("inf")),
        ("nn_budget", 0),
        ("max_age", -1),
        ("n_init", 0),
    ],
)
def test_options_out_of_range_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be .* not {value}"):
        TrackerOptions(**{name: value})  # type: ignore[arg-type]  # the point of the test

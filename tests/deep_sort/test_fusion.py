"""The fusion tracker, frame by frame."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from deep_sort.fusion import FusionOptions, FusionTracker
from tests.deep_sort.fusion_scenes import FRAME_RATE, GREEN, RED, REDDISH, show
from tests.deep_sort.scenes import number_of_row, numbers, person


def recorded(**changes: float) -> FusionTracker:
    return FusionTracker(FusionOptions(frame_rate=FRAME_RATE, n_init=1, **changes))


def online(**changes: float) -> FusionTracker:
    return FusionTracker(FusionOptions(frame_rate=FRAME_RATE, n_init=2, **changes))


def test_recorded_shows_a_person_at_once_and_online_from_the_second_box() -> None:
    first, second = FusionTracker(FusionOptions.recorded(FRAME_RATE)), FusionTracker(FusionOptions.online(FRAME_RATE))
    assert numbers(show(first, [person(100)])) == [1]
    assert numbers(show(second, [person(100)])) == []
    assert numbers(show(second, [person(101)])) == [1]


def test_an_unconfirmed_track_ends_with_its_first_miss() -> None:
    tracker = online()
    show(tracker, [person(100)])
    show(tracker, [])
    assert numbers(show(tracker, [person(100)])) == []
    assert numbers(show(tracker, [person(100)])) == [2]


def test_a_box_is_tracked_and_its_row_named() -> None:
    tracker = recorded()
    show(tracker, [person(100), person(500)])
    tracked = show(tracker, [person(505), person(103)])
    assert number_of_row(tracked) == {0: 2, 1: 1}
    first = tracked.boxes_xyxy[tracked.track_numbers == 1][0]
    assert tracked.boxes_xyxy.dtype == np.float32
    np.testing.assert_allclose(first, person(103), atol=4)


def test_track_survives_missed_frames_and_coasting_boxes_are_not_shown() -> None:
    tracker = recorded()
    for frame in range(10):
        show(tracker, [person(100 + 5 * frame)], [RED])
    for _ in range(5):
        assert numbers(show(tracker, [], [])) == []
    assert numbers(show(tracker, [person(100 + 5 * 15)], [RED])) == [1]


def test_track_ends_after_max_lost_s() -> None:
    for missed, number in ((24, 1), (25, 2)):
        tracker = recorded(max_lost_s=2.4)
        for _ in range(10):
            show(tracker, [person(100)], [RED])
        for _ in range(missed):
            show(tracker, [], [])
        assert numbers(show(tracker, [person(100)], [RED])) == [number], missed


def test_people_of_similar_looks_keep_their_numbers_while_they_cross() -> None:
    tracker = recorded()
    for frame in range(41):
        right, left = person(100 + 8 * frame), person(420 - 8 * frame, top=104)
        tracked = show(tracker, [right, left], [RED, REDDISH])
        assert number_of_row(tracked) == {0: 1, 1: 2}, frame


def turn_round_behind_a_pillar(features: list[tuple[float, ...]] | None) -> dict[int, int]:
    tracker = recorded()
    for frame in range(20):
        show(tracker, [person(100 + 6 * frame), person(360 - 6 * frame)], features)
    for _ in range(5):
        show(tracker, [], None if features is None else [])
    for frame in range(6):
        tracked = show(tracker, [person(206 - 6 * frame), person(254 + 6 * frame)], features)
    return number_of_row(tracked)


def test_looks_keep_people_apart_who_meet_and_turn_round_while_hidden() -> None:
    assert turn_round_behind_a_pillar([RED, GREEN]) == {0: 1, 1: 2}
    assert turn_round_behind_a_pillar(None) != {0: 1, 1: 2}


def test_a_lost_track_defends_its_looks_against_somebody_else_in_its_place() -> None:
    tracker = recorded()
    for _ in range(10):
        show(tracker, [person(100)], [RED])
    for _ in range(5):
        show(tracker, [], [])
    assert numbers(show(tracker, [person(100)], [GREEN])) == [2]
    assert number_of_row(show(tracker, [person(100), person(160)], [GREEN, RED])) == {0: 2, 1: 1}


def test_a_lost_track_gets_its_box_back_before_a_new_one_begins() -> None:
    tracker = recorded()
    for _ in range(10):
        show(tracker, [person(100), person(150)], [RED, GREEN])
    for _ in range(8):
        show(tracker, [person(150)], [GREEN])
    assert number_of_row(show(tracker, [person(150), person(102)], [GREEN, RED])) == {0: 2, 1: 1}


def test_a_low_score_continues_a_track() -> None:
    tracker = recorded()
    for _ in range(5):
        show(tracker, [person(100)])
    tracked = show(tracker, [person(101)], scores=[0.2])
    assert number_of_row(tracked) == {0: 1}


@pytest.mark.parametrize(("score", "expected"), [(0.3, []), (0.55, []), (0.6, [1])])
def test_only_a_good_score_begins_a_track(score: float, expected: list[int]) -> None:
    tracker = recorded()
    for _ in range(4):
        tracked = show(tracker, [person(100)], scores=[score])
    assert numbers(tracked) == expected


def test_a_score_below_the_lowest_continues_nothing() -> None:
    tracker = recorded()
    for _ in range(5):
        show(tracker, [person(100)])
    assert numbers(show(tracker, [person(100)], scores=[0.05])) == []


def test_a_low_score_neither_finds_a_track_lost_for_long_nor_confirms_one() -> None:
    tracker = recorded()
    for _ in range(5):
        show(tracker, [person(100)])
    for _ in range(6):
        show(tracker, [])
    assert numbers(show(tracker, [person(100)], scores=[0.4])) == []
    tentative = online()
    show(tentative, [person(100)])
    assert numbers(show(tentative, [person(100)], scores=[0.4])) == []


def test_a_low_score_is_not_learnt() -> None:
    tracker = recorded()
    for _ in range(5):
        show(tracker, [person(100)], [RED])
    for _ in range(20):
        show(tracker, [person(100)], [GREEN], scores=[0.4])
    assert numbers(show(tracker, [person(100)], [GREEN])) == [2]


def test_the_double_of_a_matched_box_begins_no_track() -> None:
    tracker = recorded()
    show(tracker, [person(100)])
    tracked = show(tracker, [person(100), person(103)])
    assert numbers(tracked) == [1]
    assert numbers(show(tracker, [person(100), person(130)])) == [1, 2]


def test_the_looks_of_a_hidden_box_are_not_learnt() -> None:
    tracker = recorded()
    in_front, behind = person(105, top=110), person(100)
    for _ in range(5):
        show(tracker, [person(400, top=110), behind], [GREEN, RED])
    for _ in range(20):
        show(tracker, [in_front, behind], [GREEN, GREEN])
    for _ in range(5):
        show(tracker, [], [])
    assert number_of_row(show(tracker, [behind], [RED])) == {0: 2}


@pytest.mark.parametrize("unknown", [(0.0, 0.0, 0.0), (np.nan, 1.0, 0.0), (np.inf, 0.0, 0.0), (3e38, 3e38, 0.0)])
def test_an_unknown_look_matches_by_place_alone_and_is_not_learnt(unknown: tuple[float, ...]) -> None:
    tracker = recorded()
    for _ in range(5):
        show(tracker, [person(100)], [RED])
    for _ in range(5):
        assert numbers(show(tracker, [person(100)], [unknown])) == [1]
    assert np.isfinite(show(tracker, [person(100)], [unknown]).boxes_xyxy).all()
    assert number_of_row(show(tracker, [person(100), person(500)], [RED, unknown])) == {0: 1, 1: 2}
    for _ in range(5):
        show(tracker, [person(100)], [unknown])
    assert number_of_row(show(tracker, [person(100)], [GREEN])) == {0: 3}


def test_an_unknown_look_never_matches_by_looks_far_from_the_place() -> None:
    tracker = recorded()
    for _ in range(10):
        show(tracker, [person(100)], [(0.0, 0.0, 0.0)])
    assert numbers(show(tracker, [person(300)], [(0.0, 0.0, 0.0)])) == [2]


def test_frames_with_and_without_features_may_alternate() -> None:
    tracker = recorded()
    for frame in range(20):
        tracked = show(tracker, [person(100 + 3 * frame)], [RED] if frame % 3 == 0 else None)
    assert numbers(tracked) == [1]


def test_several_trackers_share_their_numbers() -> None:
    shared = count(7)
    options = FusionOptions.recorded(FRAME_RATE)
    people, vehicles = FusionTracker(options, numbers=shared), FusionTracker(options, numbers=shared)
    assert numbers(show(people, [person(100)])) == [7]
    assert numbers(show(vehicles, [person(100), person(300)])) == [8, 9]
    assert numbers(show(people, [person(100), person(500)])) == [7, 10]


def pan(tracker: FusionTracker, *, is_told: bool) -> set[int]:
    """Jerk the camera to and fro by 90 pixels while three people stand; return their numbers at the end."""
    for frame in range(20):
        step = 90.0 * (-1) ** frame
        offset = 90.0 * (frame % 2)
        affine = np.array([[1, 0, -step], [0, 1, 0]]) if is_told and frame else None
        tracked = show(
            tracker, [person(100 + offset), person(190 + offset), person(280 + offset)], camera_affine=affine
        )
    return set(numbers(tracked))


def test_the_camera_s_motion_is_followed() -> None:
    assert pan(recorded(), is_told=True) == {1, 2, 3}
    assert pan(recorded(), is_told=False) != {1, 2, 3}


def test_a_zoom_scales_places_and_sizes() -> None:
    tracker = recorded()
    for _ in range(5):
        show(tracker, [person(100)])
    tracked = show(tracker, [np.multiply(person(100), 2).tolist()], camera_affine=np.array([[2.0, 0, 0], [0, 2, 0]]))
    assert numbers(tracked) == [1]
    np.testing.assert_allclose(tracked.boxes_xyxy[0], np.multiply(person(100), 2), atol=1)


def test_one_set_of_options_fits_every_frame_rate() -> None:
    for frame_rate in (2.0, 7.0, 30.0, 120.0):
        tracker = FusionTracker(FusionOptions.recorded(frame_rate))
        for frame in range(int(4 * frame_rate)):
            seconds = frame / frame_rate
            tracked = show(tracker, [person(100 + 100 * seconds)], [RED])
            assert numbers(tracked) == [1], frame_rate
        for _ in range(int(2.4 * frame_rate)):
            show(tracker, [], [])
        assert numbers(show(tracker, [person(100 + 100 * 6.4)], [RED])) == [1], frame_rate


def test_boxes_without_an_area_are_passed_over() -> None:
    tracker = recorded()
    tracked = show(tracker, [[5, 5, 5, 50], person(100)], [RED, GREEN])
    assert number_of_row(tracked) == {1: 1}


@pytest.mark.parametrize(
    ("boxes", "scores", "features", "affine", "reason"),
    [
        (np.zeros((2, 3)), np.zeros(2), None, None, r"\(N, 4\)"),
        (np.zeros((2, 4)), np.zeros(3), None, None, r"scores must have shape \(2,\)"),
        (np.full((1, 4), np.nan), np.ones(1), None, None, "not finite"),
        (np.array([[10, 0, 5, 9]]), np.ones(1), None, None, "ends before it starts"),
        (np.array([person(1)]), np.ones(1), np.ones((2, 3)), None, r"\(1, D\)"),
        (np.array([person(1)]), np.ones(1), np.ones((1, 4)), None, "4 dimensions"),
        (np.array([person(1)]), np.ones(1), None, np.eye(3), "camera_affine"),
        (np.array([person(1)]), np.ones(1), None, np.full((2, 3), np.inf), "camera_affine"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(
    boxes: np.ndarray, scores: np.ndarray, features: np.ndarray | None, affine: np.ndarray | None, reason: str
) -> None:
    tracker, other = recorded(), recorded()
    for one in (tracker, other):
        show(one, [person(100)], [RED])
    with pytest.raises(ValueError, match=reason):
        tracker.step(boxes, scores, features, camera_affine=affine)
    after, expected = (show(one, [person(110)], [RED]) for one in (tracker, other))
    np.testing.assert_array_equal(after.boxes_xyxy, expected.boxes_xyxy)
    assert numbers(after) == numbers(expected) == [1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"frame_rate": 0}, "frame_rate must be above 0, not 0"),
        ({"frame_rate": float("nan")}, "frame_rate"),
        ({"n_init": 0}, "n_init must be 1 or more"),
        ({"low_score": 0.7}, "must not fall"),
        ({"high_score": 1.5}, "high_score must lie from 0 to 1"),
        ({"max_lost_s": -1}, "max_lost_s must be above 0"),
        ({"max_hidden": 2}, "max_hidden must lie from 0 to 1"),
    ],
)
def test_bad_options_are_refused(changes: dict[str, float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FusionOptions(**{"frame_rate": 25.0, "n_init": 1, **changes})

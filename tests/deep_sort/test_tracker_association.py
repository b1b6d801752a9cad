"""Who is who: appearance, gate, age and overlap, frame by frame."""

from __future__ import annotations

import numpy as np
import pytest

from deep_sort.tracker import Tracker, TrackerOptions
from tests.deep_sort.scenes import BLUE, GREEN, RED, number_of_row, numbers, person, show


def meet_and_turn_round(*, with_features: bool) -> tuple[dict[int, int], dict[int, int]]:
    """Let two people walk up to each other, vanish behind a pillar and walk back; return who they were and are."""
    tracker = Tracker(TrackerOptions())
    features = [RED, GREEN] if with_features else None
    for frame in range(20):
        first = show(tracker, [person(100 + 6 * frame), person(360 - 6 * frame)], features)
    for _ in range(5):
        show(tracker, [], None if features is None else [])
    for frame in range(10):
        last = show(tracker, [person(206 - 6 * frame), person(254 + 6 * frame)], features)
    return number_of_row(first), number_of_row(last)


def test_appearance_keeps_people_apart_who_meet_and_turn_round_while_hidden() -> None:
    before, after = meet_and_turn_round(with_features=True)
    assert before == after == {0: 1, 1: 2}


def test_without_appearance_the_same_people_are_taken_for_each_other() -> None:
    before, after = meet_and_turn_round(with_features=False)
    assert before == {0: 1, 1: 2}
    assert after == {0: 2, 1: 1}


def test_people_keep_their_numbers_while_they_cross_and_one_hides_the_other() -> None:
    tracker = Tracker(TrackerOptions())
    for frame in range(60):
        right, left = person(100 + 5 * frame), person(400 - 5 * frame)
        if 24 <= frame <= 36:
            show(tracker, [right], [RED])
        else:
            tracked = show(tracker, [left, right], [GREEN, RED])
            if frame >= 2:
                assert number_of_row(tracked) == {0: 1, 1: 2}


def test_a_box_outside_the_gate_is_somebody_else_however_alike() -> None:
    tracker = Tracker(TrackerOptions())
    for _ in range(10):
        show(tracker, [person(100)], [RED])
    for _ in range(3):
        tracked = show(tracker, [person(900)], [RED])
    assert numbers(tracked) == [2]


def test_a_box_of_another_size_is_outside_the_gate() -> None:
    tracker = Tracker(TrackerOptions(max_iou_distance=0.2))
    for _ in range(10):
        show(tracker, [person(100)], [RED])
    for _ in range(3):
        tracked = show(tracker, [person(100, width=120, height=300)], [RED])
    assert numbers(tracked) == [2]


def test_a_coasting_track_is_not_found_again_by_overlap_with_another_appearance() -> None:
    tracker = Tracker(TrackerOptions())
    for _ in range(5):
        show(tracker, [person(100)], [RED])
    show(tracker, [], [])
    seen = [numbers(show(tracker, [person(100)], [BLUE])) for _ in range(3)]
    assert seen == [[], [], [2]]


def test_a_track_seen_in_the_frame_before_is_found_by_overlap_with_another_appearance() -> None:
    tracker = Tracker(TrackerOptions())
    for _ in range(5):
        show(tracker, [person(100)], [RED])
    assert numbers(show(tracker, [person(102)], [BLUE])) == [1]


def test_the_track_seen_last_wins_a_box_that_an_older_one_resembles_more() -> None:
    tracker = Tracker(TrackerOptions(max_cosine_distance=0.2))
    reddish = (1.0, 0.3, 0.0)
    for _ in range(3):
        show(tracker, [person(100), person(300)], [RED, reddish])
    for frame in range(1, 26):
        show(tracker, [person(300 - 7 * frame)], [reddish])
    assert number_of_row(show(tracker, [person(300 - 7 * 26)], [RED])) == {0: 2}


def test_an_older_track_gets_what_the_younger_one_leaves() -> None:
    tracker = Tracker(TrackerOptions())
    for _ in range(3):
        show(tracker, [person(100), person(160)], [RED, GREEN])
    for _ in range(8):
        show(tracker, [person(160)], [GREEN])
    assert number_of_row(show(tracker, [person(160), person(100)], [GREEN, RED])) == {0: 2, 1: 1}


def found_again_in_first_clothes(nn_budget: int | None) -> list[int]:
    tracker = Tracker(TrackerOptions(nn_budget=nn_budget))
    for feature in [RED] * 5 + [GREEN] * 5:
        show(tracker, [person(100)], [feature])
    show(tracker, [], [])
    return numbers(show(tracker, [person(100)], [RED]))


def test_appearances_beyond_the_budget_are_forgotten() -> None:
    assert found_again_in_first_clothes(nn_budget=5) == []
    assert found_again_in_first_clothes(nn_budget=6) == [1]
    assert found_again_in_first_clothes(nn_budget=None) == [1]


@pytest.mark.parametrize("unknown", [(0.0, 0.0, 0.0), (np.nan, 1.0, 0.0), (np.inf, 0.0, 0.0)])
def test_an_unknown_appearance_matches_by_overlap_alone_and_is_not_learned(unknown: tuple[float, ...]) -> None:
    tracker = Tracker(TrackerOptions(max_cosine_distance=2))
    for _ in range(5):
        show(tracker, [person(100)], [RED])
    assert numbers(show(tracker, [person(100)], [unknown])) == [1]
    show(tracker, [], [])
    assert numbers(show(tracker, [person(100)], [unknown])) == []
    assert numbers(show(tracker, [person(100), person(500)], [RED, RED])) == [1]


def test_a_person_whose_appearance_was_never_known_keeps_the_number_by_overlap() -> None:
    tracker = Tracker(TrackerOptions())
    for frame in range(20):
        tracked = show(tracker, [person(100 + 3 * frame)], [(0.0, 0.0, 0.0)])
    assert numbers(tracked) == [1]


def test_frames_with_and_without_features_may_alternate() -> None:
    tracker = Tracker(TrackerOptions())
    for frame in range(20):
        tracked = show(tracker, [person(100 + 3 * frame)], [RED] if frame % 3 == 0 else None)
    assert numbers(tracked) == [1]


def test_without_features_a_hidden_person_is_found_again_where_it_was_heading() -> None:
    tracker = Tracker(TrackerOptions())
    for frame in range(20):
        show(tracker, [person(100 + 3 * frame)])
    for _ in range(10):
        show(tracker, [])
    assert numbers(show(tracker, [person(100 + 3 * 30)])) == [1]

"""Undoing gives back exactly what was there, or says why not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from errors import RequestError
from store import events, identities, videos
from store.tables import Track
from tests.databases import NOON
from tests.store.identity_scene import Sessions, add_tracks, owner_of, state_of


def do(sessions: Sessions, work: Callable[[Session], identities.Done]) -> int:
    with sessions.begin() as session:
        event_id = work(session).event_id
    assert event_id is not None
    return event_id


def undo(sessions: Sessions, event_id: int) -> None:
    with sessions.begin() as session:
        events.undo(session, event_id, NOON)


@pytest.fixture
def two(sessions: Sessions) -> tuple[list[int], int, int]:
    """Return four tracks, the first two of one identity and the others of another, named and rejecting."""
    tracks = add_tracks(sessions, "Gate", [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)])
    with sessions.begin() as session:
        one = identities.confirm(session, tracks[:2], None, NOON).identity_id or 0
        other = identities.confirm(session, tracks[2:4], None, NOON).identity_id or 0
        identities.rename(session, other, "Bo", NOON)
        identities.reject(session, other, tracks[4:], NOON)
    return tracks, one, other


def test_undoing_a_merge_gives_back_exactly_what_was_there(sessions: Sessions, two: tuple[list[int], int, int]) -> None:
    _, one, other = two
    before = state_of(sessions)
    merged = do(sessions, lambda session: identities.merge(session, one, [other], NOON))
    after = state_of(sessions)
    assert after != before
    undo(sessions, merged)
    assert state_of(sessions) == before
    with sessions.begin() as session:
        events.redo(session, merged)
    assert state_of(sessions) == after


def test_a_merge_can_be_undone_after_events_that_changed_something_else(
    sessions: Sessions, two: tuple[list[int], int, int]
) -> None:
    tracks, one, other = two
    merged = do(sessions, lambda session: identities.merge(session, one, [other], NOON))
    later = add_tracks(sessions, "Hall", [(0, 1)])
    do(sessions, lambda session: identities.confirm(session, later, one, NOON))
    do(sessions, lambda session: identities.hide(session, [one], NOON))
    undo(sessions, merged)
    assert [owner_of(sessions, track)[0] for track in tracks[:4]] == [one, one, other, other]
    assert owner_of(sessions, later[0]) == (one, True)
    assert [(row[0], row[2], row[4]) for row in state_of(sessions)["identities"]] == [
        (one, "", True),
        (other, "Bo", False),
    ]


def test_a_later_change_of_the_same_is_named_and_undone_first(
    sessions: Sessions, two: tuple[list[int], int, int]
) -> None:
    tracks, one, other = two
    before = state_of(sessions)
    merged = do(sessions, lambda session: identities.merge(session, one, [other], NOON))
    split = do(sessions, lambda session: identities.split(session, one, [tracks[2]], NOON))
    with sessions.begin() as session, pytest.raises(RequestError) as caught:
        events.undo(session, merged, NOON)
    assert (caught.value.code, caught.value.params) == ("identity.changed_since", {"event": merged, "later": split})
    undo(sessions, split)
    undo(sessions, merged)
    assert state_of(sessions) == before


def test_an_identity_that_was_renamed_since_it_was_made_is_not_taken_away(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 1)])
    made = do(sessions, lambda session: identities.confirm(session, tracks, None, NOON))
    renamed = do(sessions, lambda session: identities.rename(session, 1, "Bo", NOON))
    with sessions.begin() as session, pytest.raises(RequestError, match=f"Undo event {renamed} first"):
        events.undo(session, made, NOON)
    assert state_of(sessions)["identities"][0][2] == "Bo"


def test_a_move_from_an_identity_that_is_gone_is_not_undone(
    sessions: Sessions, two: tuple[list[int], int, int]
) -> None:
    tracks, one, other = two
    moved = do(sessions, lambda session: identities.move(session, [tracks[0]], other, NOON))
    deleted = do(sessions, lambda session: identities.delete(session, [one], NOON))
    with sessions.begin() as session, pytest.raises(RequestError) as caught:
        events.undo(session, moved, NOON)
    assert caught.value.params["later"] == deleted


def test_an_event_is_undone_once_and_done_again_once(sessions: Sessions, two: tuple[list[int], int, int]) -> None:
    hidden = do(sessions, lambda session: identities.hide(session, [two[1]], NOON))
    with sessions.begin() as session, pytest.raises(RequestError, match="not undone"):
        events.redo(session, hidden)
    undo(sessions, hidden)
    with sessions.begin() as session, pytest.raises(RequestError, match="undone already"):
        events.undo(session, hidden, NOON)


def test_tracks_of_deleted_videos_are_left_out_of_an_undoing(
    sessions: Sessions, two: tuple[list[int], int, int]
) -> None:
    _, one, other = two
    hall = add_tracks(sessions, "Hall", [(0, 1)])
    do(sessions, lambda session: identities.confirm(session, hall, other, NOON))
    before = state_of(sessions)
    merged = do(sessions, lambda session: identities.merge(session, one, [other], NOON))
    with sessions.begin() as session:
        track = session.get(Track, hall[0])
        assert track is not None
        videos.delete(session, track.video_id)
    undo(sessions, merged)
    after = state_of(sessions)
    assert after["tracks"] == [row for row in before["tracks"] if row[0] != hall[0]]
    assert after["identities"] == before["identities"]


@pytest.mark.parametrize("seed", range(4))
def test_undoing_all_of_a_random_history_gives_exactly_the_first_state(sessions: Sessions, seed: int) -> None:
    tracks = add_tracks(sessions, "Gate", [(2 * start, 2 * start + 1) for start in range(8)])
    with sessions.begin() as session:
        for some in (tracks[:2], tracks[2:5], tracks[5:6]):
            identities.confirm(session, some, None, NOON)
    states, history = [state_of(sessions)], []
    chance = random.Random(seed)  # noqa: S311  # no secret
    while len(history) < 12:
        event_id = _do_something(sessions, chance, tracks)
        if event_id is not None:
            history.append(event_id)
            states.append(state_of(sessions))
    for event_id, before in zip(reversed(history), reversed(states[:-1]), strict=True):
        undo(sessions, event_id)
        assert state_of(sessions) == before
    for event_id, after in zip(history, states[1:], strict=True):
        with sessions.begin() as session:
            events.redo(session, event_id)
        assert state_of(sessions) == after


def _do_something(sessions: Sessions, chance: random.Random, tracks: list[int]) -> int | None:
    there = [row[0] for row in state_of(sessions)["identities"]]
    some = chance.sample(tracks, chance.randint(1, 3))
    one = chance.choice(there) if there else None
    ones = chance.sample(there, min(len(there), 2))
    works: list[Callable[[Session], identities.Done]] = [
        lambda session: identities.confirm(session, some, chance.choice([None, one]), NOON),
        lambda session: identities.rename(session, one or 0, chance.choice(["Bo", "阿宝", ""]), NOON),
        lambda session: identities.note(session, one or 0, chance.choice(["red", ""]), NOON),
        lambda session: identities.reject(session, one or 0, some, NOON),
        lambda session: identities.merge(session, ones[0], ones[1:], NOON),
        lambda session: identities.move(session, some, one or 0, NOON),
        lambda session: identities.split(session, one or 0, some, NOON),
        lambda session: identities.hide(session, ones, NOON),
        lambda session: identities.delete(session, ones[:1], NOON),
        lambda session: identities.create(session, "person", NOON, name="Al"),
    ]
    try:
        with sessions.begin() as session:
            return chance.choice(works)(session).event_id
    except (RequestError, IndexError):
        return None

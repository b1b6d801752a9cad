"""What people do with identities, and that each of it is one event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from errors import RequestError
from records import Kind
from store import events, identities
from tests.databases import NOON
from tests.store.identity_scene import Sessions, add_tracks, owner_of, state_of


def _confirm(sessions: Sessions, track_ids: list[int], identity_id: int | None = None) -> int:
    with sessions.begin() as session:
        made = identities.confirm(session, track_ids, identity_id, NOON).identity_id
    assert made is not None
    return made


def test_confirmed_tracks_make_an_identity_and_join_it(sessions: Sessions) -> None:
    gate, hall = add_tracks(sessions, "Gate", [(0, 2)]), add_tracks(sessions, "Hall", [(9, 12)])
    made = _confirm(sessions, gate)
    assert _confirm(sessions, hall, made) == made
    assert owner_of(sessions, gate[0]) == owner_of(sessions, hall[0]) == (made, True)


def test_confirming_without_an_identity_takes_that_of_a_confirmed_track(sessions: Sessions) -> None:
    gate, hall = add_tracks(sessions, "Gate", [(0, 2)]), add_tracks(sessions, "Hall", [(9, 12)])
    made = _confirm(sessions, gate)
    assert _confirm(sessions, [*gate, *hall]) == made


def test_a_track_confirmed_for_another_is_not_taken_from_it(sessions: Sessions) -> None:
    first, second = add_tracks(sessions, "Gate", [(0, 2), (3, 4)])
    one, two = _confirm(sessions, [first]), _confirm(sessions, [second])
    with sessions.begin() as session, pytest.raises(RequestError) as caught:
        identities.confirm(session, [second], one, NOON)
    assert (caught.value.code, caught.value.params) == ("identity.taken", {"other": two})


@pytest.mark.parametrize("is_same_video", [True, False])
def test_tracks_of_one_camera_and_time_are_refused_unless_allowed(sessions: Sessions, is_same_video: bool) -> None:
    if is_same_video:
        tracks = add_tracks(sessions, "Gate", [(0, 2), (1, 4)])
    else:
        later = NOON + timedelta(seconds=1)
        tracks = add_tracks(sessions, "Gate", [(0, 2)]) + add_tracks(sessions, "Gate", [(0, 2)], began_at=later)
    with sessions.begin() as session, pytest.raises(RequestError, match="same time"):
        identities.confirm(session, tracks, None, NOON)
    one, two = _confirm(sessions, tracks[:1]), _confirm(sessions, tracks[1:])
    with sessions.begin() as session, pytest.raises(RequestError, match="same time"):
        identities.merge(session, one, [two], NOON)
    with sessions.begin() as session:
        identities.merge(session, one, [two], NOON, allow_together=True)
    assert owner_of(sessions, tracks[1]) == (one, True)


def test_tracks_of_other_cameras_or_unknown_clocks_may_overlap(sessions: Sessions) -> None:
    gate = add_tracks(sessions, "Gate", [(0, 2)])
    hall = add_tracks(sessions, "Hall", [(0, 2)])
    unknown = add_tracks(sessions, "Gate", [(0, 2)], began_at=None)
    assert _confirm(sessions, [*gate, *hall, *unknown])


def test_a_person_and_a_car_are_not_one(sessions: Sessions) -> None:
    people = add_tracks(sessions, "Gate", [(0, 2)])
    cars = add_tracks(sessions, "Hall", [(0, 2)], kind=Kind.VEHICLE)
    with sessions.begin() as session, pytest.raises(RequestError, match="vehicle"):
        identities.confirm(session, [*people, *cars], None, NOON)
    one, two = _confirm(sessions, people), _confirm(sessions, cars)
    with sessions.begin() as session, pytest.raises(RequestError, match="vehicle"):
        identities.merge(session, one, [two], NOON)


def test_a_rejected_track_leaves_and_confirming_it_takes_the_word_back(sessions: Sessions) -> None:
    first, second = add_tracks(sessions, "Gate", [(0, 2), (3, 4)])
    made = _confirm(sessions, [first, second])
    with sessions.begin() as session:
        identities.reject(session, made, [second], NOON)
    assert owner_of(sessions, second) == (None, False)
    assert state_of(sessions)["rejections"] == [(made, second)]
    _confirm(sessions, [second], made)
    assert state_of(sessions)["rejections"] == []


def test_an_identity_without_tracks_and_words_goes_and_a_named_one_stays(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 2), (3, 4), (5, 6)])
    _, named, target = (_confirm(sessions, [track]) for track in tracks)
    with sessions.begin() as session:
        identities.rename(session, named, "Bo", NOON)
        identities.move(session, tracks[:2], target, NOON)
    assert [row[0] for row in state_of(sessions)["identities"]] == [named, target]
    assert state_of(sessions)["rejections"] == [(named, tracks[1])]


def test_a_merge_joins_tracks_names_notes_and_rejections(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 2), (3, 4), (5, 6)])
    one, two = _confirm(sessions, tracks[:1]), _confirm(sessions, tracks[1:2])
    with sessions.begin() as session:
        identities.rename(session, two, "阿宝", NOON)
        identities.note(session, one, "red coat", NOON)
        identities.note(session, two, "a bag", NOON)
        identities.reject(session, two, [tracks[0], tracks[2]], NOON)
        identities.merge(session, one, [two], NOON)
    state = state_of(sessions)
    assert [row[:4] for row in state["identities"]] == [(one, "person", "阿宝", "red coat\na bag")]
    assert state["rejections"] == [(one, tracks[2])]
    assert {row[1] for row in state["tracks"][:2]} == {one}


def test_split_tracks_are_another_identity_and_neither_is_offered_to_the_other(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 2), (3, 4)])
    made = _confirm(sessions, tracks)
    with sessions.begin() as session:
        other = identities.split(session, made, tracks[1:], NOON).identity_id
    assert other is not None
    assert owner_of(sessions, tracks[1]) == (other, True)
    assert state_of(sessions)["rejections"] == [(made, tracks[1]), (other, tracks[0])]
    with sessions.begin() as session, pytest.raises(RequestError, match="does not belong"):
        identities.split(session, made, tracks[1:], NOON)


def test_all_of_a_choice_is_hidden_shown_and_deleted_in_one_event_each(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 2), (3, 4)])
    chosen = [_confirm(sessions, [track]) for track in tracks]
    before = state_of(sessions)
    with sessions.begin() as session:
        identities.hide(session, chosen, NOON)
        assert all(row.is_hidden for row in [identities.get(session, one) for one in chosen])
        identities.show(session, chosen, NOON)
    assert state_of(sessions) == before
    with sessions.begin() as session:
        done = identities.delete(session, chosen, NOON)
    assert state_of(sessions)["identities"] == []
    assert done.event_id is not None
    with sessions.begin() as session:
        events.undo(session, done.event_id, NOON)
        assert [event.kind for event in events.page(session)[0]] == ["delete", "show", "hide", "confirm", "confirm"]
    assert state_of(sessions) == before


def test_what_changes_nothing_is_no_event(sessions: Sessions) -> None:
    made = _confirm(sessions, add_tracks(sessions, "Gate", [(0, 2)]))
    with sessions.begin() as session:
        assert identities.rename(session, made, "", NOON).event_id is None
        assert identities.confirm_all(session, [made], NOON).event_id is None
        assert events.page(session)[1] == 1


def test_unknown_tracks_and_identities_are_not_found(sessions: Sessions) -> None:
    made = _confirm(sessions, add_tracks(sessions, "Gate", [(0, 2)]))
    for work in (
        lambda session: identities.confirm(session, [999], made, NOON),
        lambda session: identities.confirm(session, [], None, NOON),
        lambda session: identities.reject(session, 999, [1], NOON),
        lambda session: identities.merge(session, made, [999], NOON),
        lambda session: events.undo(session, 999, NOON),
    ):
        with sessions.begin() as session, pytest.raises(RequestError) as caught:
            work(session)
        assert caught.value.status == 404

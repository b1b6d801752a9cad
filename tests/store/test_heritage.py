"""What was decided about tracks stays when their video is tracked again, and what cannot stay is said."""

from __future__ import annotations

import pytest

from records import Kind
from store import events, identities, videos
from store.tables import Track
from tests.databases import NOON
from tests.store.identity_scene import (
    Sessions,
    a_track,
    add_tracks,
    ids_of,
    owner_of,
    publish_tracks,
    state_of,
)


def _video_of(sessions: Sessions, track_id: int) -> str:
    with sessions() as session:
        track = session.get(Track, track_id)
        assert track is not None
        return track.video_id


@pytest.fixture
def decided(sessions: Sessions) -> tuple[str, list[int], int]:
    """Return a video, its three tracks, and an identity that has the first and rejects the second."""
    tracks = add_tracks(sessions, "Gate", [(0, 2), (2, 4), (5, 9)])
    with sessions.begin() as session:
        made = identities.confirm(session, tracks[:1], None, NOON).identity_id or 0
        identities.reject(session, made, tracks[1:2], NOON)
    return _video_of(sessions, tracks[0]), tracks, made


def test_a_track_that_is_found_again_keeps_its_id_and_all_that_was_said_of_it(
    sessions: Sessions, decided: tuple[str, list[int], int]
) -> None:
    video_id, tracks, made = decided
    again = [a_track(1, 5, 9), a_track(2, 0, 2), a_track(3, 2, 4), a_track(4, 3, 4)]
    publish_tracks(sessions, video_id, again, heirs={1: [2], 2: [3], 3: [1]})
    assert ids_of(sessions, video_id)[:3] == [tracks[2], tracks[0], tracks[1]]
    assert owner_of(sessions, tracks[0]) == (made, True)
    assert state_of(sessions)["rejections"] == [(made, tracks[1])]
    assert ids_of(sessions, video_id)[3] > max(tracks)


def test_pieces_of_a_track_share_its_identity_its_rejections_and_the_undoing(
    sessions: Sessions, decided: tuple[str, list[int], int]
) -> None:
    video_id, tracks, made = decided
    before = state_of(sessions)
    with sessions.begin() as session:
        other = identities.confirm(session, tracks[2:], None, NOON).identity_id or 0
        merged = identities.merge(session, other, [made], NOON).event_id or 0
    pieces = [a_track(1, 0, 1), a_track(2, 1, 2), a_track(3, 2, 3), a_track(4, 3, 4), a_track(5, 5, 9)]
    publish_tracks(sessions, video_id, pieces, heirs={1: [2, 1], 2: [3, 4], 3: [5]})
    now = ids_of(sessions, video_id)
    assert [now[1], now[2], now[4]] == tracks
    assert [owner_of(sessions, track)[0] for track in now] == [other, other, None, None, other]
    with sessions.begin() as session:
        events.undo(session, merged, NOON)
    assert [owner_of(sessions, track) for track in now[:2]] == [(made, True)] * 2
    assert owner_of(sessions, now[4]) == (other, True)
    assert set(before["rejections"]) <= set(state_of(sessions)["rejections"])


def test_a_confirmed_track_that_is_not_found_again_is_named_in_the_history(
    sessions: Sessions, decided: tuple[str, list[int], int]
) -> None:
    video_id, _, made = decided
    publish_tracks(sessions, video_id, [a_track(1, 5, 9)], heirs={3: [1]})
    with sessions() as session:
        event = events.page(session, identity_id=made)[0][0]
        assert identities.get(session, made)
    assert (event.kind, event.actor, event.params["lost"]) == ("carry", "program", [[made, 1, 0.0, 2.0]])


def test_an_empty_proposal_goes_with_its_last_track(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 2), (3, 4)])
    with sessions.begin() as session:
        one, two = (identities.create(session, "person", NOON).identity_id for _ in range(2))
        session.get_one(Track, tracks[0]).identity_id = one
        session.get_one(Track, tracks[1]).identity_id = two
    publish_tracks(sessions, _video_of(sessions, tracks[0]), [a_track(1, 3, 4)], heirs={2: [1]})
    assert [row[0] for row in state_of(sessions)["identities"]] == [two]


def test_a_track_that_became_a_car_is_nobodys(sessions: Sessions, decided: tuple[str, list[int], int]) -> None:
    video_id, tracks, _ = decided
    publish_tracks(sessions, video_id, [a_track(1, 0, 2, kind=Kind.VEHICLE)], heirs={1: [1]})
    (track,) = ids_of(sessions, video_id)
    assert track not in tracks
    assert owner_of(sessions, track) == (None, False)


def test_no_id_of_a_track_is_used_twice(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 2)])
    publish_tracks(sessions, _video_of(sessions, tracks[0]), [a_track(1, 0, 2)])
    assert ids_of(sessions, _video_of(sessions, max(ids_of_all(sessions))))[0] > tracks[0]


def ids_of_all(sessions: Sessions) -> list[int]:
    return [row[0] for row in state_of(sessions)["tracks"]]


def test_deleting_a_video_takes_unnamed_identities_that_it_alone_had(sessions: Sessions) -> None:
    gate, hall = add_tracks(sessions, "Gate", [(0, 1), (2, 3), (4, 5)]), add_tracks(sessions, "Hall", [(0, 1)])
    with sessions.begin() as session:
        alone, named, shared = (identities.confirm(session, [track], None, NOON).identity_id or 0 for track in gate)
        identities.rename(session, named, "Bo", NOON)
        identities.confirm(session, hall, shared, NOON)
        videos.delete(session, session.get_one(Track, gate[0]).video_id)
    assert alone not in {named, shared}
    assert [row[0] for row in state_of(sessions)["identities"]] == [named, shared]

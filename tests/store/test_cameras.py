"""Cameras: what people say of them and of the ways between them."""

from __future__ import annotations

import pytest

from errors import RequestError
from store import cameras, identities, videos
from store.search_tables import CameraLink
from tests.databases import NOON
from tests.store.identity_scene import Sessions, add_tracks


def camera_id(sessions: Sessions, name: str) -> int:
    with sessions.begin() as session:
        return videos.camera_named(session, name).id


def test_a_camera_is_changed_and_a_taken_name_refused(sessions: Sessions) -> None:
    north, _ = camera_id(sessions, "north"), camera_id(sessions, "south")
    with sessions.begin() as session:
        cameras.change(session, north, {"place": "gate", "time_zone": "Asia/Shanghai", "clock_offset_s": -3.5})
    with sessions.begin() as session, pytest.raises(RequestError) as raised:
        cameras.change(session, north, {"name": "south"})
    assert raised.value.code == "camera.name_taken"
    with sessions() as session:
        row = cameras.get(session, north)
        assert (row.name, row.place, row.clock_offset_s) == ("north", "gate", -3.5)
        with pytest.raises(RequestError):
            cameras.get(session, 99)


def test_a_way_is_entered_replaced_and_forgotten(sessions: Sessions) -> None:
    ends = (camera_id(sessions, "north"), camera_id(sessions, "south"))
    with sessions.begin() as session:
        cameras.put_link(session, ends, is_possible=True, least_s=5, most_s=50)
        cameras.put_link(session, ends, is_possible=False, least_s=1, most_s=2)
    with sessions() as session:
        (link,) = cameras.links(session)
        assert (link.is_possible, link.least_s, link.most_s) == (False, 1, 2)
    for values in ({"least_s": 9, "most_s": 2}, {"least_s": -1, "most_s": 2}):
        with sessions() as session, pytest.raises(RequestError) as raised:
            cameras.put_link(session, ends, is_possible=True, **values)
        assert raised.value.code == "camera.link_times"
    with sessions.begin() as session:
        cameras.remove_link(session, ends)
        assert session.get(CameraLink, ends) is None


def test_confirmed_sightings_come_by_identity_and_true_time(sessions: Sessions) -> None:
    (south,) = add_tracks(sessions, "south", [(40, 45)])
    (north,) = add_tracks(sessions, "north", [(0, 5)])
    add_tracks(sessions, "west", [(0, 5)])
    with sessions.begin() as session:
        identities.confirm(session, [south, north], None, NOON)
        cameras.change(session, videos.camera_named(session, "south").id, {"clock_offset_s": 10.0})
    with sessions() as session:
        found = cameras.confirmed_sightings(session)
    noon_s = NOON.timestamp()
    assert [(each.begin_s - noon_s, each.end_s - noon_s) for each in found] == [(0, 5), (50, 55)]

"""Cameras: what is known of each, and the ways between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from errors import RequestError
from store.search_tables import CameraLink
from store.tables import Camera, Track, Video
from store.vectors import epoch_s

_PLAIN = {"synchronize_session": False}
Pair = tuple[int, int]


@dataclass(frozen=True)
class Sighting:
    """A confirmed track of an identity, by true time in seconds since 1970."""

    identity_id: int
    camera_id: int
    begin_s: float
    end_s: float


def get(session: Session, camera_id: int) -> Camera:
    """Return a camera.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none.
    """
    camera = session.get(Camera, camera_id)
    if camera is None:
        raise RequestError("request.not_found", status=404)
    return camera


def change(session: Session, camera_id: int, values: Mapping[str, Any]) -> Camera:
    """Change name, place, time zone or clock offset of a camera.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none, ``camera.name_taken`` when another one is called so.
    """
    camera = get(session, camera_id)
    try:
        with session.begin_nested():
            for name, value in values.items():
                setattr(camera, name, value)
            session.flush()
    except IntegrityError as error:
        raise RequestError("camera.name_taken", status=409, name=str(values.get("name"))) from error
    return camera


def video_counts(session: Session) -> Mapping[int, int]:
    """Return how many videos each camera has; those without any are left out."""
    query = select(Video.camera_id, func.count()).group_by(Video.camera_id)
    return {row[0]: row[1] for row in session.execute(query)}


def links(session: Session) -> Sequence[CameraLink]:
    """Return all that was said about ways between cameras."""
    return session.scalars(select(CameraLink).order_by(CameraLink.from_camera_id, CameraLink.to_camera_id)).all()


def put_link(session: Session, ends: Pair, *, is_possible: bool, least_s: float, most_s: float) -> CameraLink:
    """Say how one camera follows another, in the place of what was said before.

    Raises
    ------
    RequestError
        ``request.not_found`` when one of the cameras is not there, ``camera.link_times`` for an empty range.
    """
    if not 0 <= least_s <= most_s:
        raise RequestError("camera.link_times", status=422, least_s=least_s, most_s=most_s)
    for camera_id in ends:
        get(session, camera_id)
    link = session.get(CameraLink, ends)
    if link is None:
        link = CameraLink(from_camera_id=ends[0], to_camera_id=ends[1])
        session.add(link)
    link.is_possible, link.least_s, link.most_s = is_possible, least_s, most_s
    session.flush()
    return link


def remove_link(session: Session, ends: Pair) -> None:
    """Forget what was said; what is learnt holds again."""
    session.execute(
        delete(CameraLink).where(CameraLink.from_camera_id == ends[0], CameraLink.to_camera_id == ends[1]),
        execution_options=_PLAIN,
    )


def confirmed_sightings(session: Session) -> list[Sighting]:
    """Return the confirmed tracks whose true time is known, identity by identity, each by its time."""
    query = (
        select(Track.identity_id, Video.camera_id, Video.started_at, Camera.clock_offset_s, Track.first_s, Track.last_s)
        .join(Video, Video.id == Track.video_id)
        .join(Camera, Camera.id == Video.camera_id)
        .where(Track.identity_id.is_not(None), Track.is_confirmed, Video.started_at.is_not(None))
    )
    found = []
    for identity_id, camera_id, started_at, offset_s, first_s, last_s in session.execute(query):
        began_s = epoch_s(started_at, offset_s)
        if began_s is not None and identity_id is not None:
            found.append(Sighting(identity_id, camera_id, began_s + first_s, began_s + last_s))
    return sorted(found, key=lambda each: (each.identity_id, each.begin_s, each.end_s))

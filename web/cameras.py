"""Cameras and the ways between them through the JSON API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from errors import RequestError
from search.transitions import Way, known_ways
from store import cameras, videos
from store.cameras import Pair
from store.tables import Camera
from web import present, schemas, search_schemas
from web.blueprints import api
from web.names import clean_text
from web.openapi import describe
from web.services import Services, services
from web.times import find_zone
from web.videos import shown_cameras

Shown = dict[str, Any]


def counted_cameras(bundle: Services) -> list[Shown]:
    """Return all cameras as they are shown, each with how many videos it has."""
    with bundle.session() as session:
        counts = cameras.video_counts(session)
        return [{**present.camera(row), "videos": counts.get(row.id, 0)} for row in videos.cameras(session)]


def shown_ways(bundle: Services) -> list[Shown]:
    """Return the ways between cameras as they are shown, those of one camera together."""
    with bundle.session() as session:
        return [_way(session, pair, way) for pair, way in sorted(known_ways(session).items())]


def change_camera(bundle: Services, number: int, fields: Mapping[str, Any]) -> Shown:
    """Change a camera and return it as it is shown.

    Parameters
    ----------
    fields : see `web.search_schemas.CameraChange`.

    Raises
    ------
    RequestError
        when there is none, and for a name that is taken or a time zone that is none.
    """
    values = {name: clean_text(value) if isinstance(value, str) else value for name, value in fields.items()}
    if values.get("name") == "":
        raise RequestError("request.missing", status=422, name="name")
    if values.get("time_zone"):
        find_zone(values["time_zone"])
    with bundle.session() as session:
        row = cameras.change(session, number, values)
        session.commit()
        return present.camera(row)


def put_way(bundle: Services, ends: Pair, fields: Mapping[str, Any]) -> Shown:
    """Say how one camera follows another and return the way as it is shown.

    Parameters
    ----------
    fields : see `web.search_schemas.CameraWayChange`.
    """
    if ends[0] == ends[1]:
        raise RequestError("request.not_found", status=404)
    with bundle.session() as session:
        cameras.put_link(session, ends, **fields)
        session.commit()
        return _way(session, ends, known_ways(session)[ends])


def forget_way(bundle: Services, ends: Pair) -> None:
    """Forget what a person said about a way; what is learnt holds again."""
    with bundle.session() as session:
        cameras.remove_link(session, ends)
        session.commit()


def _way(session: Session, pair: Pair, way: Way) -> Shown:
    start, end = (session.get_one(Camera, camera_id) for camera_id in pair)
    return {
        "from_camera": present.camera(start),
        "to_camera": present.camera(end),
        "passages": way.passages,
        "is_possible": way.is_possible,
        "is_edited": way.is_edited,
        "is_used": way.is_used,
        "least_s": way.least_s,
        "median_s": way.median_s,
        "most_s": way.most_s,
    }


@api.get("/cameras")
@describe("Cameras", "List the cameras by name.", answer=schemas.Cameras)
def list_cameras() -> Shown:
    return {"cameras": shown_cameras(services())}


@api.patch("/cameras/<int:number>")
@api.input(search_schemas.CameraChange)
@describe(
    "Cameras",
    "Change a camera's name, place, time zone or clock.",
    "A clock offset corrects the times of all its videos, wherever they are shown and compared.",
    errors=(403, 404, 409, 415, 422),
    answer=schemas.Camera,
)
def edit_camera(number: int, json_data: Shown) -> Shown:
    return change_camera(services(), number, json_data)


@api.get("/cameras/ways")
@describe(
    "Cameras",
    "List which cameras can follow which, and how soon.",
    "Learnt from confirmed tracks; what a person said wins. Searching prefers answers that fit.",
    answer=search_schemas.CameraWays,
)
def list_ways() -> Shown:
    return {"ways": shown_ways(services())}


@api.put("/cameras/ways/<int:start>/<int:end>")
@api.input(search_schemas.CameraWayChange)
@describe(
    "Cameras",
    "Say how one camera follows another.",
    errors=(403, 404, 415, 422),
    answer=search_schemas.CameraWay,
)
def edit_way(start: int, end: int, json_data: Shown) -> Shown:
    return put_way(services(), (start, end), json_data)


@api.delete("/cameras/ways/<int:start>/<int:end>")
@describe(
    "Cameras",
    "Forget what a person said about a way.",
    errors=(403,),
    responses={204: "What is learnt holds again."},
)
def delete_way(start: int, end: int) -> Response:
    forget_way(services(), (start, end))
    return Response(status=204)

"""Searching through the JSON API: by tracks, by people in pictures, by an identity; what is decided about answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask, Response, current_app, request, send_file, url_for
from sqlalchemy.orm import Session

from errors import RequestError
from search.engine import Engine
from search.question import Filters, Question
from store import identities, models, queries, search
from store.search_tables import QueryPerson
from store.tables import DONE, FAILED
from web import answers, pictures, search_schemas
from web.blueprints import api
from web.openapi import describe
from web.services import Services, services
from web.times import find_zone, parse_time

Shown = dict[str, Any]
_ENGINE = "resight_engine"
_LISTS = frozenset({"track", "person", "camera"})


def engine() -> Engine:
    """Return the engine of the application that handles this request."""
    found = current_app.extensions[_ENGINE]
    if not isinstance(found, Engine):
        raise TypeError(f"extension {_ENGINE!r} is {type(found).__name__}, not Engine")
    return found


def init_search(app: Flask, folder: Path) -> None:
    """Give the application its engine, and let pictures in."""
    app.extensions[_ENGINE] = Engine(folder)
    app.before_request(pictures.allow_pictures)


def shown_answers(bundle: Services, fields: Mapping[str, Any]) -> Shown:
    """Return the answers to a question as they are shown.

    Parameters
    ----------
    fields : see `web.search_schemas.SearchQuery`.

    Raises
    ------
    RequestError
        for a question that cannot be answered, with the reason.
    """
    with bundle.session() as session:
        people = _people(session, fields["person"])
        question = Question(
            track_ids=tuple(fields["track"]),
            pictures=tuple(np.frombuffer(row.vector, "<f4") for row in people),
            picture_kind=people[0].kind if people else "",
            identity_id=fields["identity"],
            filters=_filters(fields),
            uses_ways=fields["ways"],
            is_reranked=fields["rerank"],
            least=fields["least"],
            limit=fields["limit"],
            offset=fields["offset"],
        )
        return answers.answers(session, engine().answer(session, question), people)


def asked_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what names who is looked for, as the arguments of an address."""
    asked = {"track": fields["track"], "person": fields["person"], "identity": fields["identity"]}
    return {name: value for name, value in asked.items() if value}


def decide(bundle: Services, fields: Mapping[str, Any]) -> Shown:
    """Confirm or reject an answer, and make an identity of who was looked for where there is none.

    Parameters
    ----------
    fields : see `web.search_schemas.Decision`.
    """
    now = bundle.now()
    with bundle.session() as session:
        sights = search.sights(session, [*fields["track"], fields["answer"]])
        if fields["answer"] not in sights:
            raise RequestError("request.not_found", status=404)
        number = fields["identity"]
        if number is None:
            asked = [sights[one].track for one in fields["track"] if one in sights]
            number = next((track.identity_id for track in asked if track.is_confirmed), None)
        if fields["decision"] == search_schemas.CONFIRM:
            named = [one for one in fields["track"] if one in sights]
            done = identities.confirm(session, [*named, fields["answer"]], number, now)
        else:
            number = number if number is not None else _new_identity(session, bundle, fields, sights)
            done = identities.reject(session, number, [fields["answer"]], now)
        session.commit()
    number = done.identity_id if done.identity_id is not None else number
    return {
        "identity": number,
        "event_id": done.event_id,
        "undo_url": None if done.event_id is None else url_for("api.undo_event", event_id=done.event_id),
        "search_url": url_for("pages.search", **{**asked_of(fields), "identity": number}),
    }


def _new_identity(
    session: Session, bundle: Services, fields: Mapping[str, Any], sights: Mapping[int, search.Sight]
) -> int:
    """Make an identity of the tracks that were asked about, or an empty one for pictures."""
    named = [one for one in fields["track"] if one in sights]
    if named:
        done = identities.confirm(session, named, None, bundle.now())
    else:
        done = identities.create(session, sights[fields["answer"]].track.kind, bundle.now())
    if done.identity_id is None:
        raise RequestError("request.not_found", status=404)
    return done.identity_id


def _people(session: Session, names: Sequence[str]) -> list[QueryPerson]:
    """Return people in pictures by their ids.

    Raises
    ------
    RequestError
        for one that is not there, and where another model described it than the one searching uses.
    """
    found = []
    active = models.active(session).name
    for name in names:
        query_id, _, number = name.rpartition("-")
        if not number.isdigit():
            raise RequestError("request.not_found", status=404)
        row = queries.get(session, query_id)
        if row.state != DONE:
            code = "search.nobody_found" if row.state == FAILED else "search.query_not_ready"
            raise RequestError(code, status=409)
        if row.embedder != active:
            raise RequestError("search.other_model", status=409, model=row.embedder)
        found.append(queries.person(session, query_id, int(number)))
    if len({person.kind for person in found}) > 1:
        raise RequestError("search.kinds_differ", status=422)
    return found


def _filters(fields: Mapping[str, Any]) -> Filters:
    zone = find_zone(fields["time_zone"])
    since, until = (parse_time(fields[name], zone) for name in ("since", "until"))
    return Filters(
        camera_ids=frozenset(fields["camera"]),
        kind=fields["kind"],
        from_s=None if since is None else since.timestamp(),
        to_s=None if until is None else until.timestamp(),
    )


@api.get("/search")
@api.input(search_schemas.SearchQuery, location="query")
@describe(
    "Search",
    "Ask where else somebody was seen.",
    "Answers are suggestions, ranked by how alike two descriptions are; people decide. Left out are the tracks "
    "that were asked about, those that were rejected for the identity, and those that one camera saw at the same time.",
    errors=(404, 409, 422),
    answer=search_schemas.SearchAnswers,
)
def search_tracks(query_data: Shown) -> Shown:
    return shown_answers(services(), query_data)


@api.post("/search/decisions")
@api.input(search_schemas.Decision)
@describe(
    "Search",
    "Say that an answer is, or is not, who was looked for.",
    "Confirmed tracks join the identity and help in the next search; rejected ones never come back for it.",
    errors=(403, 404, 409, 415, 422),
    answer=search_schemas.Decided,
)
def decide_answer(json_data: Shown) -> Shown:
    return decide(services(), json_data)


@api.post("/search/queries")
@describe(
    "Search",
    "Send pictures of somebody to search by.",
    "A worker finds the people and vehicles in them within seconds; poll the answer's address, then search by one.",
    errors=(403, 413, 422, 429, 507),
    body={"multipart/form-data": {"schema": search_schemas.QueryFiles}},
    answer=search_schemas.Query,
    status=201,
)
def add_query() -> tuple[Shown, int]:
    bundle = services()
    query_id = pictures.receive(bundle, pictures.sent_pictures())
    return shown_query(bundle, query_id), 201


def shown_query(bundle: Services, query_id: str) -> Shown:
    """Return pictures to search by as they are shown.

    Raises
    ------
    RequestError
        ``search.query_gone`` where there are none.
    """
    return answers.query(pictures.find(bundle, query_id), kept_s=bundle.settings.query_expiry_s)


@api.get("/search/queries/<id:query_id>")
@describe("Search", "Read who is in the pictures.", errors=(404,), answer=search_schemas.Query)
def get_query(query_id: str) -> Shown:
    return shown_query(services(), query_id)


@api.delete("/search/queries/<id:query_id>")
@describe("Search", "Delete the pictures now.", errors=(403,), responses={204: "They are gone."})
def delete_query(query_id: str) -> Response:
    pictures.remove(services(), query_id)
    return Response(status=204)


@api.get("/search/queries/<id:query_id>/pictures/<int:place>.jpg")
@describe("Search", "Fetch a picture as it is searched by.", errors=(404,), files={"image/jpeg": "A JPEG picture."})
def query_picture(query_id: str, place: int) -> Response:
    return _send(services().storage.query(query_id).picture(place))


@api.get("/search/queries/<id:query_id>/people/<int:number>.jpg")
@describe("Search", "Fetch the cut-out of somebody.", errors=(404,), files={"image/jpeg": "A JPEG picture."})
def query_person(query_id: str, number: int) -> Response:
    return _send(services().storage.query(query_id).person(number))


def _send(path: Path) -> Response:
    if not path.is_file():
        raise RequestError("search.query_gone", status=404)
    response = send_file(path, mimetype="image/jpeg", conditional=True)
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def fields_of_address() -> dict[str, Any]:
    """Return the fields of a question from the address of a page: lists where a name comes often, nothing empty."""
    values = request.values
    return {
        name: [value for value in values.getlist(name) if value] if name in _LISTS else values.get(name)
        for name in values
        if name in _LISTS or values.get(name)
    }

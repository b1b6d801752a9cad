"""Identities through the JSON API: list, read, name, confirm, reject, merge, split, move, delete, undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from errors import RequestError
from search import duplicates
from search.scrub import erase_gone
from store import events, forgetting, identities, models, sightings
from store.identities import Done
from store.sightings import Filter
from web import identity_present as shown_as
from web import identity_schemas as schemas
from web.blueprints import api
from web.names import clean_text
from web.openapi import describe
from web.services import Services, services

Shown = dict[str, Any]
_TAG = "Identities"


def shown_identities(bundle: Services, wanted: Filter, *, limit: int, offset: int) -> tuple[list[Shown], int]:
    """Return a part of the list of identities as it is shown, and how many there are in all."""
    with bundle.session() as session:
        rows, total = sightings.page(session, wanted, limit=limit, offset=offset)
        seen = sightings.of_identities(session, [row.id for row in rows])
        return [shown_as.identity(row, seen[row.id]) for row in rows], total


def shown_identity(bundle: Services, number: int) -> Shown:
    """Return an identity with its sightings as it is shown.

    Raises
    ------
    RequestError
        when there is none.
    """
    with bundle.session() as session:
        row = identities.get(session, number)
        seen = sightings.of_identities(session, [number])[number]
        return {**shown_as.identity(row, seen), "sightings": [shown_as.sighting(one) for one in seen]}


def shown_events(bundle: Services, *, identity_id: int | None, limit: int, offset: int) -> tuple[list[Shown], int]:
    """Return a part of the history as it is shown, and how many events there are in all."""
    with bundle.session() as session:
        rows, total = events.page(session, identity_id=identity_id, limit=limit, offset=offset)
        subjects = events.subjects_of(session, [row.id for row in rows])
        return [shown_as.event(row, subjects[row.id]) for row in rows], total


def shown_duplicates(bundle: Services, *, limit: int) -> Shown:
    """Return the pairs of identities that may be one, as they are shown."""
    with bundle.session() as session:
        model = models.active(session).name
        pairs = duplicates.likely(session, model, limit=limit) if model else []
        numbers = list({number for pair in pairs for number in (pair.first_id, pair.second_id)})
        seen = sightings.of_identities(session, numbers)
        rows = {number: shown_as.identity(identities.get(session, number), seen[number]) for number in numbers}
    return {
        "model": model,
        "pairs": [
            {"first": rows[pair.first_id], "second": rows[pair.second_id], "similarity": pair.similarity}
            for pair in pairs
        ],
    }


def change(bundle: Services, work: Callable[[Session, datetime], Done]) -> Done:
    """Do something that is one event, and commit it."""
    with bundle.session() as session:
        done = work(session, bundle.now())
        session.commit()
    return done


def act_on_identities(bundle: Services, action: str, numbers: Sequence[int], *, allow_together: bool = False) -> Done:
    """Do one of `web.identity_schemas.IDENTITY_ACTIONS`."""
    if action == "forget":
        return _forget(bundle, numbers)
    if action in ("merge", "keep_apart") and len(numbers) < 2:
        raise RequestError("identity.choose_two", status=422)
    works: dict[str, Callable[[Session, datetime], Done]] = {
        "merge": lambda session, now: identities.merge(
            session, numbers[0], numbers[1:], now, allow_together=allow_together
        ),
        "confirm": lambda session, now: identities.confirm_all(session, numbers, now),
        "hide": lambda session, now: identities.hide(session, numbers, now),
        "show": lambda session, now: identities.show(session, numbers, now),
        "delete": lambda session, now: identities.delete(session, numbers, now),
        "keep_apart": lambda session, now: identities.keep_apart(session, numbers[0], numbers[1], now),
    }
    return change(bundle, works[action])


def act_on_tracks(
    bundle: Services,
    action: str,
    number: int,
    track_ids: Sequence[int],
    *,
    to: int | None = None,
    allow_together: bool = False,
) -> Done:
    """Do one of `web.identity_schemas.TRACK_ACTIONS` with tracks of an identity, or for it."""
    if action == "move" and to is None:
        raise RequestError("request.missing", status=422, name="to")
    works: dict[str, Callable[[Session, datetime], Done]] = {
        "confirm": lambda session, now: identities.confirm(
            session, track_ids, number, now, allow_together=allow_together
        ),
        "reject": lambda session, now: identities.reject(session, number, track_ids, now),
        "split": lambda session, now: identities.split(session, number, track_ids, now),
        "move": lambda session, now: identities.move(session, track_ids, to or 0, now, allow_together=allow_together),
    }
    return change(bundle, works[action])


def change_words(bundle: Services, number: int, fields: Shown) -> Done:
    """Change an identity's name or note; each is an event of its own."""
    done = Done(number, None)
    if "name" in fields:
        name = clean_text(fields["name"])
        done = change(bundle, lambda session, now: identities.rename(session, number, name, now))
    if "note" in fields:
        note = "\n".join(clean_text(line) for line in fields["note"].splitlines()).strip()
        noted = change(bundle, lambda session, now: identities.note(session, number, note, now))
        done = done if noted.event_id is None else noted
    return done


def undo(bundle: Services, event_id: int) -> None:
    """Undo an event; see `store.events.undo`."""
    with bundle.session() as session:
        events.undo(session, event_id, bundle.now())
        session.commit()


def redo(bundle: Services, event_id: int) -> None:
    """Do an event again; see `store.events.redo`."""
    with bundle.session() as session:
        events.redo(session, event_id)
        session.commit()


def _forget(bundle: Services, numbers: Sequence[int]) -> Done:
    with bundle.session() as session:
        remains = forgetting.forget_identities(session, numbers)
        session.commit()
        remains.remove(bundle.storage)
        erase_gone(session, bundle.storage.search_dir)
    return Done(None, None)


def _done(done: Done) -> Shown:
    return {"identity_id": done.identity_id, "event_id": done.event_id}


@api.get("/identities")
@api.input(schemas.IdentitiesQuery, location="query")
@describe(_TAG, "List identities, those with most tracks first.", errors=(422,), answer=schemas.Identities)
def list_identities(query_data: Shown) -> Shown:
    limit, offset = query_data.pop("limit"), query_data.pop("offset")
    shown, total = shown_identities(services(), Filter(**query_data), limit=limit, offset=offset)
    return {"identities": shown, "total": total}


@api.post("/identities")
@api.input(schemas.NewIdentity)
@describe(
    _TAG,
    "Say that tracks are one and the same.",
    "Takes the identity that one of them is confirmed for, else makes one.",
    errors=(403, 404, 409, 415, 422),
    answer=schemas.IdentityDetail,
    status=201,
)
def add_identity(json_data: Shown) -> tuple[Shown, int]:
    bundle = services()
    done = change(
        bundle,
        lambda session, now: identities.confirm(
            session, json_data["tracks"], None, now, allow_together=json_data["allow_together"]
        ),
    )
    number = done.identity_id or 0
    if json_data["name"]:
        change_words(bundle, number, {"name": json_data["name"]})
    return shown_identity(bundle, number), 201


@api.get("/identities/<int:number>")
@describe(_TAG, "Read an identity with all of its sightings.", errors=(404,), answer=schemas.IdentityDetail)
def get_identity(number: int) -> Shown:
    return shown_identity(services(), number)


@api.patch("/identities/<int:number>")
@api.input(schemas.IdentityChange)
@describe(_TAG, "Change a name or a note.", errors=(403, 404, 415, 422), answer=schemas.IdentityDetail)
def change_identity(number: int, json_data: Shown) -> Shown:
    bundle = services()
    change_words(bundle, number, json_data)
    return shown_identity(bundle, number)


@api.post("/identities/actions")
@api.input(schemas.IdentitiesAction)
@describe(
    _TAG,
    "Merge, confirm, hide, show, delete or forget identities, or keep two apart.",
    errors=(403, 404, 409, 415, 422),
    answer=schemas.Done,
)
def do_with_identities(json_data: Shown) -> Shown:
    done = act_on_identities(
        services(), json_data["action"], json_data["identities"], allow_together=json_data["allow_together"]
    )
    return _done(done)


@api.post("/identities/<int:number>/tracks")
@api.input(schemas.TracksAction)
@describe(
    _TAG,
    "Confirm or reject tracks for an identity, split them from it, or move them to another one.",
    errors=(403, 404, 409, 415, 422),
    answer=schemas.Done,
)
def do_with_tracks(number: int, json_data: Shown) -> Shown:
    done = act_on_tracks(
        services(),
        json_data["action"],
        number,
        json_data["tracks"],
        to=json_data["to"],
        allow_together=json_data["allow_together"],
    )
    return _done(done)


@api.get("/identities/duplicates")
@api.input(schemas.DuplicatesQuery, location="query")
@describe(
    _TAG,
    "List pairs of identities that may be one, the most alike first.",
    "Two that one camera saw at the same time, or that were kept apart, are not among them.",
    errors=(422,),
    answer=schemas.Duplicates,
)
def list_duplicates(query_data: Shown) -> Shown:
    return shown_duplicates(services(), limit=query_data["limit"])


@api.get("/identities/events")
@api.input(schemas.EventsQuery, location="query")
@describe(_TAG, "Read the history of one identity or of all, the latest first.", errors=(422,), answer=schemas.Events)
def list_events(query_data: Shown) -> Shown:
    shown, total = shown_events(services(), **query_data)
    return {"events": shown, "total": total}


@api.post("/identities/events/<int:event_id>/undo")
@describe(
    _TAG,
    "Undo an event: put back exactly what was there.",
    "409: a later event changed the same (`identity.changed_since` names it), or it is undone already.",
    errors=(403, 404, 409),
    responses={204: "It is undone."},
)
def undo_event(event_id: int) -> tuple[str, int]:
    undo(services(), event_id)
    return "", 204


@api.post("/identities/events/<int:event_id>/redo")
@describe(_TAG, "Do an undone event again.", errors=(403, 404, 409), responses={204: "It is done."})
def redo_event(event_id: int) -> tuple[str, int]:
    redo(services(), event_id)
    return "", 204

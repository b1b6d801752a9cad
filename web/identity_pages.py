"""The pages of identities: gallery, one identity, likely duplicates, history; their forms need no JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from errors import RequestError
from records import Kind
from store import events, sightings
from store import identities as rows
from store.sightings import CERTAINTIES, HIDDEN, SHOWN, Filter
from web import identities, identity_films, present, videos
from web import identity_present as shown_as
from web.blueprints import pages
from web.identity_schemas import IDENTITY_ACTIONS, MAX_CHOICE, TRACK_ACTIONS
from web.languages import safe_next, sentence
from web.pages import page_links, page_number
from web.services import services

Shown = dict[str, Any]
Answer = AnyResponse | str | tuple[str, int]
PAGE_SIZE = 48
EVENTS = 25
DUPLICATES = 12


@pages.get("/identities", endpoint="identities")
def show_identities() -> str:
    return _gallery()


@pages.post("/identities/actions")
def do_with_identities() -> Answer:
    action, numbers = request.form.get("action", ""), _numbers("identity")
    is_duplicates = request.form.get("page") == "duplicates"
    render = _duplicates if is_duplicates else _gallery
    allow_together = bool(request.form.get("allow_together"))
    return _try(
        lambda: identities.act_on_identities(services(), action, numbers, allow_together=allow_together).event_id,
        allowed=IDENTITY_ACTIONS,
        chosen=numbers,
        render=render,
    )


@pages.get("/identities/duplicates")
def identity_duplicates() -> str:
    return _duplicates()


@pages.get("/identities/history")
def identity_history() -> str:
    return _history()


@pages.get("/identities/<int:number>")
def identity(number: int) -> Answer:
    try:
        return _identity(number)
    except RequestError:
        with services().session() as session:
            successor = events.successor_of(session, number)
        if successor is None:
            raise
        return redirect(url_for("pages.identity", number=successor))


@pages.post("/identities/<int:number>/words")
def write_identity(number: int) -> AnyResponse:
    fields = {name: request.form[name] for name in ("name", "note") if name in request.form}
    done = identities.change_words(services(), number, fields)
    return _back(done.event_id)


@pages.post("/identities/<int:number>/tracks")
def do_with_tracks(number: int) -> Answer:
    action, track_ids = request.form.get("action", ""), _numbers("track")
    to = request.form.get("to", "").strip().lstrip("#")
    return _try(
        lambda: (
            identities.act_on_tracks(
                services(),
                action,
                number,
                track_ids,
                to=int(to) if to.isascii() and to.isdigit() else None,
                allow_together=bool(request.form.get("allow_together")),
            ).event_id
        ),
        allowed=TRACK_ACTIONS,
        chosen=track_ids,
        render=lambda **more: _identity(number, **more),
    )


@pages.post("/identities/<int:number>/film")
def make_film(number: int) -> AnyResponse:
    identity_films.make_film(services(), number)
    return redirect(url_for("pages.identity", number=number, _anchor="film"), 303)


@pages.get("/identities/models")
def identity_models() -> str:
    return render_template("identity_models.html", **identity_films.shown_evaluations(services()), **_common())


@pages.post("/identities/models")
def judge_model() -> AnyResponse:
    identity_films.judge_model(services(), request.form.get("model", "")[:200])
    return redirect(url_for("pages.identity_models"), 303)


@pages.post("/identities/events/<int:event_id>/undo")
def undo_event(event_id: int) -> Answer:
    return _reverse(lambda: identities.undo(services(), event_id))


@pages.post("/identities/events/<int:event_id>/redo")
def redo_event(event_id: int) -> Answer:
    return _reverse(lambda: identities.redo(services(), event_id))


def _gallery(**more: Any) -> str:
    bundle = services()
    wanted, number = _filter(), page_number()
    shown, total = identities.shown_identities(bundle, wanted, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    arguments = {name: value for name, value in vars(wanted).items() if value and value != SHOWN}
    return render_template(
        "identities.html",
        identities=shown,
        total=total,
        wanted=wanted,
        is_filtered=bool(arguments),
        cameras=videos.shown_cameras(bundle),
        kinds=[kind.value for kind in Kind],
        certainties=CERTAINTIES,
        page=page_links(number, total, PAGE_SIZE, "pages.identities", **arguments),
        **_common(**more),
    )


def _identity(number: int, **more: Any) -> str:
    bundle = services()
    shown = identities.shown_identity(bundle, number)
    history, event_count = identities.shown_events(bundle, identity_id=number, limit=EVENTS, offset=0)
    with bundle.session() as session:
        seen = sightings.of_identities(session, [number])[number]
        best = [
            {"camera": present.camera(camera), "sightings": [shown_as.sighting(one) for one in some]}
            for camera, some in sightings.best_of_cameras(seen).items()
        ]
    return render_template(
        "identity.html",
        identity=shown,
        best=best,
        events=history,
        event_count=event_count,
        film=identity_films.shown_film(bundle, number),
        axis=_axis(shown["sightings"]),
        **_common(**more),
    )


def _duplicates(**more: Any) -> str:
    found = identities.shown_duplicates(services(), limit=DUPLICATES)
    return render_template("identity_duplicates.html", **found, **_common(**more))


def _history(**more: Any) -> str:
    number = page_number()
    shown, total = identities.shown_events(services(), identity_id=None, limit=EVENTS, offset=(number - 1) * EVENTS)
    return render_template(
        "identity_history.html",
        events=shown,
        total=total,
        page=page_links(number, total, EVENTS, "pages.identity_history"),
        **_common(**more),
    )


def _common(**more: Any) -> Shown:
    done = request.args.get("done", type=int)
    return {"active": "identities", "done": done, "refusal": None, "chosen": [], **more}


def _axis(shown: Sequence[Shown]) -> list[Shown]:
    """Return what the time axis draws: sightings whose moment is known."""
    names = ("track_id", "began_at", "ended_at", "is_confirmed", "page_url", "crop_url", "number", "kind")
    return [
        {**{name: one[name] for name in names}, "camera": one["camera"]["name"]} for one in shown if one["began_at"]
    ]


def _try(
    work: Callable[[], int | None], *, allowed: Sequence[str], chosen: Sequence[int], render: Callable[..., str]
) -> Answer:
    """Do what a form asks for and go back; say on the same page why it was refused."""
    action = request.form.get("action", "")
    try:
        if action not in allowed:
            raise RequestError("request.field", status=422, name="action", detail="not one of the choices")
        if not chosen:
            raise RequestError("identity.choose", status=422)
        return _back(work())
    except RequestError as error:
        if error.status == 404:
            raise
        refusal = {
            "message": sentence(error.code, error.params),
            "action": action,
            "to": request.form.get("to", ""),
            "page": request.form.get("page", ""),
            "is_together": error.code == "identity.together",
        }
        return render(refusal=refusal, chosen=list(chosen)), error.status


def _reverse(work: Callable[[], None]) -> Answer:
    try:
        work()
    except RequestError as error:
        if error.status == 404:
            raise
        return _history(refusal={"message": sentence(error.code, error.params)}), error.status
    return _back(None)


def _back(event_id: int | None) -> AnyResponse:
    """Go back to the page that the form was on, where it still is, with the event to undo."""
    target = safe_next(request.form.get("back"))
    parts = urlsplit(target)
    pairs = [pair for pair in parts.query.split("&") if pair and not pair.startswith("done=")]
    if event_id is not None:
        pairs.append(f"done={event_id}")
    path = parts.path if parts.path != "/" and _is_there(parts.path) else url_for("pages.identities")
    return redirect(f"{path}?{'&'.join(pairs)}" if pairs else path, 303)


def _is_there(path: str) -> bool:
    """Return whether a path is not that of an identity that is gone by now."""
    number = path.removeprefix(url_for("pages.identities") + "/")
    if not (number.isascii() and number.isdigit()):
        return True
    with services().session() as session:
        try:
            rows.get(session, int(number))
        except RequestError:
            return False
    return True


def _filter() -> Filter:
    kind, certainty = request.args.get("kind", ""), request.args.get("certainty", "")
    return Filter(
        text=request.args.get("text", "")[:200],
        kind=kind if kind in {kind.value for kind in Kind} else "",
        camera_id=request.args.get("camera_id", type=int),
        certainty=certainty if certainty in CERTAINTIES else "",
        visibility=HIDDEN if request.args.get("visibility") == HIDDEN else SHOWN,
    )


def _numbers(name: str) -> list[int]:
    given = (text for text in request.form.getlist(name) if text.isascii() and text.isdigit() and len(text) < 10)
    return list(dict.fromkeys(int(text) for text in given))[:MAX_CHOICE]

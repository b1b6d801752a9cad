"""The pages of searching, of its models and of the cameras, and the forms that work without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from errors import RequestError
from records import Kind
from store import queries, search
from web import answers, cameras, models, pictures, search_schemas
from web.blueprints import pages
from web.languages import sentence
from web.parsing import load
from web.search import asked_of, decide, fields_of_address, shown_answers, shown_query
from web.services import services
from web.site import is_worker_alive
from web.videos import shown_cameras

Shown = dict[str, Any]
Answer = str | tuple[str, int]
PAGE_SIZE = 48
RECENT_TRACKS = 36
RECENT_QUERIES = 6
KINDS = [kind.value for kind in Kind]


@pages.get("/search", endpoint="search")
def show_search() -> Answer:
    try:
        fields = load(search_schemas.SearchQuery(unknown="exclude"), fields_of_address())
    except RequestError as error:
        return _start(error=sentence(error.code, error.params)), 422
    if not asked_of(fields):
        return _start()
    return _results(fields)


def _results(fields: Mapping[str, Any], *, problem: str = "") -> Answer:
    bundle = services()
    fields = {**fields, "limit": PAGE_SIZE}
    try:
        shown = shown_answers(bundle, fields)
    except RequestError as error:
        return _start(error=sentence(error.code, error.params)), error.status
    measured = shown["calibration"]
    return render_template(
        "search.html",
        found=shown,
        asked=asked_of(fields),
        filters=_filters_of(fields),
        cameras=shown_cameras(bundle),
        kinds=KINDS,
        bars=answers.histogram_bars(measured["histogram"]) if measured else [],
        problem=problem,
        undo_event=request.args.get("undo", type=int),
        offset=fields["offset"],
        page_size=PAGE_SIZE,
        previous_url=_part(fields, max(0, fields["offset"] - PAGE_SIZE)) if fields["offset"] else None,
        next_url=_part(fields, fields["offset"] + PAGE_SIZE) if shown["has_more"] else None,
        urls={"decide": url_for("api.decide_answer")},
        active="search",
        is_worker_alive=is_worker_alive(bundle),
    )


def _start(*, error: str = "") -> str:
    bundle = services()
    with bundle.session() as session:
        recent = search.recent_tracks(session, limit=RECENT_TRACKS)
        names = answers.names_of(session, recent)
        tracks = [answers.sight(each, names) for each in recent]
        kept_s = bundle.settings.query_expiry_s
        asked = [answers.query(row, kept_s=kept_s) for row in queries.recent(session, limit=RECENT_QUERIES)]
    return render_template(
        "search_start.html",
        tracks=tracks,
        queries=asked,
        error=error,
        limits={"pictures": pictures.MAX_PICTURES, "bytes": bundle.settings.max_picture_bytes},
        active="search",
        is_worker_alive=is_worker_alive(bundle),
        is_search_worker_alive=is_worker_alive(bundle, "queries"),
    )


@pages.post("/search/pictures")
def add_pictures() -> AnyResponse | tuple[str, int]:
    try:
        query_id = pictures.receive(services(), pictures.sent_pictures())
    except RequestError as error:
        return _start(error=sentence(error.code, error.params)), error.status
    return redirect(url_for("pages.search_pictures", query_id=query_id), 303)


@pages.get("/search/pictures/<id:query_id>")
def search_pictures(query_id: str) -> str:
    bundle = services()
    return render_template(
        "search_pictures.html",
        query=shown_query(bundle, query_id),
        active="search",
        is_worker_alive=is_worker_alive(bundle),
        is_search_worker_alive=is_worker_alive(bundle, "queries"),
    )


@pages.post("/search/pictures/<id:query_id>/delete")
def delete_pictures(query_id: str) -> AnyResponse:
    pictures.remove(services(), query_id)
    return redirect(url_for("pages.search"), 303)


@pages.post("/search/decisions")
def decide_on_page() -> AnyResponse | Answer:
    fields = load(search_schemas.SearchQuery(unknown="exclude"), fields_of_address())
    try:
        decision = load(search_schemas.Decision(unknown="exclude"), fields_of_address())
        done = decide(services(), decision)
    except RequestError as error:
        return _results(fields, problem=sentence(error.code, error.params))
    there = {**_filters_of(fields), **asked_of(fields), "identity": done["identity"]}
    return redirect(url_for("pages.search", **there, undo=done["event_id"]), 303)


@pages.get("/search/models", endpoint="models")
def show_models() -> str:
    return _models()


def _models(*, error: str = "") -> str:
    bundle = services()
    shown = models.shown_models(bundle)
    active = next((model for model in shown["models"] if model["is_active"]), None)
    measured = active["calibration"] if active else None
    return render_template(
        "models.html",
        shown=shown,
        model=active,
        bars=answers.histogram_bars(measured["histogram"]) if measured else [],
        error=error,
        rates=("0.001", "0.01", "0.05", "0.1"),
        active="search",
        is_worker_alive=is_worker_alive(bundle),
    )


@pages.post("/search/models/active")
def choose_model_on_page() -> AnyResponse | Answer:
    return _try_models(
        lambda: models.choose(services(), load(search_schemas.ModelChoice(unknown="exclude"), request.form))
    )


@pages.post("/search/models/describe")
def describe_on_page() -> AnyResponse | Answer:
    return _try_models(lambda: models.describe_rest(services()))


@pages.post("/search/calibration")
def calibrate_on_page() -> AnyResponse | Answer:
    def work() -> None:
        wish = load(search_schemas.CalibrationWish(unknown="exclude"), request.form)
        models.calibrate(services(), false_match_rate=wish["false_match_rate"])

    return _try_models(work)


def _try_models(work: Callable[[], object]) -> AnyResponse | Answer:
    try:
        work()
    except RequestError as error:
        return _models(error=sentence(error.code, error.params)), error.status
    return redirect(url_for("pages.models"), 303)


@pages.get("/cameras", endpoint="cameras")
def show_cameras() -> str:
    return _cameras()


def _cameras(*, error: str = "") -> str:
    bundle = services()
    return render_template(
        "cameras.html",
        cameras=cameras.counted_cameras(bundle),
        ways=cameras.shown_ways(bundle),
        error=error,
        active="cameras",
        is_worker_alive=is_worker_alive(bundle),
    )


@pages.post("/cameras/<int:number>")
def edit_camera_on_page(number: int) -> AnyResponse | Answer:
    return _try_cameras(lambda: cameras.change_camera(services(), number, _camera_fields()))


@pages.post("/cameras/ways")
def edit_way_on_page() -> AnyResponse | Answer:
    ends = (request.form.get("start", 0, type=int), request.form.get("end", 0, type=int))
    if request.form.get("forget"):
        return _try_cameras(lambda: cameras.forget_way(services(), ends))
    fields = {**request.form.to_dict(), "is_possible": request.form.get("is_possible", "no")}
    return _try_cameras(
        lambda: cameras.put_way(services(), ends, load(search_schemas.CameraWayChange(unknown="exclude"), fields))
    )


def _camera_fields() -> dict[str, Any]:
    return load(search_schemas.CameraChange(unknown="exclude"), request.form)


def _try_cameras(work: Callable[[], object]) -> AnyResponse | Answer:
    try:
        work()
    except RequestError as error:
        return _cameras(error=sentence(error.code, error.params)), error.status
    return redirect(url_for("pages.cameras"), 303)


def _filters_of(fields: Mapping[str, Any]) -> Shown:
    """Return the filters of a question as the arguments of an address, without those that change nothing."""
    names = ("camera", "kind", "since", "until", "time_zone", "least")
    kept = {name: fields[name] for name in names if fields[name] not in (None, "", [])}
    if fields["rerank"]:
        kept["rerank"] = 1
    if not fields["ways"]:
        kept["ways"] = 0
    return kept


def _part(fields: Mapping[str, Any], offset: int) -> str:
    where = {"offset": offset} if offset else {}
    return url_for("pages.search", **{**asked_of(fields), **_filters_of(fields), **where})

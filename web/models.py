"""The models that searching can use, through the JSON API: choose one, go back, calibrate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from errors import DataError, RequestError
from search import calibration
from store import embedding, models
from web import answers, search_schemas
from web.blueprints import api
from web.openapi import describe
from web.parsing import load_optional_json
from web.schemas import EMBEDDERS
from web.services import Services, services

Shown = dict[str, Any]


def shown_models(bundle: Services) -> Shown:
    """Return the models that described tracks and those that can be chosen to, as they are shown."""
    with bundle.session() as session:
        active = models.active(session)
        counts = models.described_tracks(session)
        known = models.known(session)
        shown = [
            {
                "name": row.name,
                "choice": row.choice,
                "is_active": row.name == active.name,
                "described": counts.get(row.name, 0),
                "dimension": row.dimension,
                "calibration": answers.calibration(calibration.from_json(row.calibration)),
            }
            for row in known
        ]
        shown += [
            {
                "name": "",
                "choice": choice,
                "is_active": not active.name and active.choice == choice,
                "described": 0,
                "dimension": None,
                "calibration": None,
            }
            for choice in EMBEDDERS
            if choice != "auto" and choice not in {row.choice for row in known}
        ]
        left = len(models.videos_without(session, active.name)) if active.name or active.choice else 0
        return {"models": shown, "videos_left": left}


def choose(bundle: Services, fields: Mapping[str, Any]) -> Shown:
    """Let searching use a model, let it describe what it has not, and return all models as they are shown.

    Parameters
    ----------
    fields : see `web.search_schemas.ModelChoice`.

    Raises
    ------
    RequestError
        for a model that is not known, and for none.
    """
    with bundle.session() as session:
        if fields["name"]:
            models.activate(session, fields["name"])
        elif fields["choice"]:
            models.activate_choice(session, fields["choice"])
        else:
            raise RequestError("request.missing", status=422, name="name")
        session.commit()
    describe_rest(bundle)
    return shown_models(bundle)


def describe_rest(bundle: Services) -> None:
    """Queue what the active model has not described yet."""
    with bundle.session() as session:
        wanted = models.active(session)
        made = embedding.describe_rest(session, models.videos_without(session, wanted.name), bundle.now())
        session.commit()
    if made:
        bundle.ring(made[0])


def calibrate(bundle: Services, *, false_match_rate: float) -> Shown:
    """Measure the active model on what people decided, keep that and return it as it is shown.

    Raises
    ------
    RequestError
        while too little was decided.
    """
    with bundle.session() as session:
        name = models.active(session).name
        if not name:
            raise RequestError("search.no_model", status=409)
        try:
            measured = calibration.calibrated(
                calibration.from_decisions(session, name),
                source=calibration.DECISIONS,
                now=bundle.now(),
                false_match_rate=false_match_rate,
            )
        except DataError as error:
            raise RequestError(error.code, status=409, **error.params) from error
        models.set_calibration(session, name, measured.as_json())
        session.commit()
    return answers.calibration(measured) or {}


@api.get("/search/models")
@describe("Search", "List the models that searching can use.", answer=search_schemas.EmbeddingModels)
def list_models() -> Shown:
    return shown_models(services())


@api.post("/search/models/active")
@api.input(search_schemas.ModelChoice)
@describe(
    "Search",
    "Choose the model that searching uses.",
    "Tracks that it has not described are described in the background, by a job for each video. To choose an "
    "earlier one again changes nothing else: its descriptions are kept.",
    errors=(403, 404, 415, 422),
    answer=search_schemas.EmbeddingModels,
)
def choose_model(json_data: Shown) -> Shown:
    return choose(services(), json_data)


@api.post("/search/models/describe")
@describe(
    "Search",
    "Describe what the active model has not described.",
    errors=(403,),
    answer=search_schemas.EmbeddingModels,
)
def describe_tracks() -> Shown:
    describe_rest(services())
    return shown_models(services())


@api.post("/search/calibration")
@describe(
    "Search",
    "Calibrate the active model by what people confirmed and rejected.",
    "Thresholds of `probable` and `possible` come from there. The body may be empty.",
    errors=(403, 409, 415, 422),
    body={"application/json": {"schema": search_schemas.CalibrationWish}},
    is_body_required=False,
    answer=search_schemas.Calibration,
)
def calibrate_model() -> Shown:
    wish = load_optional_json(search_schemas.CalibrationWish())
    return calibrate(services(), false_match_rate=wish["false_match_rate"])

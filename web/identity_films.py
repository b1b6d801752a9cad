"""What there is to take away of identities: the film of one, all of one as a zip, and the judging of models."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from sqlalchemy import select

from errors import RequestError
from store import data_sets, identities, jobs, models, sightings
from store.files import ReelFiles
from store.tables import DONE, EVALUATE, REEL, Job
from web import identity_schemas, present, schemas
from web.admit import ring
from web.blueprints import api
from web.downloads import send, tidy_range
from web.identity_archive import archive
from web.names import attachment
from web.openapi import describe
from web.parsing import load_optional_json
from web.services import Services, services
from web.times import format_time
from web.zip_stream import stream_zip

Shown = dict[str, Any]
_TAG = "Identities"
_EVALUATIONS = 20


def shown_film(bundle: Services, number: int) -> Shown:
    """Return the state of an identity's film: the finished one, and the latest job where it is another one."""
    with bundle.session() as session:
        query = select(Job).where(Job.identity_id == number, Job.kind == REEL).order_by(Job.created_at.desc())
        made = session.scalars(query).all()
        done = next((job for job in made if job.state == DONE), None)
        is_there = done is not None and bundle.storage.reel(done.id).film.is_file()
        latest = made[0] if made and made[0] is not done else None
        return {
            "url": _film_url(number) if is_there else None,
            "outcome": (done.outcome or {}) if done is not None and is_there else {},
            "made_at": format_time(done.finished_at) if done is not None and is_there else None,
            "job": None if latest is None else present.job(latest, bundle.storage),
        }


def make_film(bundle: Services, number: int) -> Shown:
    """Queue the making of an identity's film; return the job as it is shown.

    Raises
    ------
    RequestError
        when there is no such identity, or its film is being made.
    """
    with bundle.session() as session:
        identities.get(session, number)
    return _queue(bundle, REEL, {}, identity_id=number)


def judge_model(bundle: Services, model: str) -> Shown:
    """Queue the judging of a model by the confirmed identities; return the job as it is shown."""
    return _queue(bundle, EVALUATE, {"model": model} if model else {}, identity_id=None)


def shown_evaluations(bundle: Services) -> Shown:
    """Return what models reached on the confirmed identities, the latest first, and which models there are."""
    with bundle.session() as session:
        query = select(Job).where(Job.kind == EVALUATE).order_by(Job.created_at.desc()).limit(_EVALUATIONS)
        made = session.scalars(query).all()
        described = models.described_tracks(session)
        return {
            "evaluations": [
                {
                    "job": present.job(job, bundle.storage),
                    "outcome": job.outcome,
                    "model": job.settings.get("model", ""),
                }
                for job in made
            ],
            "models": sorted(described),
            "active_model": models.active(session).name,
        }


def _queue(bundle: Services, kind: str, settings: Shown, *, identity_id: int | None) -> Shown:
    with bundle.session() as session:
        limit = bundle.settings.max_attempts
        job = jobs.enqueue(
            session, None, settings, bundle.now(), kind=kind, max_attempts=limit, identity_id=identity_id
        )
        session.commit()
        job_id = job.id
    ring(bundle, job_id)
    with bundle.session() as session:
        return present.job(jobs.get(session, job_id), bundle.storage)


def _finished(bundle: Services, number: int) -> ReelFiles | None:
    """Return the files of an identity's latest film; None where there is none."""
    with bundle.session() as session:
        query = select(Job.id).where(Job.identity_id == number, Job.kind == REEL, Job.state == DONE)
        job_id = session.scalar(query.order_by(Job.finished_at.desc()).limit(1))
    reel = None if job_id is None else bundle.storage.reel(job_id)
    return reel if reel is not None and reel.film.is_file() else None


def _film_url(number: int) -> str:
    return url_for("api.get_film", number=number)


@api.post("/identities/<int:number>/film")
@describe(
    _TAG,
    "Make the film of an identity: its sightings in order, in one MP4.",
    "Poll the job, then fetch `film.mp4`. 409: it is being made.",
    errors=(403, 404, 409),
    answer=schemas.Job,
    status=201,
)
def add_film(number: int) -> tuple[Shown, int]:
    return make_film(services(), number), 201


@api.get("/identities/<int:number>/film.mp4")
@describe(
    _TAG,
    "Fetch the film of an identity.",
    "H.264, with the camera and the time below each picture. Takes ranges.",
    errors=(404, 416),
    files={"video/mp4": "An MP4 file, or with 206 a part of it."},
)
def get_film(number: int) -> Response:
    bundle = services()
    reel = _finished(bundle, number)
    if reel is None:
        raise RequestError("identity.no_film", status=404)
    tidy_range()
    return send(reel.film, "video/mp4")


@api.get("/identities/<int:number>/export.zip")
@describe(
    _TAG,
    "Download all of an identity: pictures, clips, the route as CSV, and a manifest with hashes.",
    "Written while it is sent. `manifest.json` comes last and names each file with its size and SHA-256.",
    errors=(404,),
    files={"application/zip": "`sightings.csv`, `pictures/`, `clips/`, `film.mp4` where it is made, `manifest.json`."},
)
def export_identity(number: int) -> Response:
    bundle = services()
    reel = _finished(bundle, number)
    with bundle.session() as session:
        row = identities.get(session, number)
        seen = sightings.of_identities(session, [number])[number]
    pieces = archive(row, seen, bundle.storage, reel=reel, now=bundle.now())
    response = Response(pieces, mimetype="application/zip")
    response.headers["Content-Disposition"] = attachment(f"identity-{number}.zip")
    return response


@api.get("/identities/evaluations")
@describe(
    _TAG,
    "List what models reached on the confirmed identities.",
    "Market-1501's rule on tracks: each looks for its identity by other cameras among all confirmed tracks.",
    answer=identity_schemas.Evaluations,
)
def list_evaluations() -> Shown:
    return shown_evaluations(services())


@api.post("/identities/evaluations")
@describe(
    _TAG,
    "Judge a model by the confirmed identities.",
    "The body may be empty: then the model that searching uses is judged.",
    errors=(403, 409, 415, 422),
    body={"application/json": {"schema": identity_schemas.EvaluationWish}},
    is_body_required=False,
    answer=schemas.Job,
    status=201,
)
def add_evaluation() -> tuple[Shown, int]:
    wish = load_optional_json(identity_schemas.EvaluationWish())
    return judge_model(services(), wish["model"]), 201


@api.get("/identities/export/<form>.zip")
@describe(
    _TAG,
    "Download all confirmed identities as a data set: `market1501`, `mot` or `coco`.",
    "Only tracks that a person confirmed. `manifest.json` comes last and names each file with its SHA-256.",
    errors=(404,),
    files={"application/zip": "The data set in the layout that its readers expect."},
)
def export_dataset(form: str) -> Response:
    if form not in data_sets.FORMS:
        raise RequestError("request.not_found", status=404)
    bundle = services()
    with bundle.session() as session:
        confirmed = data_sets.confirmed_sightings(session)
    pieces = stream_zip(
        data_sets.contents(confirmed, bundle.storage, form), {"form": form, "sightings": len(confirmed)}
    )
    response = Response(pieces, mimetype="application/zip")
    response.headers["Content-Disposition"] = attachment(f"identities-{form}.zip")
    return response

"""The site itself: its health and its OpenAPI document."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apiflask import APIFlask
from flask import Response, current_app, jsonify
from sqlalchemy.orm import Session

from store import jobs, workers
from store.tables import STATES
from web import schemas
from web.blueprints import api
from web.openapi import describe
from web.services import Services, services
from web.times import format_time

Shown = dict[str, Any]
VERSION = "0.1.0"
_MISSED_SWEEPS = 4


def is_worker_alive(bundle: Services, queue: str = "jobs") -> bool:
    """Tell whether any worker of a queue reported lately."""
    with bundle.session() as session:
        return bool(_alive(bundle, session, queue))


def health_of(bundle: Services) -> Shown:
    """Return how the site is."""
    with bundle.session() as session:
        alive = {worker.name for worker in _alive(bundle, session, "")}
        seen = workers.seen_since(session, bundle.now() - timedelta(days=1))
        return {
            "status": "ok" if _alive(bundle, session, "jobs") else "no_worker",
            "version": VERSION,
            "free_bytes": bundle.disk_free_bytes(),
            "jobs": {state: jobs.page(session, limit=1, state=state)[1] for state in STATES},
            "workers": [
                {
                    "name": row.name,
                    "queue": row.queue,
                    "seen_at": format_time(row.seen_at),
                    "is_alive": row.name in alive,
                }
                for row in seen
            ],
        }


def _alive(bundle: Services, session: Session, queue: str) -> list[Any]:
    """Return the workers of a queue that reported lately; of all for an empty name."""
    patience_s = max(_MISSED_SWEEPS * bundle.settings.sweep_s, 20.0)
    seen = workers.seen_since(session, bundle.now() - timedelta(seconds=patience_s))
    return [worker for worker in seen if not queue or worker.queue == queue]


@api.get("/health")
@describe("Site", "Ask how the site is: its database, its disk, its workers.", errors=(503,), answer=schemas.Health)
def health() -> Shown:
    return health_of(services())


@api.get("/openapi.json")
@describe("Site", "Read this document.", responses={200: "An OpenAPI 3 document."})
def openapi() -> Response:
    return jsonify(document())


def document() -> Shown:
    """Return the OpenAPI document of the API."""
    app = current_app
    if not isinstance(app, APIFlask):
        raise TypeError(f"the application is {type(app).__name__}, not APIFlask")
    spec = app._get_spec("json")  # the cached form of app.spec
    if isinstance(spec, str):
        raise TypeError("the document is asked for as JSON only")
    return spec

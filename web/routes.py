"""Put the web application together: views, errors, languages, security."""

from __future__ import annotations

from apiflask import APIFlask

from config import Settings
from web import (
    cameras,
    downloads,
    identities,
    identity_films,
    identity_pages,
    jobs,
    models,
    pages,
    search,
    search_pages,
    site,
    tracks,
    uploads,
    videos,
)
from web.blueprints import IdConverter, api
from web.blueprints import pages as pages_blueprint
from web.languages import init_languages
from web.openapi import init_openapi
from web.problems import init_problems
from web.receive import init_receive
from web.security import init_security

VIEWS = (
    cameras,
    downloads,
    identities,
    identity_films,
    identity_pages,
    jobs,
    models,
    pages,
    search,
    search_pages,
    site,
    tracks,
    uploads,
    videos,
)
"""The modules that hang their views on the blueprints when they are imported."""


def register(app: APIFlask, settings: Settings) -> None:
    """Set up everything that answers requests."""
    app.url_map.converters["id"] = IdConverter
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    init_languages(app)
    init_problems(app)
    init_openapi(app)
    init_receive(app)
    search.init_search(app, settings.data_dir.absolute() / "search")  # before forms are read for their tokens
    init_security(app, settings)
    pages.init_pages(app)
    app.register_blueprint(api)
    app.register_blueprint(pages_blueprint)
    uploads.init_uploads(app)

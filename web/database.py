"""The site's database: Flask-SQLAlchemy over the tables and the engine settings of `store`."""

from __future__ import annotations

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from config import Settings
from store.database import engine_options, prepare_engine
from store.tables import Base

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
"""Gives each request a session of its own, which ends with the request."""


def connect(app: Flask, settings: Settings) -> None:
    """Bind ``app`` to the database of the settings."""
    url = settings.resolved_database_url()
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)

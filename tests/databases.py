"""A fresh database of either kind for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from store.database import make_engine, session_factory
from store.migrate import upgrade

POSTGRES_URL = os.environ.get("RESIGHT_TEST_POSTGRES_URL", "postgresql+psycopg://root@127.0.0.1/test")
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'resight.db'}"
        return
    server = create_engine(POSTGRES_URL, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    schema = f"resight_test_{uuid4().hex[:12]}"
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError as error:
        pytest.skip(f"no PostgreSQL at {POSTGRES_URL}, set RESIGHT_TEST_POSTGRES_URL: {error.orig}")
    url = make_url(POSTGRES_URL).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Return an engine on a database with all tables."""
    engine = make_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions on a database with all tables."""
    return session_factory(engine)


def after(seconds: float) -> datetime:
    """Return the moment ``seconds`` after `NOON`."""
    return NOON + timedelta(seconds=seconds)

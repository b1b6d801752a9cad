"""Engines and sessions for SQLite and PostgreSQL.

Both behave as READ COMMITTED does: each SELECT sees what was committed when it
began. On SQLite the driver opens a transaction at the first write only, and
opens it IMMEDIATE, so that a transaction that reads and then writes waits for
its turn instead of failing with SQLITE_BUSY_SNAPSHOT.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Pool, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker

BUSY_TIMEOUT_MS = 20_000


def make_engine(url: str, *, poolclass: type[Pool] | None = None) -> Engine:
    """Return an engine for a ``sqlite:///`` or ``postgresql+psycopg://`` URL.

    Parameters
    ----------
    poolclass : another pool, such as `sqlalchemy.NullPool`; that of the dialect by default.
    """
    options = engine_options(url)
    if poolclass is not None:
        options["poolclass"] = poolclass
    engine = create_engine(url, **options)
    prepare_engine(engine)
    return engine


def engine_options(url: str) -> dict[str, Any]:
    """Return the keyword arguments of `sqlalchemy.create_engine` for ``url``."""
    options: dict[str, Any] = {"pool_pre_ping": True}
    if make_url(url).get_backend_name() == "postgresql":
        options["connect_args"] = {"connect_timeout": 5}
    return options


def prepare_engine(engine: Engine) -> None:
    """Set up each new connection of ``engine``; needed once for an engine that something else made."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions whose rows stay readable after a commit."""
    return sessionmaker(engine, expire_on_commit=False)


def empty_journal(session: Session) -> None:
    """Let SQLite's journal, which holds what was there before, end; call it after a commit that forgets.

    While others read, it ends at their next checkpoint instead. PostgreSQL removes old rows by itself (VACUUM).
    """
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what is forgotten must not stay in free pages
    cursor.close()

"""Bring the database to the tables this code knows, by the steps in ``migrations/``.

All steps of one call are one transaction on both databases: a step that fails
leaves the database as it was. Two processes that start at once take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import store.search_tables  # noqa: F401  # its tables are among those that the steps lead to

_FOLDER = Path(__file__).resolve().parent.parent / "migrations"
_LOCK_NUMBER = 0x7265_5369  # any number, the same for everyone


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate up to ``revision``; does nothing where the database is there already."""
    with _transaction(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate down to ``revision``; ``base`` removes all tables."""
    with _transaction(engine) as connection:
        command.downgrade(_config(connection), revision)


def current_revision(engine: Engine) -> str | None:
    """Return the revision of the database; None where it was never migrated."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str | None:
    """Return the revision that this code needs."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def is_current(engine: Engine) -> bool:
    """Return whether the database is at the revision that this code needs."""
    return current_revision(engine) == head_revision()


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            with _sqlite_transaction(connection):
                yield connection
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
            yield connection
        connection.commit()


@contextmanager
def _sqlite_transaction(connection: Connection) -> Iterator[None]:
    """Open what the driver does not open for DDL.

    Rebuilding a table drops the old one, which would delete the rows that
    refer to it: foreign keys are off meanwhile, and checked at the end.
    """
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration would leave {len(broken)} rows that refer to nothing: {broken[:3]}")
        connection.commit()
    finally:
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")

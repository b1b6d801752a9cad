"""Run by Alembic. The connection is handed over by `store.migrate`, which owns its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from store.tables import Base

_connection: Connection = context.config.attributes["connection"]

context.configure(
    connection=_connection,
    target_metadata=Base.metadata,
    render_as_batch=_connection.dialect.name == "sqlite",
    transactional_ddl=False,
)
context.run_migrations()

"""Which workers are alive, as the health page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store.tables import Worker

_PLAIN = {"synchronize_session": False}


def note_seen(session: Session, name: str, now: datetime, *, queue: str = "jobs") -> None:
    """Note that the worker ``name`` is alive and serves ``queue``."""
    change = update(Worker).where(Worker.name == name).values(seen_at=now).returning(Worker.name)
    if session.scalar(change, execution_options=_PLAIN) is None:
        session.add(Worker(name=name, queue=queue, seen_at=now))
        session.flush()


def note_gone(session: Session, name: str) -> None:
    """Forget a worker that ends."""
    session.execute(delete(Worker).where(Worker.name == name), execution_options=_PLAIN)


def seen_since(session: Session, since: datetime) -> Sequence[Worker]:
    """Return the workers that were alive after ``since``, by name."""
    return session.scalars(select(Worker).where(Worker.seen_at > since).order_by(Worker.name)).all()


def forget_old(session: Session, now: datetime, *, days: int = 1) -> None:
    """Forget the workers that nothing was seen of for ``days``."""
    old = Worker.seen_at < now - timedelta(days=days)
    session.execute(delete(Worker).where(old), execution_options=_PLAIN)

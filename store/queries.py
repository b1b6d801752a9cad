"""Searches by picture that wait for a worker: their states, leases and end, as `store.jobs` does it for jobs.

::

    queued -> running -> done | failed
    running -> queued | failed        its lease ran out

The database is the truth and the queue only a bell. A query is small: it is
done within seconds, is tried `MAX_ATTEMPTS` times, and is deleted with its
pictures after a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import case, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased, selectinload, undefer

from errors import LeaseLost, RequestError
from records import FloatArray
from store.search_tables import Query, QueryPerson
from store.tables import DONE, FAILED, LIVE_STATES, QUEUED, RUNNING

MAX_ATTEMPTS = 2
_PLAIN = {"synchronize_session": False}
_NO_WORKER = {"worker": None, "lease_until": None}


@dataclass(frozen=True)
class QueryClaim:
    """The right of one attempt to work on a query."""

    query_id: str
    number: int
    picture_count: int


@dataclass(frozen=True, eq=False)
class FoundPerson:
    """Somebody or something in a picture.

    Attributes
    ----------
    box : x1, y1, x2, y2 as fractions of the picture.
    vector : (D,) float32 of unit length.
    """

    picture: int
    kind: str
    score: float
    box: tuple[float, float, float, float]
    vector: FloatArray


def add(session: Session, query_id: str, picture_count: int, now: datetime, *, most_waiting: int = 50) -> Query:
    """Insert a waiting query whose pictures are in place; the caller commits and rings.

    Raises
    ------
    RequestError
        ``search.busy`` while too many others wait.
    """
    waiting = session.scalar(select(func.count()).select_from(Query).where(Query.state.in_(LIVE_STATES))) or 0
    if waiting >= most_waiting:
        raise RequestError("search.busy", status=429, waiting=waiting)
    query = Query(id=query_id, picture_count=picture_count, created_at=now, rung_at=now)
    session.add(query)
    session.flush()
    return query


def get(session: Session, query_id: str) -> Query:
    """Return a query with its people.

    Raises
    ------
    RequestError
        ``search.query_gone`` when there is none, or none any more.
    """
    query = session.scalar(
        select(Query).where(Query.id == query_id).options(selectinload(Query.people)),
        execution_options={"populate_existing": True},
    )
    if query is None:
        raise RequestError("search.query_gone", status=404)
    return query


def person(session: Session, query_id: str, number: int) -> QueryPerson:
    """Return somebody in a query's pictures, with the vector.

    Raises
    ------
    RequestError
        ``search.query_gone`` when the query is not there, ``request.not_found`` when it has nobody of that number.
    """
    get(session, query_id)
    found = session.get(QueryPerson, (query_id, number), options=[undefer(QueryPerson.vector)])
    if found is None:
        raise RequestError("request.not_found", status=404)
    return found


def recent(session: Session, *, limit: int) -> Sequence[Query]:
    """Return the newest queries with their people."""
    query = select(Query).order_by(Query.created_at.desc(), Query.id).limit(limit)
    return session.scalars(query.options(selectinload(Query.people))).all()


def claim(session: Session, query_id: str, worker: str, now: datetime, lease_s: float) -> QueryClaim | None:
    """Take a waiting query; None when it is not (or no longer) there to be taken."""
    taken = session.execute(
        update(Query)
        .where(Query.id == query_id, Query.state == QUEUED)
        .values(
            state=RUNNING,
            claim_count=Query.claim_count + 1,
            attempt=Query.attempt + 1,
            worker=worker[:200],
            lease_until=now + timedelta(seconds=lease_s),
        )
        .returning(Query.id, Query.claim_count, Query.picture_count),
        execution_options=_PLAIN,
    ).first()
    return None if taken is None else QueryClaim(*taken)


def finish(session: Session, held: QueryClaim, people: Sequence[FoundPerson], *, embedder: str, now: datetime) -> None:
    """Publish who was found; number 1 is the first of ``people``.

    Raises
    ------
    LeaseLost
        when the query is another attempt's by now, or gone.
    """
    _end(session, held, {"state": DONE, "embedder": embedder, "finished_at": now})
    session.execute(delete(QueryPerson).where(QueryPerson.query_id == held.query_id), execution_options=_PLAIN)
    rows = [
        {
            "query_id": held.query_id,
            "number": number,
            "picture": found.picture,
            "kind": found.kind,
            "score": found.score,
            **dict(zip(("x1", "y1", "x2", "y2"), found.box, strict=True)),
            "vector": np.asarray(found.vector, "<f4").tobytes(),
        }
        for number, found in enumerate(people, 1)
    ]
    if rows:
        session.execute(insert(QueryPerson), rows)


def fail(session: Session, held: QueryClaim, code: str, params: dict[str, object], now: datetime) -> None:
    """End an attempt with an error for the user.

    Raises
    ------
    LeaseLost
        as `finish` does.
    """
    _end(session, held, {"state": FAILED, "error_code": code, "error_params": params, "finished_at": now})


def remove(session: Session, query_id: str) -> None:
    """Delete a query; after the commit the caller removes its pictures."""
    session.execute(delete(Query).where(Query.id == query_id), execution_options=_PLAIN)


def remove_expired(session: Session, now: datetime, *, kept_s: float) -> Sequence[str]:
    """Delete the queries that are older than ``kept_s``, and return their ids."""
    old = Query.created_at < now - timedelta(seconds=kept_s)
    return session.scalars(delete(Query).where(old).returning(Query.id), execution_options=_PLAIN).all()


def known_ids(session: Session) -> set[str]:
    """Return the ids of all queries."""
    return set(session.scalars(select(Query.id)))


def sweep(session: Session, now: datetime) -> Sequence[str]:
    """End the attempts whose lease ran out: they wait again, or fail after the last one; return the queries' ids."""
    exhausted = Query.attempt >= MAX_ATTEMPTS
    change = (
        update(Query)
        .where(Query.state == RUNNING, Query.lease_until < now)
        .values(
            state=case((exhausted, FAILED), else_=QUEUED),
            error_code=case((exhausted, "search.attempts_exhausted"), else_=None),
            rung_at=None,
            **_NO_WORKER,
        )
        .returning(Query.id)
    )
    return session.scalars(change, execution_options=_PLAIN).all()


def abandon(session: Session, query_id: str, worker: str, now: datetime) -> None:
    """Let the lease of a query run out now, since the process that worked on it for ``worker`` has died."""
    is_its_own = (Query.id == query_id, Query.state == RUNNING, Query.worker == worker)
    session.execute(update(Query).where(*is_its_own).values(lease_until=now), execution_options=_PLAIN)


def forgotten(session: Session, worker: str, now: datetime, *, patience_s: float, limit: int = 8) -> Sequence[str]:
    """Return waiting queries that an idle ``worker`` should ring for again, the oldest first."""
    other = aliased(Query)
    is_busy = exists().where(other.state == RUNNING, other.worker == worker)
    overdue = or_(Query.rung_at.is_(None), Query.rung_at < now - timedelta(seconds=patience_s))
    waiting = select(Query.id).where(Query.state == QUEUED, overdue, ~is_busy)
    return session.scalars(waiting.order_by(Query.created_at, Query.id).limit(limit)).all()


def note_rung(session: Session, query_ids: Sequence[str], now: datetime) -> None:
    """Note that messages were sent for waiting queries."""
    waiting = update(Query).where(Query.id.in_(query_ids), Query.state == QUEUED)
    session.execute(waiting.values(rung_at=now), execution_options=_PLAIN)


def _end(session: Session, held: QueryClaim, values: dict[str, object]) -> None:
    is_held = (Query.id == held.query_id, Query.state == RUNNING, Query.claim_count == held.number)
    change = update(Query).where(*is_held).values({**_NO_WORKER, **values}).returning(Query.id)
    if session.scalar(change, execution_options=_PLAIN) is None:
        raise LeaseLost(held.query_id)

"""Reading and writing whose tracks are, identities and rejections: what `store.identity_changes` and undoing share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, text, tuple_, update
from sqlalchemy.orm import Session

from store.identity_tables import Identity, Rejection
from store.tables import Track

Owner = tuple[int | None, bool]
"""Whose a track is, and whether a person said so."""

Row = dict[str, Any]
"""An identity's columns as an event keeps them."""

Pair = tuple[int, int]
"""An identity and a track that is not its."""

NOBODY: Owner = (None, False)

_FIELDS = ("kind", "name", "note", "is_hidden", "created_at")
_CHUNK = 400
_LOCK_NUMBER = 0x7265_4964  # any number, the same for everyone
_PLAIN = {"synchronize_session": False}


def take_turn(session: Session) -> None:
    """Wait until no other transaction changes identities, and keep others from it to the end of this one."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
    else:  # a change of nothing: SQLite has one writer, and becomes this transaction's at its first change
        session.execute(update(Identity).where(Identity.id < 0).values(name=""), execution_options=_PLAIN)
    session.expire_all()


def owners_of(session: Session, track_ids: Iterable[int]) -> dict[int, Owner]:
    """Return whose each track is; a track that is gone is left out."""
    found: dict[int, Owner] = {}
    for some in chunks(track_ids):
        rows = session.execute(select(Track.id, Track.identity_id, Track.is_confirmed).where(Track.id.in_(some)))
        found.update({track_id: (owner, is_confirmed) for track_id, owner, is_confirmed in rows})
    return found


def rows_of(session: Session, identity_ids: Iterable[int]) -> dict[int, Row]:
    """Return the columns of those identities that exist."""
    found: dict[int, Row] = {}
    for some in chunks(identity_ids):
        for identity in session.scalars(select(Identity).where(Identity.id.in_(some))):
            found[identity.id] = row_of(identity)
    return found


def rejections_there(session: Session, pairs: Iterable[Pair]) -> set[Pair]:
    """Return those of ``pairs`` that are rejected."""
    found: set[Pair] = set()
    columns = (Rejection.identity_id, Rejection.track_id)
    for some in chunks(pairs):
        rows = session.execute(select(*columns).where(tuple_(*columns).in_(some)))
        found.update((identity_id, track_id) for identity_id, track_id in rows)
    return found


def write_owners(session: Session, owners: Mapping[int, Owner]) -> None:
    """Write whose each track is."""
    groups: dict[Owner, list[int]] = {}
    for track_id, owner in owners.items():
        groups.setdefault(owner, []).append(track_id)
    for (identity_id, is_confirmed), track_ids in groups.items():
        for some in chunks(track_ids):
            values = {"identity_id": identity_id, "is_confirmed": is_confirmed}
            session.execute(update(Track).where(Track.id.in_(some)).values(values), execution_options=_PLAIN)


def write_rejections(session: Session, targets: Mapping[Pair, bool]) -> None:
    """Insert the pairs that are to be there and are not, and delete those that are not to be there."""
    there = rejections_there(session, targets)
    added = [{"identity_id": pair[0], "track_id": pair[1]} for pair in targets if targets[pair] and pair not in there]
    if added:
        session.execute(insert(Rejection), added)
    columns = (Rejection.identity_id, Rejection.track_id)
    for some in chunks(pair for pair, is_there in targets.items() if not is_there):
        session.execute(delete(Rejection).where(tuple_(*columns).in_(some)), execution_options=_PLAIN)


def row_of(identity: Identity) -> Row:
    """Return an identity's columns in JSON types."""
    row = {name: getattr(identity, name) for name in _FIELDS}
    return {**row, "created_at": row["created_at"].isoformat()}


def values_of(row: Row) -> Row:
    """Return what `row_of` returned, or a part of it, as columns."""
    return {**row, "created_at": datetime.fromisoformat(row["created_at"])} if "created_at" in row else row


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield ``items`` in lists that fit into one statement."""
    listed = list(items)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]

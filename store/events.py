"""The history of identities: reading it, undoing and doing again, and forgetting its names.

To undo an event is to put the values before back, where those after are still
in place. That leaves alone what later events did to other things, and is
refused where they did it to the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from errors import RequestError
from store.identity_changes import MERGE
from store.identity_rows import (
    Owner,
    Pair,
    Row,
    chunks,
    owners_of,
    rejections_there,
    rows_of,
    take_turn,
    values_of,
    write_owners,
    write_rejections,
)
from store.identity_tables import EventSubject, Identity, IdentityEvent, Rejection
from store.tables import Track

_PLAIN = {"synchronize_session": False}


def get(session: Session, event_id: int) -> IdentityEvent:
    """Return an event.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none.
    """
    event = session.get(IdentityEvent, event_id)
    if event is None:
        raise RequestError("request.not_found", status=404)
    return event


def page(
    session: Session, *, identity_id: int | None = None, limit: int = 50, offset: int = 0
) -> tuple[Sequence[IdentityEvent], int]:
    """Return some events, of one identity or of all, the latest first, and how many there are in all."""
    wanted = select(IdentityEvent)
    if identity_id is not None:
        wanted = wanted.join(EventSubject).where(EventSubject.identity_id == identity_id)
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    return session.scalars(wanted.order_by(IdentityEvent.id.desc()).limit(limit).offset(offset)).all(), total


def subjects_of(session: Session, event_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return the identities that each event is about, by its id; some may be gone."""
    found: dict[int, list[int]] = {event_id: [] for event_id in event_ids}
    query = select(EventSubject.event_id, EventSubject.identity_id).where(EventSubject.event_id.in_(event_ids))
    for event_id, identity_id in session.execute(query.order_by(EventSubject.identity_id)):
        found[event_id].append(identity_id)
    return found


def successor_of(session: Session, identity_id: int) -> int | None:
    """Return the identity that one which is gone was merged into, last of all; None where it was not merged."""
    found: int | None = None
    seen = {identity_id}
    while True:
        query = (
            select(IdentityEvent)
            .join(EventSubject)
            .where(
                EventSubject.identity_id == identity_id, IdentityEvent.kind == MERGE, IdentityEvent.undone_at.is_(None)
            )
            .order_by(IdentityEvent.id.desc())
        )
        into = next(
            (event.params["into"] for event in session.scalars(query) if identity_id in event.params["others"]), None
        )
        if into is None or into in seen:
            return found
        seen.add(into)
        found = identity_id = into


def undo(session: Session, event_id: int, now: datetime) -> IdentityEvent:
    """Put back what was there before an event.

    Tracks that were deleted since are left out. Those that were found again when their video was tracked
    again have kept their ids; pieces of one share its fate.

    Raises
    ------
    RequestError
        ``identity.undone`` where it is undone already, ``identity.changed_since`` where a later event changed the
        same, ``identity.changed_otherwise`` where something else did, ``request.not_found`` when there is none.
    """
    take_turn(session)
    event = get(session, event_id)
    if event.undone_at is not None:
        raise RequestError("identity.undone", status=409, event=event_id)
    _carry_out(session, event, Reversal.undoing(session, event.changes))
    event.undone_at = now
    session.flush()
    return event


def redo(session: Session, event_id: int) -> IdentityEvent:
    """Do an event that was undone once more.

    Raises
    ------
    RequestError
        ``identity.in_force`` where it is not undone, and otherwise as `undo` does.
    """
    take_turn(session)
    event = get(session, event_id)
    if event.undone_at is None:
        raise RequestError("identity.in_force", status=409, event=event_id)
    _carry_out(session, event, Reversal.redoing(session, event.changes))
    event.undone_at = None
    session.flush()
    return event


def _carry_out(session: Session, event: IdentityEvent, reversal: Reversal) -> None:
    found = reversal.conflict()
    if found is not None:
        later = _last_change(session, event, *found)
        if later is None:
            raise RequestError("identity.changed_otherwise", status=409, event=event.id)
        raise RequestError("identity.changed_since", status=409, event=event.id, later=later)
    reversal.carry_out()
    session.refresh(event)


def _last_change(session: Session, event: IdentityEvent, table: str, key: int | Pair) -> int | None:
    """Return the last event in force, other than ``event``, that changed a value."""
    query = select(IdentityEvent).where(IdentityEvent.id != event.id, IdentityEvent.undone_at.is_(None))
    latest_first = query.order_by(IdentityEvent.id.desc()).execution_options(yield_per=50)
    with closing(session.scalars(latest_first)) as others:
        return next((other.id for other in others if _touches(other.changes, table, key)), None)


def _touches(changes: Mapping[str, Sequence[Sequence[Any]]], table: str, key: int | Pair) -> bool:
    if table == "rejections" and isinstance(key, tuple):
        return any((row[0], row[1]) == key for row in changes["rejections"])
    if table == "tracks":
        return any(row[0] == key for row in changes["tracks"])
    is_owner = any(key in (row[1], row[3]) for row in changes["tracks"])
    return is_owner or any(row[0] == key for name in ("identities", "rejections") for row in changes[name])


class Reversal:
    """What undoes an event, or does it again: each value that must be there, and what to put in its place."""

    def __init__(
        self,
        session: Session,
        owners: dict[int, tuple[Owner, Owner]],
        rows: dict[int, tuple[Row | None, Row | None]],
        rejections: dict[Pair, tuple[bool, bool]],
    ) -> None:
        self._session = session
        self._owners = _with_pieces(session, owners)
        self._rows = rows
        self._rejections = rejections

    @classmethod
    def redoing(cls, session: Session, changes: Mapping[str, Any]) -> Reversal:
        """Return what puts the values after in the place of those before."""
        return cls(
            session,
            {row[0]: ((row[1], row[2]), (row[3], row[4])) for row in changes["tracks"]},
            {row[0]: (row[1], row[2]) for row in changes["identities"]},
            {(row[0], row[1]): (row[2], row[3]) for row in changes["rejections"]},
        )

    @classmethod
    def undoing(cls, session: Session, changes: Mapping[str, Any]) -> Reversal:
        """Return what puts the values before in the place of those after."""
        return cls(
            session,
            {row[0]: ((row[3], row[4]), (row[1], row[2])) for row in changes["tracks"]},
            {row[0]: (row[2], row[1]) for row in changes["identities"]},
            {(row[0], row[1]): (row[3], row[2]) for row in changes["rejections"]},
        )

    def conflict(self) -> tuple[str, Any] | None:
        """Return what does not have the value that it must have, None where all have.

        That is ``("tracks", id)``, ``("identities", id)`` or ``("rejections", (identity_id, track_id))``.
        """
        owners = owners_of(self._session, self._owners)
        for track_id, owner in owners.items():
            if owner != self._owners[track_id][0]:
                return "tracks", track_id
        wanted = {owner[0] for _, owner in self._owners.values()} | {pair[0] for pair in self._rejections}
        rows = rows_of(self._session, {*self._rows, *(some for some in wanted if some is not None)})
        for identity_id, (expected, target) in self._rows.items():
            if not _fits(rows.get(identity_id), expected):
                return "identities", identity_id
            if target is None and self._has_more(identity_id, owners):
                return "identities", identity_id
        for needed in wanted:
            if needed is not None and needed not in rows and needed not in self._rows:
                return "identities", needed
        there = rejections_there(self._session, self._rejections)
        known = owners_of(self._session, [track_id for _, track_id in self._rejections])
        for pair, (is_expected, _) in self._rejections.items():
            if pair[1] in known and (pair in there) != is_expected:
                return "rejections", pair
        return None

    def carry_out(self) -> None:
        """Put the values in place; `conflict` must have found none."""
        session = self._session
        for identity_id, (expected, target) in self._rows.items():
            if target is not None and expected is None:
                session.execute(insert(Identity).values(id=identity_id, **values_of(target)))
            elif target is not None:
                change = update(Identity).where(Identity.id == identity_id).values(**values_of(target))
                session.execute(change, execution_options=_PLAIN)
        known = owners_of(session, self._owners)
        write_owners(session, {track_id: self._owners[track_id][1] for track_id in known})
        tracks = owners_of(session, [track_id for _, track_id in self._rejections])
        targets = {pair: target for pair, (_, target) in self._rejections.items() if pair[1] in tracks}
        write_rejections(session, targets)
        gone = [identity_id for identity_id, (_, target) in self._rows.items() if target is None]
        session.execute(delete(Identity).where(Identity.id.in_(gone)), execution_options=_PLAIN)
        session.expire_all()

    def _has_more(self, identity_id: int, owners: Mapping[int, Owner]) -> bool:
        """Return whether an identity that is to go has tracks or rejections that this event did not give it."""
        tracks = self._session.scalars(select(Track.id).where(Track.identity_id == identity_id)).all()
        leaving = {track_id for track_id in owners if self._owners[track_id][1][0] != identity_id}
        rejected = self._session.scalars(select(Rejection.track_id).where(Rejection.identity_id == identity_id)).all()
        going = {pair[1] for pair, (_, target) in self._rejections.items() if pair[0] == identity_id and not target}
        return not (set(tracks) <= leaving and set(rejected) <= going)


def _with_pieces(session: Session, tracks: Mapping[int, tuple[Owner, Owner]]) -> dict[int, tuple[Owner, Owner]]:
    """Add the tracks that were split from these since, when a video was tracked again: they share their fate."""
    found, newest = dict(tracks), list(tracks)
    while newest:
        pieces = [
            (track_id, int(whole or 0))
            for some in chunks(newest)
            for track_id, whole in session.execute(
                select(Track.id, Track.split_from_id).where(Track.split_from_id.in_(some))
            )
            if track_id not in found
        ]
        owners = owners_of(session, [track_id for track_id, _ in pieces])
        newest = [track_id for track_id, whole in pieces if owners[track_id] == found[whole][0]]
        found.update({track_id: found[whole] for track_id, whole in pieces if track_id in set(newest)})
    return found


def _fits(row: Row | None, expected: Row | None) -> bool:
    if row is None or expected is None:
        return row is expected
    return all(row[name] == value for name, value in expected.items())

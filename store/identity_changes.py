"""Changes of identities that remember what was there, so that each can be undone; `store.events` undoes them.

An event keeps the value before and after of everything that it touched: whose
a track is, an identity's row, a rejection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from store.identity_rows import (
    NOBODY,
    Owner,
    Pair,
    Row,
    owners_of,
    rejections_there,
    row_of,
    take_turn,
    write_owners,
    write_rejections,
)
from store.identity_tables import USER, EventSubject, Identity, IdentityEvent, Rejection
from store.tables import Track

CREATE, RENAME, NOTE, CONFIRM, REJECT, MERGE = "create", "rename", "note", "confirm", "reject", "merge"
SPLIT, MOVE, HIDE, SHOW, DELETE, PROPOSE, CARRY = "split", "move", "hide", "show", "delete", "propose", "carry"
EVENT_KINDS = (CREATE, RENAME, NOTE, CONFIRM, REJECT, MERGE, SPLIT, MOVE, HIDE, SHOW, DELETE, PROPOSE, CARRY)
"""What an event can be. The last two are the program's: its proposals, and what tracking again has lost."""


class Ledger:
    """Carries out changes within one transaction and remembers the values before and after.

    From its making to the end of the transaction no other change of identities goes on.
    """

    def __init__(self, session: Session) -> None:
        take_turn(session)
        self._session = session
        self._owners: dict[int, tuple[Owner, Owner]] = {}
        self._rows: dict[int, tuple[Row | None, Row | None]] = {}
        self._rejections: dict[Pair, tuple[bool, bool]] = {}

    def insert(self, kind: str, now: datetime, *, name: str = "", note: str = "") -> int:
        """Insert an identity and return its id."""
        identity = Identity(kind=kind, name=name, note=note, is_hidden=False, created_at=now)
        self._session.add(identity)
        self._session.flush()
        self._rows[identity.id] = (None, row_of(identity))
        return identity.id

    def change(self, identity: Identity, **values: Any) -> None:
        """Change columns of an identity."""
        before = self._before(identity)
        for name, value in values.items():
            setattr(identity, name, value)
        self._session.flush()
        self._rows[identity.id] = (before, row_of(identity))

    def remove(self, identity: Identity) -> None:
        """Delete an identity, with its rejections; its tracks are nobody's unless they were given away before."""
        rejected = self._session.scalars(select(Rejection.track_id).where(Rejection.identity_id == identity.id)).all()
        self.unreject(identity.id, rejected)
        left = self._session.scalars(select(Track.id).where(Track.identity_id == identity.id)).all()
        self.assign(dict.fromkeys(left, NOBODY))
        self._rows[identity.id] = (self._before(identity), None)
        self._session.delete(identity)
        self._session.flush()

    def join(self, into: Identity, other: Identity) -> None:
        """Give all tracks and rejections of ``other`` to ``into``, and delete it."""
        owned = self._session.execute(select(Track.id, Track.is_confirmed).where(Track.identity_id == other.id)).all()
        rejected = self._session.scalars(select(Rejection.track_id).where(Rejection.identity_id == other.id)).all()
        coming = {track_id: (into.id, is_confirmed) for track_id, is_confirmed in owned}
        self.unreject(into.id, coming)
        self.assign(coming)
        its_own = set(self._session.scalars(select(Track.id).where(Track.identity_id == into.id)))
        self.reject(into.id, [track_id for track_id in rejected if track_id not in its_own])
        self.remove(other)

    def assign(self, owners: Mapping[int, Owner]) -> None:
        """Say of each track, by its id, whose it is."""
        known = owners_of(self._session, owners)
        for track_id, owner in owners.items():
            first, _ = self._owners.get(track_id, (known[track_id], known[track_id]))
            self._owners[track_id] = (first, owner)
        write_owners(self._session, owners)

    def reject(self, identity_id: int, track_ids: Iterable[int]) -> None:
        """Note that tracks are not an identity's."""
        self._set_rejections({(identity_id, track_id): True for track_id in track_ids})

    def unreject(self, identity_id: int, track_ids: Iterable[int]) -> None:
        """Take such notes back."""
        self._set_rejections({(identity_id, track_id): False for track_id in track_ids})

    def write(
        self, kind: str, about: Iterable[int], now: datetime, *, actor: str = USER, **params: Any
    ) -> IdentityEvent | None:
        """Insert the event of all changes so far; None where nothing changed.

        Parameters
        ----------
        about : the identities in whose history it belongs, besides those it changed.
        """
        changes = self._changes()
        if not any(changes.values()) and kind != CARRY:
            return None
        event = IdentityEvent(kind=kind, actor=actor, params=params, changes=changes, created_at=now)
        self._session.add(event)
        self._session.flush()
        subjects = sorted({*about, *_identities_in(changes)})
        if subjects:
            self._session.execute(
                insert(EventSubject), [{"event_id": event.id, "identity_id": subject} for subject in subjects]
            )
        self._session.expire_all()
        return event

    def _before(self, identity: Identity) -> Row | None:
        return self._rows[identity.id][0] if identity.id in self._rows else row_of(identity)

    def _set_rejections(self, wanted: Mapping[Pair, bool]) -> None:
        there = rejections_there(self._session, wanted)
        for pair, value in wanted.items():
            first, _ = self._rejections.get(pair, (pair in there, True))
            self._rejections[pair] = (first, value)
        write_rejections(self._session, wanted)

    def _changes(self) -> Row:
        return {
            "tracks": [[track_id, *was, *now] for track_id, (was, now) in self._owners.items() if was != now],
            "identities": [
                [identity_id, *_difference(was, now)] for identity_id, (was, now) in self._rows.items() if was != now
            ],
            "rejections": [[*pair, was, now] for pair, (was, now) in self._rejections.items() if was != now],
        }


def _identities_in(changes: Mapping[str, Sequence[Sequence[Any]]]) -> set[int]:
    of_tracks = {
        identity_id for row in changes["tracks"] for identity_id in (row[1], row[3]) if identity_id is not None
    }
    others = {row[0] for name in ("identities", "rejections") for row in changes[name]}
    return of_tracks | others


def _difference(was: Row | None, now: Row | None) -> tuple[Row | None, Row | None]:
    if was is None or now is None:
        return was, now
    changed = [name for name in was if was[name] != now[name]]
    return {name: was[name] for name in changed}, {name: now[name] for name in changed}

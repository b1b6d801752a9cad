"""What people do with identities: name, confirm, reject, merge, split, move, hide, delete.

Each function is one event, which `store.events.undo` takes back. Functions
take lists, so that a choice of many is one event too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from errors import RequestError
from store import identity_changes as kinds
from store import together
from store.identity_changes import Ledger
from store.identity_rows import NOBODY, chunks
from store.identity_tables import MAX_NAME_LENGTH, MAX_NOTE_LENGTH, Identity
from store.tables import Track


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes
    ----------
    identity_id : the identity that it led to; None where it was about several, or ended one.
    event_id : to undo it by; None where nothing had to be changed.
    """

    identity_id: int | None
    event_id: int | None


def get(session: Session, identity_id: int) -> Identity:
    """Return an identity.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none.
    """
    identity = session.get(Identity, identity_id)
    if identity is None:
        raise RequestError("request.not_found", status=404)
    return identity


def create(session: Session, kind: str, now: datetime, *, name: str = "", note: str = "") -> Done:
    """Make an identity without tracks."""
    ledger = Ledger(session)
    identity_id = ledger.insert(kind, now, name=name[:MAX_NAME_LENGTH], note=note[:MAX_NOTE_LENGTH])
    return _write(ledger, kinds.CREATE, identity_id, now, name=name)


def rename(session: Session, identity_id: int, name: str, now: datetime) -> Done:
    """Give an identity a name; an empty one takes it away."""
    ledger = Ledger(session)
    identity = get(session, identity_id)
    before = identity.name
    ledger.change(identity, name=name[:MAX_NAME_LENGTH])
    return _write(ledger, kinds.RENAME, identity_id, now, before=before, name=identity.name)


def note(session: Session, identity_id: int, text: str, now: datetime) -> Done:
    """Write an identity's note."""
    ledger = Ledger(session)
    ledger.change(get(session, identity_id), note=text[:MAX_NOTE_LENGTH])
    return _write(ledger, kinds.NOTE, identity_id, now)


def confirm(
    session: Session,
    track_ids: Sequence[int],
    identity_id: int | None,
    now: datetime,
    *,
    allow_together: bool = False,
) -> Done:
    """Say that tracks are an identity's; without one, that they are one and the same, which makes a new one.

    Tracks that were only proposed for another identity leave it. One without tracks, name and note goes.

    Parameters
    ----------
    identity_id : None takes the identity that one of the tracks is confirmed for, else makes one.
    allow_together : whether tracks of one camera and time may be one, as where a tracker followed somebody twice.

    Raises
    ------
    RequestError
        ``identity.taken`` where a track is confirmed for another identity, ``identity.kinds`` for tracks of
        another kind, ``identity.together`` for tracks that were seen together, ``request.not_found``.
    """
    ledger = Ledger(session)
    tracks = _tracks(session, track_ids)
    confirmed = {track.identity_id for track in tracks if track.is_confirmed and track.identity_id}
    if identity_id is None and len(confirmed) == 1:
        identity_id = confirmed.pop()
    elif confirmed - {identity_id}:
        raise RequestError("identity.taken", status=409, other=min(confirmed - {identity_id, None}))
    if identity_id is None:
        identity_id = ledger.insert(tracks[0].kind, now)
    _give(session, ledger, tracks, get(session, identity_id), now, allow_together=allow_together)
    return _write(ledger, kinds.CONFIRM, identity_id, now, tracks=len(tracks))


def confirm_all(session: Session, identity_ids: Sequence[int], now: datetime) -> Done:
    """Say that all tracks that are proposed for these identities are theirs."""
    ledger = Ledger(session)
    for identity_id in identity_ids:
        get(session, identity_id)
        proposed = _track_ids(session, identity_id, Track.is_confirmed.is_(False))
        ledger.assign(dict.fromkeys(proposed, (identity_id, True)))
    return _write_many(ledger, kinds.CONFIRM, identity_ids, now)


def reject(session: Session, identity_id: int, track_ids: Sequence[int], now: datetime) -> Done:
    """Say that tracks are not an identity's: they leave it, and are never offered for it again.

    Raises
    ------
    RequestError
        ``request.not_found`` for an unknown identity or track.
    """
    ledger = Ledger(session)
    identity = get(session, identity_id)
    tracks = _tracks(session, track_ids)
    ledger.reject(identity_id, [track.id for track in tracks])
    leaving = [track.id for track in tracks if track.identity_id == identity_id]
    ledger.assign(dict.fromkeys(leaving, NOBODY))
    _drop_if_empty(session, ledger, [identity] if leaving else [])
    return _write(ledger, kinds.REJECT, identity_id, now, tracks=len(tracks))


def merge(
    session: Session, into_id: int, from_ids: Iterable[int], now: datetime, *, allow_together: bool = False
) -> Done:
    """Make several identities one: tracks, rejections and notes join ``into_id``; the others go.

    A track stays confirmed or proposed, as it was. The name is that of ``into_id``, else the first there is.

    Raises
    ------
    RequestError
        ``identity.kinds``, ``identity.together`` or ``request.not_found``, as `confirm` does.
    """
    ledger = Ledger(session)
    into = get(session, into_id)
    others = [get(session, other_id) for other_id in dict.fromkeys(from_ids) if other_id != into_id]
    if any(other.kind != into.kind for other in others):
        raise RequestError("identity.kinds", status=409)
    held = together.spans_of(session, _track_ids(session, into_id))
    for other in others:
        coming = together.spans_of(session, _track_ids(session, other.id))
        if not allow_together:
            _refuse_together(held, coming)
        held += coming
    name = next((one.name for one in (into, *others) if one.name), "")
    notes = dict.fromkeys(one.note for one in (into, *others) if one.note)
    ledger.change(into, name=name, note="\n".join(notes)[:MAX_NOTE_LENGTH])
    params = {"into": into_id, "others": [other.id for other in others], "names": [one.name for one in others]}
    for other in others:
        ledger.join(into, other)
    return _write(ledger, kinds.MERGE, into_id, now, **params)


def split(session: Session, identity_id: int, track_ids: Sequence[int], now: datetime) -> Done:
    """Make some tracks of an identity another one; neither will be offered tracks of the other.

    Raises
    ------
    RequestError
        ``identity.not_its`` for a track that is not the identity's, ``request.not_found``.
    """
    ledger = Ledger(session)
    identity = get(session, identity_id)
    tracks = _tracks(session, track_ids)
    if any(track.identity_id != identity_id for track in tracks):
        raise RequestError("identity.not_its", status=409, identity=identity_id)
    made = get(session, ledger.insert(identity.kind, now))
    _give(session, ledger, tracks, made, now, allow_together=True)
    ledger.reject(identity_id, [track.id for track in tracks])
    ledger.reject(made.id, _track_ids(session, identity_id))
    return _write(ledger, kinds.SPLIT, made.id, now, source=identity_id, tracks=len(tracks))


def move(
    session: Session, track_ids: Sequence[int], identity_id: int, now: datetime, *, allow_together: bool = False
) -> Done:
    """Take tracks from whomever they are and give them to an identity, confirmed; the others will not get them back.

    Raises
    ------
    RequestError
        ``identity.kinds``, ``identity.together`` or ``request.not_found``, as `confirm` does.
    """
    ledger = Ledger(session)
    tracks = _tracks(session, track_ids)
    sources = {track.id: track.identity_id for track in tracks if track.identity_id not in (None, identity_id)}
    for track_id, source in sources.items():
        ledger.reject(source or 0, [track_id])
    _give(session, ledger, tracks, get(session, identity_id), now, allow_together=allow_together)
    return _write(ledger, kinds.MOVE, identity_id, now, tracks=len(tracks))


def keep_apart(session: Session, first_id: int, second_id: int, now: datetime) -> Done:
    """Say that two identities are not one: neither is offered tracks of the other, nor the two as a pair again."""
    ledger = Ledger(session)
    for identity_id, other_id in ((first_id, second_id), (second_id, first_id)):
        get(session, identity_id)
        ledger.reject(identity_id, _track_ids(session, other_id))
    return _write_many(ledger, kinds.REJECT, [first_id, second_id], now)


def hide(session: Session, identity_ids: Sequence[int], now: datetime) -> Done:
    """Leave identities out of lists and searches' suggestions."""
    return _set_hidden(session, identity_ids, kinds.HIDE, now, is_hidden=True)


def show(session: Session, identity_ids: Sequence[int], now: datetime) -> Done:
    """Show hidden identities again."""
    return _set_hidden(session, identity_ids, kinds.SHOW, now, is_hidden=False)


def delete(session: Session, identity_ids: Sequence[int], now: datetime) -> Done:
    """Delete identities; their tracks are nobody's again. `store.forgetting` removes what is left of them for good."""
    ledger = Ledger(session)
    rows = [get(session, identity_id) for identity_id in dict.fromkeys(identity_ids)]
    names = [row.name for row in rows]
    for row in rows:
        ledger.remove(row)
    return _write_many(ledger, kinds.DELETE, identity_ids, now, names=names)


def _set_hidden(session: Session, identity_ids: Sequence[int], kind: str, now: datetime, *, is_hidden: bool) -> Done:
    ledger = Ledger(session)
    for identity_id in identity_ids:
        ledger.change(get(session, identity_id), is_hidden=is_hidden)
    return _write_many(ledger, kind, identity_ids, now)


def _give(
    session: Session, ledger: Ledger, tracks: Sequence[Track], to: Identity, now: datetime, *, allow_together: bool
) -> None:
    """Give tracks to an identity, confirmed; what they leave empty goes."""
    if any(track.kind != to.kind for track in tracks):
        raise RequestError("identity.kinds", status=409)
    coming = [track.id for track in tracks]
    if not allow_together:
        arriving = together.spans_of(session, [track.id for track in tracks if track.identity_id != to.id])
        held = together.spans_of(session, _track_ids(session, to.id))
        _refuse_together(held, arriving)
        _refuse_together(arriving, arriving)
    left = {track.identity_id for track in tracks if track.identity_id not in (None, to.id)}
    ledger.unreject(to.id, coming)
    ledger.assign(dict.fromkeys(coming, (to.id, True)))
    _drop_if_empty(session, ledger, [get(session, source) for source in left if source is not None])


def _drop_if_empty(session: Session, ledger: Ledger, identities: Iterable[Identity]) -> None:
    """Remove those that have no tracks left and that nobody gave words to: a proposal of nothing."""
    for identity in identities:
        count = session.scalar(select(func.count()).select_from(Track).where(Track.identity_id == identity.id))
        if not (count or identity.name or identity.note):
            ledger.remove(identity)


def _refuse_together(some: Iterable[together.Span], others: Iterable[together.Span]) -> None:
    found = together.first_together(some, others)
    if found is not None:
        raise RequestError("identity.together", status=409, first=found[0].track_id, second=found[1].track_id)


def _tracks(session: Session, track_ids: Sequence[int]) -> Sequence[Track]:
    wanted = list(dict.fromkeys(track_ids))
    found = [track for some in chunks(wanted) for track in session.scalars(select(Track).where(Track.id.in_(some)))]
    if not wanted or len(found) != len(wanted):
        raise RequestError("request.not_found", status=404)
    return found


def _track_ids(session: Session, identity_id: int, *conditions: ColumnElement[bool]) -> Sequence[int]:
    query = select(Track.id).where(Track.identity_id == identity_id, *conditions)
    return session.scalars(query.order_by(Track.id)).all()


def _write(ledger: Ledger, kind: str, identity_id: int, now: datetime, **params: Any) -> Done:
    event = ledger.write(kind, [identity_id], now, **params)
    return Done(identity_id, None if event is None else event.id)


def _write_many(ledger: Ledger, kind: str, identity_ids: Sequence[int], now: datetime, **params: Any) -> Done:
    event = ledger.write(kind, identity_ids, now, **params)
    return Done(None, None if event is None else event.id)

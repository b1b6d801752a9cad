"""The tables of identities: who or what several tracks show, and everything that was decided about it.

`store.tables.Track.identity_id` says whose a track is. Who changes any of this
does so through `store.identity_changes`, so that it can be undone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base

MAX_NAME_LENGTH = 200
MAX_NOTE_LENGTH = 4000

USER = "user"
PROGRAM = "program"
ACTORS = (USER, PROGRAM)
"""Who an event is by: a person at the site, or the program's proposals."""


class Identity(Base):
    """One person or vehicle, as far as is known; its number is its id, which is never used again.

    Attributes
    ----------
    kind : a `records.Kind`, that of all of its tracks.
    name, note : a person's words; empty while nobody gave any.
    is_hidden : whether lists leave it out.
    """

    __tablename__ = "identity"
    __table_args__ = (Index(None, "kind", "is_hidden"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(MAX_NAME_LENGTH), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    is_hidden: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Rejection(Base):
    """A person's word that a track is not this identity's; proposals and searches heed it."""

    __tablename__ = "rejection"

    identity_id: Mapped[int] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"), primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id", ondelete="CASCADE"), primary_key=True, index=True)


class IdentityEvent(Base):
    """A change that can be undone.

    Attributes
    ----------
    kind : what was done, one of `store.identity_changes.EVENT_KINDS`.
    actor : one of `ACTORS`.
    params : what its sentence names, e.g. ``{"name": "Bo"}``.
    changes : every value before and after; see `store.identity_changes.Changes`.
    undone_at : None while it is in force.
    """

    __tablename__ = "identity_event"
    __table_args__ = (Index(None, "created_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(16))
    params: Mapped[dict[str, Any]]
    changes: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class EventSubject(Base):
    """An identity that an event is about; it may be gone by now."""

    __tablename__ = "identity_event_subject"

    event_id: Mapped[int] = mapped_column(ForeignKey("identity_event.id", ondelete="CASCADE"), primary_key=True)
    identity_id: Mapped[int] = mapped_column(primary_key=True, index=True)

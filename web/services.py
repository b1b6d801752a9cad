"""What the views are handed: settings, storage, database sessions, the queue's bell and the clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone

from flask import current_app
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from store.files import Storage

EXTENSION = "resight"


def utc_now() -> datetime:
    """Return the present time with the time zone UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Services:
    """The collaborators of all views.

    Attributes
    ----------
    ring : tells a worker that a job waits; returns soon and never raises.
    free_bytes : how much the disk of the data folder still takes; measured where not given.
    """

    settings: Settings
    storage: Storage
    sessions: sessionmaker[Session]
    ring: Callable[[str], object]
    now: Callable[[], datetime] = utc_now
    free_bytes: Callable[[], int] | None = field(default=None)

    def disk_free_bytes(self) -> int:
        """Return the bytes that the disk of the data folder still takes."""
        if self.free_bytes is not None:
            return self.free_bytes()
        return shutil.disk_usage(self.settings.data_dir).free

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session that ends with the block; whoever writes commits."""
        with self.sessions() as session:
            yield session


def services() -> Services:
    """Return the services of the application that handles this request."""
    bundle = current_app.extensions[EXTENSION]
    if not isinstance(bundle, Services):
        raise TypeError(f"extension {EXTENSION!r} is {type(bundle).__name__}, not Services")
    return bundle

"""What the views are handed: settings, storage, the database session, the queue's bell and the clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone

from flask import current_app
from sqlalchemy.orm import Session

from config import Settings
from store.files import Storage
from web.database import db

EXTENSION = "resight"


def utc_now() -> datetime:
    """Return the present time with the time zone UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Services:
    """The collaborators of all views.

    Attributes
    ----------
    ring, ring_query : tell a worker that a job or a search by picture waits; return soon and never raise.
    free_bytes : how much the disk of the data folder still takes; measured where not given.
    """

    settings: Settings
    storage: Storage
    ring: Callable[[str], object]
    ring_query: Callable[[str], object]
    now: Callable[[], datetime] = utc_now
    free_bytes: Callable[[], int] | None = field(default=None)

    def disk_free_bytes(self) -> int:
        """Return the bytes that the disk of the data folder still takes."""
        if self.free_bytes is not None:
            return self.free_bytes()
        return shutil.disk_usage(self.settings.data_dir).free

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give the request's session; what the block leaves uncommitted is rolled back."""
        with db.session() as session:
            yield session


def services() -> Services:
    """Return the services of the application that handles this request."""
    bundle = current_app.extensions[EXTENSION]
    if not isinstance(bundle, Services):
        raise TypeError(f"extension {EXTENSION!r} is {type(bundle).__name__}, not Services")
    return bundle

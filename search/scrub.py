"""Remove what was forgotten from the files that are kept beside the rows: vectors, and the database's journal."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from search.index import Index
from store import models
from store.database import empty_journal


def erase_gone(session: Session, folder: Path) -> None:
    """Leave no vector on the disk that the database does not have any more; other processes may be searching.

    Parameters
    ----------
    folder : `store.files.Storage.search_dir`.
    """
    for model in models.known(session):
        Index(folder, model.name, model.dimension).erase_gone(session)
    session.rollback()  # ends the reading, which would hold the journal
    empty_journal(session)

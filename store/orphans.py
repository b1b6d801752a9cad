"""Files that no row speaks of: left behind by a crash, deleted when a worker starts."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from store.files import Storage, attempt_name
from store.tables import DONE, REEL, RUNNING, Job, Video

_log = logging.getLogger(__name__)

MIN_AGE_S = 3600.0
"""A younger folder of a video may belong to an upload whose row is about to be committed."""


def remove_orphans(session: Session, storage: Storage, *, min_age_s: float = MIN_AGE_S) -> None:
    """Delete attempts that are neither published nor running, and folders of videos that do not exist.

    Parameters
    ----------
    min_age_s : how old the folder of an unknown video must be.
    """
    storage.remove_remains()
    remove_stale_reels(session, storage)
    # The folders are listed before the rows are read: an attempt that begins in between is not in the list.
    found = storage.attempt_names()
    kept = _attempts_in_use(session)
    known = set(session.scalars(select(Video.id)))
    for video_id, names in found.items():
        if video_id in known:
            orphans = names - kept.get(video_id, set())
            storage.remove_attempts(video_id, orphans)
            _log.log(logging.INFO if orphans else logging.DEBUG, "orphans video=%s count=%d", video_id, len(orphans))
        elif storage.age_s(video_id) >= min_age_s:
            _log.info("orphan video=%s", video_id)
            storage.remove_video(video_id)


def remove_stale_reels(session: Session, storage: Storage) -> None:
    """Delete the films that are neither the latest of their identity nor being made."""
    found = storage.reel_names()
    newest = select(func.max(Job.finished_at)).where(Job.kind == REEL, Job.state == DONE).group_by(Job.identity_id)
    kept = select(Job.id).where(Job.kind == REEL, or_(Job.state == RUNNING, Job.finished_at.in_(newest)))
    for job_id in found - set(session.scalars(kept)):
        storage.reel(job_id).remove()


def _attempts_in_use(session: Session) -> Mapping[str, set[str]]:
    is_published = Video.result_job_id == Job.id
    query = (
        select(Video.id, Job.id, Job.claim_count)
        .join(Video, Video.id == Job.video_id)
        .where(or_(Job.state == RUNNING, is_published))
    )
    kept: dict[str, set[str]] = {}
    for video_id, job_id, claim in session.execute(query):
        kept.setdefault(video_id, set()).add(attempt_name(job_id, claim))
    return kept

"""Let the active model describe the tracks that it has not described, by jobs of the kind `EMBED`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import models, vectors
from store.tables import EMBED, LIVE_STATES, Job


def describe_rest(session: Session, video_ids: Collection[str], now: datetime) -> list[str]:
    """Queue a job for each of these videos that needs one and has no live job; return the ids of the jobs.

    A worker looks for them by itself; the caller may ring after its commit.
    """
    wanted = models.active(session)
    if not (wanted.name or wanted.choice):
        return []
    made = []
    for video_id in video_ids:
        if wanted.name and not vectors.undescribed_numbers(session, video_id, wanted.name):
            continue
        live = select(Job.id).where(Job.video_id == video_id, Job.state.in_(LIVE_STATES))
        if session.scalar(live) is not None:
            continue
        settings = {"embedder": wanted.choice, "model": wanted.name}
        job = Job(video_id=video_id, kind=EMBED, settings=settings, created_at=now)
        session.add(job)
        session.flush()
        made.append(job.id)
    return made

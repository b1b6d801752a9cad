"""What searching reads of tracks: where and when each was seen, and whose it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from store.identity_tables import Rejection
from store.tables import Track, Video

_CHUNK = 400


@dataclass(frozen=True, eq=False)
class Sight:
    """A track with its video, camera and jobs' names loaded."""

    track: Track
    video: Video


def sights(session: Session, track_ids: Collection[int]) -> dict[int, Sight]:
    """Return the tracks with those ids; one that is gone is left out."""
    found = {}
    ids = sorted(track_ids)
    for start in range(0, len(ids), _CHUNK):
        query = (
            select(Track, Video)
            .join(Video, Video.id == Track.video_id)
            .where(Track.id.in_(ids[start : start + _CHUNK]))
            .options(joinedload(Video.camera))
        )
        for track, video in session.execute(query):
            found[track.id] = Sight(track, video)
    return found


def confirmed_ids(session: Session, identity_id: int) -> Sequence[int]:
    """Return the tracks that a person confirmed to be an identity's, the first to be made first."""
    query = select(Track.id).where(Track.identity_id == identity_id, Track.is_confirmed).order_by(Track.id)
    return session.scalars(query).all()


def rejected_ids(session: Session, identity_id: int) -> Sequence[int]:
    """Return the tracks of which a person said that they are not an identity's."""
    return session.scalars(select(Rejection.track_id).where(Rejection.identity_id == identity_id)).all()


def recent_tracks(session: Session, *, limit: int, kind: str | None = None) -> Sequence[Sight]:
    """Return the longest track of each of the newest videos, to begin a search with."""
    query = (
        select(Track, Video)
        .join(Video, Video.id == Track.video_id)
        .where(*([] if kind is None else [Track.kind == kind]))
        .order_by(Video.created_at.desc(), Track.point_count.desc(), Track.id)
        .limit(limit)
        .options(joinedload(Video.camera))
    )
    return [Sight(track, video) for track, video in session.execute(query)]

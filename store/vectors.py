"""The vectors of tracks, model by model: what searching reads.

The vectors of a video change only when an attempt publishes: `Video.vectors`
then names that attempt. Whoever keeps a copy compares these names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import numpy as np
from sqlalchemy import Executable, delete, insert, literal_column, select, union_all, update
from sqlalchemy.orm import Session

from records import FloatArray
from store.search_tables import TrackEmbedding
from store.tables import Camera, Track, Video

_PLAIN = {"synchronize_session": False}
_CHUNK = 400

VectorRow = tuple[str, int, str, float, float, bytes]


@dataclass(frozen=True)
class SearchableVideo:
    """A video whose tracks can be searched.

    Attributes
    ----------
    vectors : changes whenever the vectors of its tracks do.
    began_s : the true moment of its first frame, seconds since 1970; None where unknown.
    """

    video_id: str
    vectors: str
    camera_id: int
    began_s: float | None


def searchable_videos(session: Session) -> list[SearchableVideo]:
    """Return all videos with a result, each in its present state."""
    query = (
        select(Video.id, Video.vectors, Video.camera_id, Video.started_at, Camera.clock_offset_s)
        .join(Camera, Camera.id == Video.camera_id)
        .where(Video.vectors.is_not(None))
    )
    return [
        SearchableVideo(video_id, vectors or "", camera_id, epoch_s(started_at, offset_s))
        for video_id, vectors, camera_id, started_at, offset_s in session.execute(query)
    ]


def epoch_s(started_at: datetime | None, clock_offset_s: float) -> float | None:
    """Return a moment of a camera's clock as true seconds since 1970."""
    return None if started_at is None else started_at.timestamp() + clock_offset_s


def of_videos(session: Session, video_ids: Collection[str], embedder: str) -> Iterator[VectorRow]:
    """Yield ``video_id, track_id, kind, first_s, last_s, vector`` of all tracks that a model has described.

    Tracks of one video come together; ``vector`` is float32 bytes.
    """
    ids = sorted(video_ids)
    for start in range(0, len(ids), _CHUNK):
        chosen = Track.video_id.in_(ids[start : start + _CHUNK])
        columns = (Track.video_id, Track.id, Track.kind, Track.first_s, Track.last_s)
        own = select(*columns, Track.embedding.label("vector")).where(
            chosen, Track.embedder == embedder, Track.embedding.is_not(None)
        )
        further = (
            select(*columns, TrackEmbedding.vector)
            .join(TrackEmbedding, TrackEmbedding.track_id == Track.id)
            .where(chosen, TrackEmbedding.embedder == embedder)
        )
        both: Executable = union_all(own, further).order_by(literal_column("1"), literal_column("2"))
        for row in session.execute(both, execution_options={"yield_per": 5000}):
            yield cast("VectorRow", row)


def of_tracks(session: Session, track_ids: Collection[int], embedder: str) -> dict[int, FloatArray]:
    """Return the (D,) float32 vectors that a model made of some tracks; those it has not described are left out."""
    found: dict[int, FloatArray] = {}
    ids = sorted(track_ids)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        own = select(Track.id, Track.embedding).where(Track.id.in_(part), Track.embedder == embedder)
        further = select(TrackEmbedding.track_id, TrackEmbedding.vector).where(
            TrackEmbedding.track_id.in_(part), TrackEmbedding.embedder == embedder
        )
        for query in (further, own):
            for track_id, vector in session.execute(query):
                if vector is not None:
                    found[track_id] = np.frombuffer(vector, "<f4")
    return found


def put_further(
    session: Session, video_id: str, embedder: str, vectors: Mapping[int, FloatArray], *, attempt: str
) -> None:
    """Keep what a further model made of the tracks of a video, in the place of what it made before.

    Parameters
    ----------
    vectors : (D,) each, by the track's number.
    attempt : becomes `Video.vectors`.
    """
    rows = session.execute(select(Track.number, Track.id, Track.embedder).where(Track.video_id == video_id)).all()
    old = delete(TrackEmbedding).where(
        TrackEmbedding.track_id.in_(select(Track.id).where(Track.video_id == video_id)),
        TrackEmbedding.embedder == embedder,
    )
    session.execute(old, execution_options=_PLAIN)
    new = [
        {"track_id": track_id, "embedder": embedder, "vector": np.asarray(vectors[number], "<f4").tobytes()}
        for number, track_id, own in rows
        if number in vectors and own != embedder
    ]
    if new:
        session.execute(insert(TrackEmbedding), new)
    note_changed(session, video_id, attempt)


def note_changed(session: Session, video_id: str, attempt: str) -> None:
    """Say that an attempt changed the vectors of a video; in the transaction that changes them."""
    session.execute(update(Video).where(Video.id == video_id).values(vectors=attempt), execution_options=_PLAIN)


def undescribed_numbers(session: Session, video_id: str, embedder: str) -> Sequence[int]:
    """Return the numbers of the tracks of a video that a model has not described."""
    described = select(TrackEmbedding.track_id).where(
        TrackEmbedding.track_id == Track.id, TrackEmbedding.embedder == embedder
    )
    query = select(Track.number).where(Track.video_id == video_id, Track.embedder != embedder, ~described.exists())
    return session.scalars(query.order_by(Track.number)).all()

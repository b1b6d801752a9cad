"""The tracks of the published result of a video."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, joinedload

from records import FloatArray, TrackSummary
from store.heritage import Heritage
from store.tables import Track


def of_video(session: Session, video_id: str) -> Sequence[Track]:
    """Return the tracks of a video by number, with identities, without embeddings; empty before the first result."""
    query = select(Track).where(Track.video_id == video_id).order_by(Track.number)
    return session.scalars(query.options(joinedload(Track.identity))).all()


def replace(
    session: Session,
    video_id: str,
    job_id: str,
    summaries: Iterable[TrackSummary],
    now: datetime,
    *,
    embedder: str,
    heirs: Mapping[int, Sequence[int]] | None = None,
) -> None:
    """Put the tracks of ``job_id`` in the place of all tracks of the video; see `store.heritage` for what stays.

    Parameters
    ----------
    embedder : the name of the model that made the embeddings; only those of one model are comparable.
    heirs : the numbers of the new tracks that show what an earlier one did, by its number.
    """
    heritage = Heritage.of(session, video_id, heirs or {})
    session.execute(delete(Track).where(Track.video_id == video_id), execution_options={"synchronize_session": False})
    rows = [{**_row(video_id, job_id, summary, embedder), **heritage.columns(summary)} for summary in summaries]
    if rows:
        session.execute(insert(Track), rows)
    heritage.settle(session, now)


def embedding_of(track: Track) -> FloatArray | None:
    """Return the (D,) float32 embedding of a track, or None where no embedder ran."""
    return None if track.embedding is None else np.frombuffer(track.embedding, np.dtype("<f4"))


def _row(video_id: str, job_id: str, summary: TrackSummary, embedder: str) -> dict[str, object]:
    embedding = None if summary.embedding is None else np.asarray(summary.embedding, "<f4").tobytes()
    return {
        "job_id": job_id,
        "video_id": video_id,
        "number": int(summary.number),
        "kind": summary.kind.value,
        "class_name": summary.class_name,
        "first_frame": int(summary.first_frame),
        "last_frame": int(summary.last_frame),
        "first_s": float(summary.first_s),
        "last_s": float(summary.last_s),
        "point_count": int(summary.point_count),
        "mean_score": float(summary.mean_score),
        "embedding": embedding,
        "embedder": embedder if embedding is not None else "",
        "crop_frame": int(summary.crop_frame),
    }

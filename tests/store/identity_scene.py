"""Tracks of several cameras to make identities of, and a picture of all that is kept about identities."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from records import FloatArray, Kind, TrackSummary
from store import results, videos
from store.identity_tables import Identity, Rejection
from store.tables import Track, new_id
from tests.databases import NOON
from tests.store.rows import FACTS, add_job, some_result, take

Sessions = sessionmaker[Session]
DIMENSION = 8


def add_tracks(
    sessions: Sessions,
    camera: str,
    spans: list[tuple[float, float]],
    *,
    kind: Kind = Kind.PERSON,
    began_at: datetime | None = NOON,
    vectors: list[FloatArray] | None = None,
    embedder: str = "hsv_stripes",
) -> list[int]:
    """Insert a video of a camera with a track for each span of seconds; return the tracks' ids in their order."""
    with sessions.begin() as session:
        new = videos.NewVideo(
            video_id=new_id(), name=f"{camera}.mp4", camera=camera, facts=FACTS, sha256="0" * 64, started_at=began_at
        )
        video_id = videos.add(session, new, NOON).id
    summaries = [
        a_track(number, *span, kind=kind, vector=None if vectors is None else vectors[number - 1])
        for number, span in enumerate(spans, start=1)
    ]
    publish_tracks(sessions, video_id, summaries, embedder=embedder)
    return ids_of(sessions, video_id)


def publish_tracks(
    sessions: Sessions, video_id: str, summaries: list[TrackSummary], *, embedder: str = "hsv_stripes", **more: Any
) -> None:
    """Let an attempt publish these tracks as the video's."""
    held = take(sessions, add_job(sessions, video_id))
    plain = some_result(0)
    made = results.JobResult(
        tracks=summaries,
        detector=plain.detector,
        embedder=type(plain.embedder)(embedder),
        frame_count=100,
        playback_frame_rate=25.0,
    )
    with sessions.begin() as session:
        results.publish(session, held, made, NOON + timedelta(minutes=1), **more)


def a_track(
    number: int, first_s: float, last_s: float, *, kind: Kind = Kind.PERSON, vector: FloatArray | None = None
) -> TrackSummary:
    """Return the summary of a track seen from ``first_s`` to ``last_s``."""
    return TrackSummary(
        number=number,
        kind=kind,
        class_name="person" if kind is Kind.PERSON else "car",
        first_frame=round(first_s * 25),
        last_frame=round(last_s * 25),
        first_s=first_s,
        last_s=last_s,
        point_count=round((last_s - first_s) * 25) + 1,
        mean_score=0.8,
        embedding=np.ones(DIMENSION, np.float32) / DIMENSION**0.5 if vector is None else vector,
        crop_jpeg=b"\xff\xd8",
        crop_frame=round(first_s * 25),
    )


def ids_of(sessions: Sessions, video_id: str) -> list[int]:
    """Return the ids of a video's tracks by number."""
    with sessions() as session:
        return list(session.scalars(select(Track.id).where(Track.video_id == video_id).order_by(Track.number)))


def state_of(sessions: Sessions) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that is kept about identities, but for their history."""
    with sessions() as session:
        return {
            "tracks": [
                tuple(row)
                for row in session.execute(select(Track.id, Track.identity_id, Track.is_confirmed).order_by(Track.id))
            ],
            "identities": [
                (one.id, one.kind, one.name, one.note, one.is_hidden, one.created_at)
                for one in session.scalars(select(Identity).order_by(Identity.id))
            ],
            "rejections": sorted(
                tuple(row) for row in session.execute(select(Rejection.identity_id, Rejection.track_id))
            ),
        }


def owner_of(sessions: Sessions, track_id: int) -> tuple[int | None, bool]:
    """Return whose a track is, and whether a person said so."""
    with sessions() as session:
        track = session.get(Track, track_id)
        assert track is not None
        return track.identity_id, track.is_confirmed

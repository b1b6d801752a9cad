"""Rows and results to test with."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from records import Kind, MediaFacts, ModelInfo, Notice, Progress, TrackSummary
from store import jobs, results, videos
from store.tables import TRACK, Job, Video, new_id
from tests.databases import NOON

FACTS = MediaFacts(
    container="avi",
    codec="mpeg4",
    pixel_format="yuv420p",
    width=160,
    height=120,
    duration_s=4.0,
    frame_rate=25.0,
    frame_count=100,
    sample_aspect=1.0,
    rotation_deg=0,
    size_bytes=5_000_000_000,
)
HALF_WAY = Progress("analyse", 0.5, 50, 100, 12.5, 8.0)


def add_video(
    sessions: sessionmaker[Session], *, name: str = "gate.mp4", camera: str = "Gate", now: datetime = NOON
) -> Video:
    """Insert a video."""
    new = videos.NewVideo(video_id=new_id(), name=name, camera=camera, facts=FACTS, sha256="0" * 64, started_at=NOON)
    with sessions.begin() as session:
        return videos.add(session, new, now)


def add_job(
    sessions: sessionmaker[Session], video_id: str | None = None, *, max_attempts: int = 3, kind: str = TRACK
) -> str:
    """Insert a waiting job, for a new video where none is given, and return its id."""
    video_id = video_id or add_video(sessions).id
    with sessions.begin() as session:
        return jobs.enqueue(session, video_id, {"detector": "hog"}, NOON, kind=kind, max_attempts=max_attempts).id


def take(sessions: sessionmaker[Session], job_id: str, *, worker: str = "w1", now: datetime = NOON) -> jobs.Claim:
    """Claim a job for 90 seconds."""
    with sessions.begin() as session:
        held = jobs.claim(session, job_id, worker, now, 90)
    assert held is not None
    return held


def publish(sessions: sessionmaker[Session], held: jobs.Claim, result: results.JobResult | None = None) -> None:
    """Publish a result."""
    with sessions.begin() as session:
        results.publish(session, held, result or some_result(), NOON)


def read(sessions: sessionmaker[Session], job_id: str) -> Job:
    """Return a job as it is in the database."""
    with sessions() as session:
        return jobs.get(session, job_id)


def some_result(track_count: int = 2) -> results.JobResult:
    """Return a result with that many tracks."""
    return results.JobResult(
        tracks=[some_track(number) for number in range(1, track_count + 1)],
        detector=ModelInfo("hog", notices=(Notice("model.hog_fallback", {"path": "model/detection"}),)),
        embedder=ModelInfo("hsv_stripes", notices=(Notice("model.descriptor_fallback"),)),
        frame_count=100,
        playback_frame_rate=25.0,
        stage_seconds={"detect": 1.5},
    )


def some_track(number: int) -> TrackSummary:
    """Return the summary of a track."""
    return TrackSummary(
        number=number,
        kind=Kind.PERSON if number % 2 else Kind.VEHICLE,
        class_name="person" if number % 2 else "car",
        first_frame=number,
        last_frame=number + 10,
        first_s=number / 25,
        last_s=(number + 10) / 25,
        point_count=11,
        mean_score=0.75,
        embedding=np.full(4, number / 2, np.float32) if number % 2 else None,
        crop_jpeg=b"\xff\xd8",
        crop_frame=number + 1,
    )

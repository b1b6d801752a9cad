"""The tables. Plain SQLAlchemy models, shared by the web site and the worker.

States and kinds are plain strings, so that rows, JSON and templates show the
same word. Every moment is an aware UTC `datetime` on both databases.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from records import MediaFacts
from store.base import Base as Base
from store.base import UtcDateTime as UtcDateTime
from store.identity_tables import Identity

QUEUED = "queued"
RUNNING = "running"
DONE = "done"
FAILED = "failed"
CANCELLED = "cancelled"
STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
LIVE_STATES = (QUEUED, RUNNING)

TRACK = "track"
RETRACK = "retrack"
RENDER = "render"
EMBED = "embed"
KINDS = (TRACK, RETRACK, RENDER, EMBED)
"""What a job does with a video: all of it; tracking again what was detected before; drawing the annotated video;
describing the tracks by another model, from their kept crops."""

REEL = "reel"
EVALUATE = "evaluate"
IDENTITY_KINDS = (REEL, EVALUATE)
"""What a job does without a video: the clips of an identity as one film; judging a model by all identities."""


def new_id() -> str:
    """Return a random id of 32 hexadecimal digits."""
    return uuid4().hex


class Camera(Base):
    """A place that videos come from.

    Attributes
    ----------
    time_zone : an IANA name, empty where unknown.
    clock_offset_s : what to add to the times of this camera's clock to get true ones; 0 for a clock that is right.
    """

    __tablename__ = "camera"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    place: Mapped[str] = mapped_column(String(500), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    clock_offset_s: Mapped[float] = mapped_column(default=0.0, server_default=text("0"))


class Video(Base):
    """An uploaded recording and what its container says.

    Attributes
    ----------
    started_at : when its first frame was taken, by the camera's own clock; `began_at` is the corrected moment.
    vectors : names the attempt that last changed the tracks' vectors; None before the first.
    """

    __tablename__ = "video"
    __table_args__ = (Index(None, "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id"), index=True)
    name: Mapped[str] = mapped_column(String(500))
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    container: Mapped[str] = mapped_column(String(200))
    codec: Mapped[str] = mapped_column(String(50))
    pixel_format: Mapped[str] = mapped_column(String(50))
    width: Mapped[int]
    height: Mapped[int]
    duration_s: Mapped[float]
    frame_rate: Mapped[float]
    frame_count: Mapped[int | None]
    sample_aspect: Mapped[float]
    rotation_deg: Mapped[int]
    started_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    result_job_id: Mapped[str | None] = mapped_column(
        ForeignKey("job.id", ondelete="SET NULL", use_alter=True), index=True
    )
    vectors: Mapped[str | None] = mapped_column(String(64))

    camera: Mapped[Camera] = relationship()
    jobs: Mapped[list[Job]] = relationship(
        back_populates="video",
        foreign_keys="Job.video_id",
        order_by="Job.created_at, Job.id",
        passive_deletes=True,
    )
    result_job: Mapped[Job | None] = relationship(foreign_keys=[result_job_id], viewonly=True)

    @property
    def latest_job(self) -> Job | None:
        """Return the waiting or running job, else the one that was created last."""
        live = (job for job in self.jobs if job.state in LIVE_STATES)
        return next(live, self.jobs[-1] if self.jobs else None)

    @property
    def began_at(self) -> datetime | None:
        """Return the true moment of the first frame, the camera's clock corrected; None where unknown."""
        if self.started_at is None:
            return None
        return self.started_at + timedelta(seconds=self.camera.clock_offset_s)

    @property
    def facts(self) -> MediaFacts:
        """Return what the container says, as the probe returned it."""
        return MediaFacts(
            container=self.container,
            codec=self.codec,
            pixel_format=self.pixel_format,
            width=self.width,
            height=self.height,
            duration_s=self.duration_s,
            frame_rate=self.frame_rate,
            frame_count=self.frame_count,
            sample_aspect=self.sample_aspect,
            rotation_deg=self.rotation_deg,
            size_bytes=self.bytes,
        )


class Job(Base):
    """Work on a video; `store.jobs` holds every change of state.

    Attributes
    ----------
    video_id : None for a job that is not about one video, as those of `IDENTITY_KINDS`.
    identity_id : whose reel a job makes.
    outcome : what a job has to tell besides its files, e.g. the figures of an evaluation.
    claim_count : how often any worker took the job; never falls, so it names an attempt's folder
        and fences off an attempt that lost its lease.
    attempt : claims that count against `max_attempts`; a retry starts again at 0.
    rung_at : when a message for the waiting job was last sent; None where none is under way.
    kind : one of `KINDS`; no two jobs of a video are queued or running at once.
    detector, embedder : of a done job, ``{name, source, device, notices: [{code, params}]}``.
    preset, tracker : what was used, of a done job.
    detected_boxes, embedded_boxes : how many boxes the detector found, and how many of them a network embedded.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index(None, "created_at"),
        Index(None, "state", "lease_until"),
        Index(
            "uq_job_live",
            "video_id",
            unique=True,
            sqlite_where=text(f"state IN {LIVE_STATES}"),
            postgresql_where=text(f"state IN {LIVE_STATES}"),
        ),
        Index(
            "uq_job_live_identity",
            "identity_id",
            unique=True,
            sqlite_where=text(f"state IN {LIVE_STATES}"),
            postgresql_where=text(f"state IN {LIVE_STATES}"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    video_id: Mapped[str | None] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), index=True)
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32), default=TRACK)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(16), default=QUEUED)
    cancel_requested: Mapped[bool] = mapped_column(default=False)

    claim_count: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    worker: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]
    rung_at: Mapped[datetime | None]

    stage: Mapped[str | None] = mapped_column(String(32))
    progress: Mapped[float] = mapped_column(default=0.0)
    fps: Mapped[float | None]
    eta_s: Mapped[float | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_params: Mapped[dict[str, Any]] = mapped_column(default=dict)

    detector: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    embedder: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    preset: Mapped[str | None] = mapped_column(String(32))
    tracker: Mapped[str | None] = mapped_column(String(32))
    detected_boxes: Mapped[int | None]
    embedded_boxes: Mapped[int | None]
    stage_seconds: Mapped[dict[str, Any]] = mapped_column(default=dict)
    playback_frame_rate: Mapped[float | None]
    frame_count: Mapped[int | None]
    track_count: Mapped[int | None]
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    video: Mapped[Video | None] = relationship(back_populates="jobs", foreign_keys=[video_id])
    identity: Mapped[Identity | None] = relationship()

    @property
    def can_cancel(self) -> bool:
        """Whether `store.jobs.cancel` would do something."""
        return self.state in LIVE_STATES and not self.cancel_requested

    @property
    def can_retry(self) -> bool:
        """Whether `store.jobs.retry` may be called."""
        return self.state in (FAILED, CANCELLED)

    @property
    def notices(self) -> list[dict[str, Any]]:
        """Return the notices of both models, ``{code, params}`` each."""
        return [notice for model in (self.detector, self.embedder) if model for notice in model["notices"]]


class Track(Base):
    """One track of the published result of a video. `embedding` is float32 bytes, by the model `embedder`.

    Tracking a video again replaces its tracks; one that is found again keeps its id, and an id is never
    used for another one.

    Attributes
    ----------
    identity_id : whose it is; None where nobody and nothing has said so.
    is_confirmed : whether a person said so; otherwise `identity_id` is a proposal.
    is_considered : whether identities were proposed for it.
    split_from_id : the track that it was a part of before its video was tracked again.
    """

    __tablename__ = "track"
    __table_args__ = (
        UniqueConstraint("video_id", "number"),
        Index(None, "embedder", "video_id"),
        Index(
            "ix_track_not_considered",
            "id",
            sqlite_where=text("NOT is_considered"),
            postgresql_where=text("NOT is_considered"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    class_name: Mapped[str] = mapped_column(String(32))
    first_frame: Mapped[int]
    last_frame: Mapped[int]
    first_s: Mapped[float]
    last_s: Mapped[float]
    point_count: Mapped[int]
    mean_score: Mapped[float]
    embedding: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    embedder: Mapped[str] = mapped_column(String(200))
    crop_frame: Mapped[int]
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="SET NULL"), index=True)
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    is_considered: Mapped[bool] = mapped_column(default=False)
    split_from_id: Mapped[int | None] = mapped_column(index=True)

    identity: Mapped[Identity | None] = relationship(viewonly=True)


class Worker(Base):
    """A running worker, by the moment it was last seen; `queue` is what it serves, ``jobs`` or ``queries``."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    queue: Mapped[str] = mapped_column(String(16), default="jobs", server_default="jobs")
    seen_at: Mapped[datetime]

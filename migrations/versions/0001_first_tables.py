"""Make the tables of cameras, videos, jobs, tracks and workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('queued', 'running')")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "camera",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("place", sa.String(500), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera")),
        sa.UniqueConstraint("name", name=op.f("uq_camera_name")),
    )
    op.create_table(
        "worker",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )
    _create_video()
    _create_job()
    if not _is_sqlite():  # SQLite takes the reference to a later table with the table itself, and only then
        op.create_foreign_key(
            op.f("fk_video_result_job_id"), "video", "job", ["result_job_id"], ["id"], ondelete="SET NULL"
        )
    _create_track()


def downgrade() -> None:
    """Drop all tables."""
    op.drop_table("track")
    if not _is_sqlite():
        op.drop_constraint(op.f("fk_video_result_job_id"), "video", type_="foreignkey")
    op.drop_table("job")
    op.drop_table("video")
    op.drop_table("worker")
    op.drop_table("camera")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _create_video() -> None:
    result_job = sa.ForeignKeyConstraint(
        ["result_job_id"], ["job.id"], name=op.f("fk_video_result_job_id"), ondelete="SET NULL"
    )
    op.create_table(
        "video",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("camera_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("container", sa.String(200), nullable=False),
        sa.Column("codec", sa.String(50), nullable=False),
        sa.Column("pixel_format", sa.String(50), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("frame_rate", sa.Double, nullable=False),
        sa.Column("frame_count", sa.Integer),
        sa.Column("sample_aspect", sa.Double, nullable=False),
        sa.Column("rotation_deg", sa.Integer, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result_job_id", sa.String(32)),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_video_camera_id")),
        *([result_job] if _is_sqlite() else []),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_video")),
    )
    op.create_index(op.f("ix_video_camera_id"), "video", ["camera_id"])
    op.create_index(op.f("ix_video_created_at"), "video", ["created_at"])
    op.create_index(op.f("ix_video_result_job_id"), "video", ["result_job_id"])


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("video_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("claim_count", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("max_attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(200)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("rung_at", sa.DateTime(timezone=True)),
        sa.Column("stage", sa.String(32)),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("fps", sa.Double),
        sa.Column("eta_s", sa.Double),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_params", sa.JSON, nullable=False),
        sa.Column("detector", sa.JSON),
        sa.Column("embedder", sa.JSON),
        sa.Column("stage_seconds", sa.JSON, nullable=False),
        sa.Column("playback_frame_rate", sa.Double),
        sa.Column("frame_count", sa.Integer),
        sa.Column("track_count", sa.Integer),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_state")),
        sa.ForeignKeyConstraint(["video_id"], ["video.id"], name=op.f("fk_job_video_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_created_at"), "job", ["created_at"])
    op.create_index(op.f("ix_job_state_lease_until"), "job", ["state", "lease_until"])
    op.create_index(op.f("ix_job_video_id"), "job", ["video_id"])
    op.create_index("uq_job_live", "job", ["video_id", "kind"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)


def _create_track() -> None:
    op.create_table(
        "track",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("video_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("class_name", sa.String(32), nullable=False),
        sa.Column("first_frame", sa.Integer, nullable=False),
        sa.Column("last_frame", sa.Integer, nullable=False),
        sa.Column("first_s", sa.Double, nullable=False),
        sa.Column("last_s", sa.Double, nullable=False),
        sa.Column("point_count", sa.Integer, nullable=False),
        sa.Column("mean_score", sa.Double, nullable=False),
        sa.Column("embedding", sa.LargeBinary),
        sa.Column("embedder", sa.String(200), nullable=False),
        sa.Column("crop_frame", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_track_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["video_id"], ["video.id"], name=op.f("fk_track_video_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track")),
        sa.UniqueConstraint("video_id", "number", name=op.f("uq_track_video_id_number")),
    )
    op.create_index(op.f("ix_track_job_id"), "track", ["job_id"])

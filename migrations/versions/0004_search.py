"""Make the tables of searching: models and vectors, queries, ways between cameras, settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns; what was published before is searchable too."""
    op.add_column("camera", sa.Column("clock_offset_s", sa.Double, nullable=False, server_default=sa.text("0")))
    op.add_column("video", sa.Column("vectors", sa.String(64)))
    op.execute("UPDATE video SET vectors = result_job_id")
    op.add_column("worker", sa.Column("queue", sa.String(16), nullable=False, server_default="jobs"))
    op.create_index(op.f("ix_track_embedder_video_id"), "track", ["embedder", "video_id"])
    _create_models()
    _create_link()
    _create_query()


def downgrade() -> None:
    """Drop them; live jobs of the kind that is unknown then are cancelled, or they would be run as others."""
    job = sa.table("job", *(sa.column(name) for name in ("kind", "state", "created_at", "finished_at")))
    unknown = (job.c.kind == "embed") & job.c.state.in_(("queued", "running"))
    op.execute(job.update().where(unknown).values(state="cancelled", finished_at=job.c.created_at))
    for name in ("query_person", "query", "camera_link", "track_embedding", "embedding_model", "setting"):
        op.drop_table(name)
    op.drop_index(op.f("ix_track_embedder_video_id"), "track")
    op.drop_column("worker", "queue")
    op.drop_column("video", "vectors")
    op.drop_column("camera", "clock_offset_s")


def _create_models() -> None:
    op.create_table(
        "setting",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "embedding_model",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("choice", sa.String(64), nullable=False),
        sa.Column("dimension", sa.Integer, nullable=False),
        sa.Column("calibration", sa.JSON),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_embedding_model")),
    )
    op.create_table(
        "track_embedding",
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("embedder", sa.String(200), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["track_id"], ["track.id"], name=op.f("fk_track_embedding_track_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("track_id", "embedder", name=op.f("pk_track_embedding")),
    )


def _create_link() -> None:
    ends = ("from_camera_id", "to_camera_id")
    op.create_table(
        "camera_link",
        *(sa.Column(name, sa.Integer, nullable=False) for name in ends),
        sa.Column("is_possible", sa.Boolean, nullable=False),
        sa.Column("least_s", sa.Double, nullable=False),
        sa.Column("most_s", sa.Double, nullable=False),
        *(
            sa.ForeignKeyConstraint([name], ["camera.id"], name=op.f(f"fk_camera_link_{name}"), ondelete="CASCADE")
            for name in ends
        ),
        sa.PrimaryKeyConstraint(*ends, name=op.f("pk_camera_link")),
    )
    op.create_index(op.f("ix_camera_link_to_camera_id"), "camera_link", ["to_camera_id"])


def _create_query() -> None:
    op.create_table(
        "query",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("picture_count", sa.Integer, nullable=False),
        sa.Column("embedder", sa.String(200), nullable=False),
        sa.Column("claim_count", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(200)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("rung_at", sa.DateTime(timezone=True)),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_params", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_query_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query")),
    )
    op.create_index(op.f("ix_query_created_at"), "query", ["created_at"])
    op.create_index(op.f("ix_query_state_lease_until"), "query", ["state", "lease_until"])
    op.create_table(
        "query_person",
        sa.Column("query_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("picture", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("score", "x1", "y1", "x2", "y2")),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_query_person_query_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("query_id", "number", name=op.f("pk_query_person")),
    )

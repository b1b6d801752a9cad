"""Make the tables of identities; let a job be about an identity instead of a video."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('queued', 'running')")
_LEFT = sa.text("NOT is_considered")
_FLAGS = ("is_confirmed", "is_considered")


def upgrade() -> None:
    """Make the tables and columns."""
    _create_identity_tables()
    with op.batch_alter_table("job") as job:
        job.alter_column("video_id", existing_type=sa.String(32), nullable=True)
        job.add_column(sa.Column("identity_id", sa.Integer))
        job.add_column(sa.Column("outcome", sa.JSON))
        job.create_foreign_key(op.f("fk_job_identity_id"), "identity", ["identity_id"], ["id"], ondelete="CASCADE")
    op.create_index(
        "uq_job_live_identity", "job", ["identity_id"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
    )
    # Rebuilt in any case: with AUTOINCREMENT SQLite uses no id twice, and events name tracks by id.
    with op.batch_alter_table("track", recreate="auto", table_kwargs={"sqlite_autoincrement": True}) as track:
        track.add_column(sa.Column("identity_id", sa.Integer))
        track.add_column(sa.Column("split_from_id", sa.Integer))
        for name in _FLAGS:
            track.add_column(sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
        track.create_foreign_key(op.f("fk_track_identity_id"), "identity", ["identity_id"], ["id"], ondelete="SET NULL")
    with op.batch_alter_table("track", table_kwargs={"sqlite_autoincrement": True}) as track:
        for name in _FLAGS:
            track.alter_column(name, existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    op.create_index(op.f("ix_track_identity_id"), "track", ["identity_id"])
    op.create_index(op.f("ix_track_split_from_id"), "track", ["split_from_id"])
    op.create_index("ix_track_not_considered", "track", ["id"], sqlite_where=_LEFT, postgresql_where=_LEFT)
    _create_rejection()


def downgrade() -> None:
    """Drop them; jobs without a video go, since older programs know none."""
    op.drop_table("rejection")
    op.drop_index("ix_track_not_considered", "track")
    op.drop_index(op.f("ix_track_split_from_id"), "track")
    op.drop_index(op.f("ix_track_identity_id"), "track")
    with op.batch_alter_table("track") as track:
        track.drop_constraint(op.f("fk_track_identity_id"), type_="foreignkey")
        for name in ("identity_id", "split_from_id", *_FLAGS):
            track.drop_column(name)
    job = sa.table("job", sa.column("video_id"))
    op.execute(job.delete().where(job.c.video_id.is_(None)))
    op.drop_index("uq_job_live_identity", "job")
    with op.batch_alter_table("job") as job_table:
        job_table.drop_constraint(op.f("fk_job_identity_id"), type_="foreignkey")
        job_table.drop_column("identity_id")
        job_table.drop_column("outcome")
        job_table.alter_column("video_id", existing_type=sa.String(32), nullable=False)
    op.drop_table("identity_event_subject")
    op.drop_table("identity_event")
    op.drop_table("identity")


def _create_identity_tables() -> None:
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("is_hidden", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_kind_is_hidden"), "identity", ["kind", "is_hidden"])
    op.create_table(
        "identity_event",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_event_created_at"), "identity_event", ["created_at"])
    op.create_table(
        "identity_event_subject",
        sa.Column("event_id", sa.Integer, nullable=False),
        sa.Column("identity_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["identity_event.id"], name=op.f("fk_identity_event_subject_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "identity_id", name=op.f("pk_identity_event_subject")),
    )
    op.create_index(op.f("ix_identity_event_subject_identity_id"), "identity_event_subject", ["identity_id"])


def _create_rejection() -> None:
    op.create_table(
        "rejection",
        sa.Column("identity_id", sa.Integer, nullable=False),
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identity.id"], name=op.f("fk_rejection_identity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], name=op.f("fk_rejection_track_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("identity_id", "track_id", name=op.f("pk_rejection")),
    )
    op.create_index(op.f("ix_rejection_track_id"), "rejection", ["track_id"])

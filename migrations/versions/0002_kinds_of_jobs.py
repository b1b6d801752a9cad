"""Let a video have one live job of whatever kind, and keep with what settings a result was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('queued', 'running')")
_COLUMNS = ("preset", "tracker", "detected_boxes", "embedded_boxes")


def upgrade() -> None:
    """Add the columns; a job of another kind counts as the video's live one too."""
    op.add_column("job", sa.Column("preset", sa.String(32)))
    op.add_column("job", sa.Column("tracker", sa.String(32)))
    op.add_column("job", sa.Column("detected_boxes", sa.Integer))
    op.add_column("job", sa.Column("embedded_boxes", sa.Integer))
    op.drop_index("uq_job_live", "job")
    op.create_index("uq_job_live", "job", ["video_id"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)


def downgrade() -> None:
    """Drop the columns; live jobs of kinds that are unknown then are cancelled, or they would be run as others."""
    job = sa.table("job", *(sa.column(name) for name in ("kind", "state", "created_at", "finished_at")))
    unknown = (job.c.kind != "track") & job.c.state.in_(("queued", "running"))
    op.execute(job.update().where(unknown).values(state="cancelled", finished_at=job.c.created_at))
    op.drop_index("uq_job_live", "job")
    op.create_index("uq_job_live", "job", ["video_id", "kind"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)
    for name in _COLUMNS:
        op.drop_column("job", name)

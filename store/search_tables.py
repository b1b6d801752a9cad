"""The tables of searching: models and their vectors, queries by picture, ways between cameras, what was chosen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from store.base import Base
from store.tables import QUEUED, STATES, new_id


class Setting(Base):
    """What was chosen on a page and holds for the whole site."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]]


class EmbeddingModel(Base):
    """A model that has described tracks; vectors of two models are never compared.

    Attributes
    ----------
    name : what `Track.embedder` holds; names the weights too, so that other weights are another model.
    choice : what to ask for in a job's settings to get it, one of `model.registry.EMBEDDERS`.
    calibration : see `search.calibration.Calibration`; None where it was never measured.
    """

    __tablename__ = "embedding_model"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    choice: Mapped[str] = mapped_column(String(64))
    dimension: Mapped[int]
    calibration: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]


class TrackEmbedding(Base):
    """What a further model made of a track; that of the tracking itself is `Track.embedding`. Float32 bytes."""

    __tablename__ = "track_embedding"

    track_id: Mapped[int] = mapped_column(ForeignKey("track.id", ondelete="CASCADE"), primary_key=True)
    embedder: Mapped[str] = mapped_column(String(200), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class CameraLink(Base):
    """What a person said about the way from one camera to another; what is learnt is not kept here.

    Attributes
    ----------
    is_possible : whether anybody seen at the one can be seen next at the other.
    least_s, most_s : how soon and how late, from the end of one sighting to the start of the next.
    """

    __tablename__ = "camera_link"

    from_camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id", ondelete="CASCADE"), primary_key=True)
    to_camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id", ondelete="CASCADE"), primary_key=True, index=True)
    is_possible: Mapped[bool]
    least_s: Mapped[float]
    most_s: Mapped[float]


class Query(Base):
    """Pictures that somebody wants to search by; a worker finds and describes who is in them.

    Attributes
    ----------
    state, claim_count, attempt, worker, lease_until, rung_at, error_code, error_params : as of `store.tables.Job`.
    picture_count : its files are numbered from 0.
    embedder : the model that described the people; empty before.
    """

    __tablename__ = "query"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index(None, "created_at"),
        Index(None, "state", "lease_until"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    state: Mapped[str] = mapped_column(String(16), default=QUEUED)
    picture_count: Mapped[int]
    embedder: Mapped[str] = mapped_column(String(200), default="")

    claim_count: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]
    rung_at: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    people: Mapped[list[QueryPerson]] = relationship(order_by="QueryPerson.number", passive_deletes=True)


class QueryPerson(Base):
    """A person or vehicle found in a query's pictures; number 1 is the largest. Edges are fractions of the picture."""

    __tablename__ = "query_person"

    query_id: Mapped[str] = mapped_column(ForeignKey("query.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    picture: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    score: Mapped[float]
    x1: Mapped[float]
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]
    vector: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)

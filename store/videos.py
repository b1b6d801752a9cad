"""Videos and their cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from errors import RequestError
from records import MediaFacts
from store.heritage import remove_empty
from store.tables import Camera, Track, Video

MAX_NAME_LENGTH = 500
MAX_CAMERA_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class NewVideo:
    """What is known of an uploaded file.

    Attributes
    ----------
    name : the user's name of the file, shown but never used as a path; cut off at `MAX_NAME_LENGTH`.
    started_at : the wall-clock start, aware; None where unknown.
    video_id : the id its files are already kept under.
    """

    video_id: str
    name: str
    camera: str
    facts: MediaFacts
    sha256: str
    started_at: datetime | None = None


def add(session: Session, new: NewVideo, now: datetime) -> Video:
    """Insert a video, and its camera where the name is a new one."""
    facts = new.facts
    video = Video(
        id=new.video_id,
        camera=camera_named(session, new.camera),
        name=_storable(new.name)[:MAX_NAME_LENGTH],
        bytes=facts.size_bytes,
        sha256=new.sha256,
        container=facts.container,
        codec=facts.codec,
        pixel_format=facts.pixel_format,
        width=facts.width,
        height=facts.height,
        duration_s=facts.duration_s,
        frame_rate=facts.frame_rate,
        frame_count=facts.frame_count,
        sample_aspect=facts.sample_aspect,
        rotation_deg=facts.rotation_deg,
        started_at=new.started_at,
        created_at=now,
    )
    session.add(video)
    session.flush()
    return video


def get(session: Session, video_id: str) -> Video:
    """Return a video with its camera and jobs.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none.
    """
    video = session.scalar(select(Video).where(Video.id == video_id).options(*_with_relatives()))
    if video is None:
        raise RequestError("request.not_found", status=404)
    return video


def page(session: Session, *, limit: int, offset: int = 0) -> tuple[Sequence[Video], int]:
    """Return some videos with their cameras and jobs, the newest first, and how many there are in all."""
    query = select(Video).order_by(Video.created_at.desc(), Video.id).limit(limit).offset(offset)
    total = session.scalar(select(func.count()).select_from(Video)) or 0
    return session.scalars(query.options(*_with_relatives())).all(), total


def delete(session: Session, video_id: str) -> None:
    """Delete a video with its jobs and tracks; after the commit the caller removes the files.

    Identities that had tracks in this video only, and that nobody gave a name or a note, go with it. A running
    attempt finds its row gone at its next frame or so and removes what it wrote since.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none.
    """
    of_its_tracks = select(Track.identity_id).where(Track.video_id == video_id, Track.identity_id.is_not(None))
    owners = set(session.scalars(of_its_tracks))
    found = session.scalar(delete_rows(Video).where(Video.id == video_id).returning(Video.id))
    if found is None:
        raise RequestError("request.not_found", status=404)
    remove_empty(session, {owner for owner in owners if owner is not None})


def cameras(session: Session) -> Sequence[Camera]:
    """Return all cameras by name."""
    return session.scalars(select(Camera).order_by(Camera.name)).all()


def camera_named(session: Session, name: str) -> Camera:
    """Return the camera of that name; insert it where it is a new one."""
    name = " ".join(_storable(name).split())[:MAX_CAMERA_LENGTH]
    values = {"name": name, "place": "", "time_zone": ""}
    if session.get_bind().dialect.name == "postgresql":
        session.execute(postgresql.insert(Camera).values(values).on_conflict_do_nothing())
    else:
        session.execute(sqlite.insert(Camera).values(values).on_conflict_do_nothing())
    return session.scalars(select(Camera).where(Camera.name == name)).one()


def _with_relatives() -> tuple[ExecutableOption, ...]:
    return joinedload(Video.camera), joinedload(Video.result_job), selectinload(Video.jobs)


def _storable(text: str) -> str:
    """Return ``text`` without what PostgreSQL's text type refuses: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

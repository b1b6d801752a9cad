"""Where and when identities were seen: the rows behind the gallery and the page of an identity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, String, cast, func, or_, select
from sqlalchemy.orm import Session, joinedload

from store.identity_rows import chunks
from store.identity_tables import Identity
from store.tables import Camera, Track, Video

CONFIRMED, PROPOSED = "confirmed", "proposed"
CERTAINTIES = (CONFIRMED, PROPOSED)
"""Whether a person confirmed a track of an identity; otherwise all of it is proposed."""

SHOWN, HIDDEN = "shown", "hidden"
VISIBILITIES = (SHOWN, HIDDEN)


@dataclass(frozen=True)
class Sighting:
    """A track of an identity, with its video and camera.

    Attributes
    ----------
    began_at, ended_at : true moments of its first and last box; None where the video's start is unknown.
    """

    track: Track
    video: Video
    camera: Camera
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def rating(self) -> float:
        """How well its best picture stands for the identity: long, sure tracks first, confirmed ones before all."""
        return float(self.track.is_confirmed) * 1e9 + math.sqrt(self.track.point_count) * self.track.mean_score


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which identities to list.

    Attributes
    ----------
    text : a part of the name, or a number.
    certainty : one of `CERTAINTIES`; empty for both.
    visibility : one of `VISIBILITIES`.
    """

    text: str = ""
    kind: str = ""
    camera_id: int | None = None
    certainty: str = ""
    visibility: str = SHOWN


def page(session: Session, wanted: Filter, *, limit: int, offset: int = 0) -> tuple[Sequence[Identity], int]:
    """Return some identities, those with most tracks first, and how many there are in all."""
    query = _filtered(wanted)
    counts = (
        select(Track.identity_id, func.count().label("count"))
        .where(Track.identity_id.is_not(None))
        .group_by(Track.identity_id)
        .subquery()
    )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.outerjoin(counts, counts.c.identity_id == Identity.id).order_by(
        func.coalesce(counts.c.count, 0).desc(), Identity.id.desc()
    )
    return session.scalars(ordered.limit(limit).offset(offset)).all(), total


def of_identities(session: Session, identity_ids: Sequence[int]) -> Mapping[int, Sequence[Sighting]]:
    """Return all sightings of some identities, in the order of time; those whose moment is unknown come last."""
    found: dict[int, list[Sighting]] = {identity_id: [] for identity_id in identity_ids}
    for some in chunks(identity_ids):
        query = (
            select(Track, Video)
            .join(Video, Video.id == Track.video_id)
            .where(Track.identity_id.in_(some))
            .options(joinedload(Video.camera), joinedload(Video.result_job))
        )
        for track, video in session.execute(query):
            found[track.identity_id or 0].append(_sighting(track, video))
    for sightings in found.values():
        sightings.sort(key=_when)
    return found


def of_tracks(session: Session, track_ids: Sequence[int]) -> Sequence[Sighting]:
    """Return the sightings that some tracks are, whether they have an identity or not."""
    rows = [
        row
        for some in chunks(track_ids)
        for row in session.execute(
            select(Track, Video)
            .join(Video, Video.id == Track.video_id)
            .where(Track.id.in_(some))
            .options(joinedload(Video.camera), joinedload(Video.result_job))
        )
    ]
    return sorted((_sighting(track, video) for track, video in rows), key=_when)


def names_of(session: Session, identity_ids: Sequence[int]) -> Mapping[int, str]:
    """Return the names of those identities that exist; empty for one without."""
    found: dict[int, str] = {}
    for some in chunks(identity_ids):
        query = select(Identity.id, Identity.name).where(Identity.id.in_(some))
        found.update((identity_id, name) for identity_id, name in session.execute(query))
    return found


def best_of_cameras(sightings: Sequence[Sighting], *, count: int = 4) -> Mapping[Camera, Sequence[Sighting]]:
    """Return the sightings with the best pictures of each camera, the camera with most sightings first."""
    by_camera: dict[Camera, list[Sighting]] = {}
    for sighting in sightings:
        by_camera.setdefault(sighting.camera, []).append(sighting)
    order = sorted(by_camera, key=lambda camera: (-len(by_camera[camera]), camera.name))
    return {camera: sorted(by_camera[camera], key=lambda sighting: -sighting.rating)[:count] for camera in order}


def _filtered(wanted: Filter) -> Select[Identity]:
    query = select(Identity).where(Identity.is_hidden.is_(wanted.visibility == HIDDEN))
    if wanted.kind:
        query = query.where(Identity.kind == wanted.kind)
    text = wanted.text.strip()
    if text:
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        by_name = Identity.name.ilike(f"%{escaped}%", escape="\\")
        query = query.where(or_(by_name, cast(Identity.id, String) == text.lstrip("#")))
    if wanted.camera_id is not None:
        seen = _owners().join(Video, Video.id == Track.video_id).where(Video.camera_id == wanted.camera_id)
        query = query.where(Identity.id.in_(seen))
    if wanted.certainty:
        is_certain = Identity.id.in_(_owners().where(Track.is_confirmed.is_(True)))
        query = query.where(is_certain if wanted.certainty == CONFIRMED else ~is_certain)
    return query


def _owners() -> Select[int | None]:
    return select(Track.identity_id).where(Track.identity_id.is_not(None))


def _sighting(track: Track, video: Video) -> Sighting:
    began_at = video.began_at
    if began_at is None:
        return Sighting(track, video, video.camera, None, None)
    first, last = (began_at + timedelta(seconds=moment_s) for moment_s in (track.first_s, track.last_s))
    return Sighting(track, video, video.camera, first, last)


def _when(sighting: Sighting) -> tuple[bool, datetime, float, int]:
    is_unknown = sighting.began_at is None
    return is_unknown, sighting.began_at or sighting.video.created_at, sighting.track.first_s, sighting.track.id

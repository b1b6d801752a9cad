"""Identities, sightings and events as the dictionaries that the JSON API answers with and the pages show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from store.identity_tables import Identity, IdentityEvent
from store.sightings import Sighting
from web import present
from web.times import format_time

Shown = dict[str, Any]
CROPS = 4


def identity(row: Identity, sightings: Sequence[Sighting]) -> Shown:
    """Return an identity with what its sightings say of it."""
    confirmed = sum(sighting.track.is_confirmed for sighting in sightings)
    began = [sighting.began_at for sighting in sightings if sighting.began_at is not None]
    ended = [sighting.ended_at for sighting in sightings if sighting.ended_at is not None]
    best = sorted(sightings, key=lambda sighting: -sighting.rating)[:CROPS]
    return {
        "id": row.id,
        "url": url_for("api.get_identity", number=row.id),
        "page_url": url_for("pages.identity", number=row.id),
        "kind": row.kind,
        "name": row.name,
        "note": row.note,
        "is_hidden": row.is_hidden,
        "is_confirmed": confirmed > 0,
        "created_at": format_time(row.created_at),
        "track_count": len(sightings),
        "confirmed_count": confirmed,
        "cameras": sorted({sighting.camera.name for sighting in sightings}),
        "first_at": format_time(min(began, default=None)),
        "last_at": format_time(max(ended, default=None)),
        "crop_urls": [_crop_url(sighting) for sighting in best],
    }


def sighting(seen: Sighting) -> Shown:
    """Return a sighting."""
    track = seen.track
    return {
        "track_id": track.id,
        "number": track.number,
        "kind": track.kind,
        "video_id": track.video_id,
        "video_name": seen.video.name,
        "camera": present.camera(seen.camera),
        "first_s": track.first_s,
        "last_s": track.last_s,
        "began_at": format_time(seen.began_at),
        "ended_at": format_time(seen.ended_at),
        "is_confirmed": track.is_confirmed,
        "point_count": track.point_count,
        "mean_score": track.mean_score,
        "crop_url": _crop_url(seen),
        "page_url": url_for("pages.video", video_id=track.video_id, t=f"{track.first_s:.3f}", track=track.number),
    }


def event(row: IdentityEvent, subjects: Sequence[int]) -> Shown:
    """Return an event; the template `_event_text.html` writes its sentence."""
    is_reversible = any(row.changes.values())
    return {
        "id": row.id,
        "kind": row.kind,
        "actor": row.actor,
        "params": row.params,
        "identities": list(subjects),
        "created_at": format_time(row.created_at),
        "undone_at": format_time(row.undone_at),
        "can_undo": is_reversible and row.undone_at is None,
        "can_redo": is_reversible and row.undone_at is not None,
        "undo_url": url_for("api.undo_event", event_id=row.id),
        "redo_url": url_for("api.redo_event", event_id=row.id),
    }


def _crop_url(seen: Sighting) -> str:
    return url_for("api.crop", video_id=seen.track.video_id, number=seen.track.number, of=seen.track.job_id[:8])

"""Tracks, answers, pictures and calibrations of a search as the API answers with them and the pages show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from search.calibration import Calibration
from search.engine import Answers
from store import sightings
from store.search import Sight
from store.search_tables import Query, QueryPerson
from web import present
from web.times import format_time

Shown = dict[str, Any]
Names = Mapping[int, str]


def names_of(session: Session, sights: Collection[Sight]) -> Names:
    """Return the names of the identities of some tracks."""
    ids = {sight.track.identity_id for sight in sights if sight.track.identity_id is not None}
    return sightings.names_of(session, sorted(ids))


def sight(seen: Sight, names: Names) -> Shown:
    """Return a track with where and when it was seen."""
    track, video = seen.track, seen.video
    return {
        "id": track.id,
        "video_id": video.id,
        "video_name": video.name,
        "number": track.number,
        "kind": track.kind,
        "class_name": track.class_name,
        "camera": present.camera(video.camera),
        "first_s": track.first_s,
        "last_s": track.last_s,
        "started_at": format_time(_at(video.began_at, track.first_s)),
        "ended_at": format_time(_at(video.began_at, track.last_s)),
        "crop_url": url_for("api.crop", video_id=video.id, number=track.number),
        "moment_url": url_for("pages.video", video_id=video.id, t=f"{track.first_s:.3f}", track=track.number),
        "search_url": url_for("pages.search", track=track.id),
        "identity": identity(track.identity_id, names, is_confirmed=track.is_confirmed),
    }


def identity(number: int | None, names: Names, *, is_confirmed: bool) -> Shown | None:
    """Return whose a track is; None where nothing is known."""
    if number is None:
        return None
    return {"id": number, "name": names.get(number, ""), "is_confirmed": is_confirmed}


def person(row: QueryPerson) -> Shown:
    """Return somebody in a picture."""
    return {
        "id": person_id(row),
        "number": row.number,
        "picture": row.picture,
        "kind": row.kind,
        "score": row.score,
        "box": [row.x1, row.y1, row.x2, row.y2],
        "crop_url": url_for("api.query_person", query_id=row.query_id, number=row.number),
        "search_url": url_for("pages.search", person=person_id(row)),
    }


def person_id(row: QueryPerson) -> str:
    """Return what names somebody in a picture in a question."""
    return f"{row.query_id}-{row.number}"


def query(row: Query, *, kept_s: float) -> Shown:
    """Return pictures to search by, with who is in them."""
    places = range(row.picture_count) if row.state == "done" else ()
    return {
        "id": row.id,
        "url": url_for("api.get_query", query_id=row.id),
        "page_url": url_for("pages.search_pictures", query_id=row.id),
        "state": row.state,
        "error": present.message(row.error_code, row.error_params) if row.error_code else None,
        "created_at": format_time(row.created_at),
        "expires_at": format_time(row.created_at + timedelta(seconds=kept_s)),
        "picture_urls": [url_for("api.query_picture", query_id=row.id, place=place) for place in places],
        "people": [person(found) for found in row.people],
    }


def answers(session: Session, found: Answers, people: Sequence[QueryPerson]) -> Shown:
    """Return a part of a ranking."""
    subject = found.subject
    given = [answer.sight for answer in found.answers]
    names = dict(names_of(session, [*subject.sights, *given]))
    if subject.identity_id is not None:
        names = {**sightings.names_of(session, [subject.identity_id]), **names}
    return {
        "subject": {
            "kind": subject.kind,
            "identity": identity(subject.identity_id, names, is_confirmed=True),
            "tracks": [sight(each, names) for each in subject.asked],
            "people": [person(row) for row in people],
            "confirmed": [sight(each, names) for each in subject.members],
        },
        "answers": [
            {
                "track": sight(answer.sight, names),
                "similarity": round(answer.similarity, 6),
                "score": round(answer.score, 6),
                "word": answer.word,
            }
            for answer in found.answers
        ],
        "total": found.total,
        "has_more": found.has_more,
        "described": found.described,
        "model": found.model,
        "calibration": calibration(found.calibration),
    }


def calibration(measured: Calibration | None) -> Shown | None:
    """Return what was measured of a model."""
    if measured is None:
        return None
    values = measured.as_json()
    histogram = {name: values.pop(name) for name in ("edges", "same", "different")}
    return {
        **values,
        "measured_at": format_time(datetime.fromisoformat(measured.measured_at)),
        "histogram": histogram,
    }


def histogram_bars(shown: Shown) -> list[Shown]:
    """Return the bars of a histogram in a drawing of 100 by 100: shares of each sort, the highest one filling it."""
    edges, counts = shown["edges"], {name: shown[name] for name in ("same", "different")}
    width = edges[-1] - edges[0]
    top = {name: max([*found, 1]) for name, found in counts.items()}
    return [
        {
            "x": 100 * (edges[place] - edges[0]) / width,
            "width": 100 * (edges[place + 1] - edges[place]) / width,
            **{name: 100 * found[place] / top[name] for name, found in counts.items()},
        }
        for place in range(len(edges) - 1)
    ]


def _at(began: datetime | None, seconds: float) -> datetime | None:
    return None if began is None else began + timedelta(seconds=seconds)

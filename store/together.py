"""Which tracks were seen at the same time by the same camera: those are not one and the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.identity_rows import chunks
from store.tables import Track, Video

MIN_TOGETHER_S = 0.5
"""A shorter overlap is left to trackers, which may begin a new track a moment before the old one ends."""


@dataclass(frozen=True)
class Span:
    """When and where a track was seen.

    Attributes
    ----------
    first_s, last_s : seconds from the first frame of its video.
    began_at : when the video began, by the camera's own clock; None where unknown.
    """

    track_id: int
    video_id: str
    camera_id: int
    first_s: float
    last_s: float
    began_at: datetime | None


def spans_of(session: Session, track_ids: Iterable[int]) -> list[Span]:
    """Return the spans of those tracks that exist."""
    return [
        Span(*row)
        for some in chunks(track_ids)
        for row in session.execute(
            select(Track.id, Track.video_id, Video.camera_id, Track.first_s, Track.last_s, Video.started_at)
            .join(Video, Video.id == Track.video_id)
            .where(Track.id.in_(some))
        )
    ]


def first_together(
    some: Iterable[Span], others: Iterable[Span], *, at_least_s: float = MIN_TOGETHER_S
) -> tuple[Span, Span] | None:
    """Return one of ``some`` and one of ``others`` that were together; None where none were.

    Two spans of one video are compared by its own time, those of two videos of one camera by the clock,
    where both videos' starts are known.
    """
    timed: dict[tuple[str, object], list[tuple[float, float, int, Span]]] = {}
    for side, spans in enumerate((some, others)):
        for span in spans:
            for key, start_s in _axes(span):
                timed.setdefault(key, []).append((start_s, start_s + span.last_s - span.first_s, side, span))
    for on_axis in timed.values():
        found = _sweep(sorted(on_axis, key=lambda item: item[:3]), at_least_s)
        if found is not None:
            return found
    return None


def _axes(span: Span) -> Iterator[tuple[tuple[str, object], float]]:
    yield ("video", span.video_id), span.first_s
    if span.began_at is not None:
        yield ("camera", span.camera_id), span.began_at.timestamp() + span.first_s


def _sweep(on_axis: list[tuple[float, float, int, Span]], at_least_s: float) -> tuple[Span, Span] | None:
    """Go through spans by their start; the one of the other side that ends last is the one to compare with."""
    latest: list[tuple[float, Span] | None] = [None, None]
    for start_s, end_s, side, span in on_axis:
        other = latest[1 - side]
        is_other = other is not None and other[1].track_id != span.track_id
        if other is not None and is_other and min(end_s, other[0]) - start_s >= at_least_s:
            return (span, other[1]) if side == 0 else (other[1], span)
        mine = latest[side]
        if mine is None or end_s > mine[0]:
            latest[side] = (end_s, span)
    return None

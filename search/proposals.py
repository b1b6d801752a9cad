"""Identities that the program proposes, over-split on purpose: a merge later is easy, a wrong one is not.

New tracks are compared with all tracks of the same kind that the same model
described. Pairs at or above a threshold are taken from the most alike down,
and joined while the average similarity of the two groups stays above it
(average linkage), no two tracks were seen together by one camera, and nobody
has said no. Two identities that exist are never joined; that is for people.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Executable, select, union_all, update
from sqlalchemy.orm import Session, sessionmaker

from records import FloatArray
from search.calibration import Calibration, from_json
from store import models, together, vectors
from store.identity_changes import PROPOSE, Ledger
from store.identity_rows import NOBODY, chunks, owners_of, rejections_there, rows_of
from store.identity_tables import PROGRAM
from store.search_tables import TrackEmbedding
from store.tables import Track, Video
from store.together import Span

_log = logging.getLogger(__name__)
_PLAIN = {"synchronize_session": False}

MIN_POINTS = 8
"""A track of fewer boxes is not worth an identity of its own, nor is one without a vector."""

STRICT_FALSE_MATCH_RATE = 0.001
DEFAULT_THRESHOLDS = {"hsv_stripes": 0.96, "builtin": 0.965}
"""What a thousandth of all pairs of different people reached in real recordings (`python -m bench.proposals`)."""
UNKNOWN_THRESHOLD = 0.9
"""For a model of which nothing was measured here."""

BATCH = 1000
BLOCK = 8192
NEIGHBOURS = 16
MEMBERS_COMPARED = 64
"""Of a larger identity, so many tracks stand for all."""

Thresholds = Callable[[str], float]


@dataclass(frozen=True, eq=False)
class NewTrack:
    """A track that has no identity yet.

    Attributes
    ----------
    vector : (D,) float32 of unit length.
    """

    span: Span
    vector: FloatArray


@dataclass
class Group:
    """Tracks that are taken for one: an identity there is, or some new tracks.

    Attributes
    ----------
    total : (D,) the sum of its vectors; count how many they are.
    """

    identity_id: int | None
    total: FloatArray
    count: int
    spans: list[Span]
    new: list[int] = field(default_factory=list)

    def similarity(self, other: Group) -> float:
        """Return the average over all pairs."""
        return float(self.total @ other.total) / (self.count * other.count)


def threshold_of(session: Session, embedder: str) -> float:
    """Return from what similarity on two tracks are proposed as one: measured here, else a conservative default."""
    calibration = from_json(models.calibration_of(session, embedder))
    if calibration is not None:
        return max(calibration.probable_from, strict_threshold(calibration))
    known = (value for name, value in DEFAULT_THRESHOLDS.items() if embedder.startswith(name))
    return next(known, UNKNOWN_THRESHOLD)


def strict_threshold(calibration: Calibration) -> float:
    """Return the lowest edge of the histogram that at most `STRICT_FALSE_MATCH_RATE` of different pairs lie above."""
    different = np.asarray(calibration.different, np.float64)
    share_from = np.cumsum(different[::-1])[::-1] / max(different.sum(), 1.0)
    allowed = np.flatnonzero(share_from <= STRICT_FALSE_MATCH_RATE)
    return float(calibration.edges[int(allowed[0]) if len(allowed) else -1])


def propose(sessions: sessionmaker[Session], now: datetime, *, threshold: Thresholds | None = None) -> int:
    """Propose identities for all tracks that none were proposed for; return how many tracks got one.

    Works in batches, a transaction each. Memory is bounded by a batch and a block of vectors, whatever the
    number of tracks; time for a batch grows with the number of tracks there are.
    """
    given = 0
    while True:
        with sessions() as session:
            embedder, kind = _next(session)
            if embedder is None or kind is None:
                return given
            batch = _read_batch(session, embedder, kind)
            limit = threshold(embedder) if threshold else threshold_of(session, embedder)
            groups = group(session, batch, embedder, kind, limit)
        with sessions.begin() as session:
            given += _write(session, groups, batch, kind, now)


def group(session: Session, batch: Sequence[NewTrack], embedder: str, kind: str, threshold: float) -> list[Group]:
    """Return the groups of new tracks, each alone, together, or with an identity."""
    if not batch:
        return []
    matrix = np.stack([track.vector for track in batch])
    groups = [Group(None, track.vector.astype(np.float32), 1, [track.span], [row]) for row, track in enumerate(batch)]
    pairs, identity_ids = _pairs(session, matrix, embedder, kind, threshold)
    existing = {identity_id: _read_identity(session, identity_id, embedder) for identity_id in identity_ids}
    rejected = rejections_there(
        session, [(identity_id, track.span.track_id) for identity_id in existing for track in batch]
    )
    for _, row, other, identity_id in sorted(pairs, key=lambda pair: -pair[0]):
        mine = groups[row]
        theirs = groups[other] if identity_id is None else existing[identity_id]
        if theirs is None or mine is theirs or (mine.identity_id is not None and theirs.identity_id is not None):
            continue
        if mine.similarity(theirs) >= threshold and not _is_excluded(mine, theirs, batch, rejected):
            joined = _join(mine, theirs)
            for member in joined.new:
                groups[member] = joined
            if joined.identity_id is not None:
                existing[joined.identity_id] = joined
    return list({id(one): one for one in groups}.values())


def _next(session: Session) -> tuple[str | None, str | None]:
    """Return a model and a kind of tracks that are left to consider; marks those that get no identity."""
    unfit = (Track.point_count < MIN_POINTS) | Track.embedding.is_(None) | Track.identity_id.is_not(None)
    left = Track.is_considered.is_(False)
    session.execute(update(Track).where(left, unfit).values(is_considered=True), execution_options=_PLAIN)
    session.commit()
    row = session.execute(select(Track.embedder, Track.kind).where(left).order_by(Track.id).limit(1)).first()
    return (None, None) if row is None else (row[0], row[1])


def _read_batch(session: Session, embedder: str, kind: str) -> list[NewTrack]:
    query = (
        select(
            Track.id,
            Track.video_id,
            Video.camera_id,
            Track.first_s,
            Track.last_s,
            Video.started_at,
            Track.embedding,
        )
        .join(Video, Video.id == Track.video_id)
        .where(Track.is_considered.is_(False), Track.embedder == embedder, Track.kind == kind)
        .order_by(Track.id)
        .limit(BATCH)
    )
    return [NewTrack(Span(*row[:6]), np.frombuffer(row[6] or b"", "<f4")) for row in session.execute(query)]


def _pairs(
    session: Session, matrix: FloatArray, embedder: str, kind: str, threshold: float
) -> tuple[list[tuple[float, int, int, int | None]], set[int]]:
    """Return pairs that are alike, ``similarity, row, other row or -1, identity or None``, and their identities."""
    alike = matrix @ matrix.T
    rows, others = np.nonzero(np.triu(alike >= threshold, 1))
    pairs: list[tuple[float, int, int, int | None]] = [
        (float(alike[row, other]), int(row), int(other), None) for row, other in zip(rows, others, strict=True)
    ]
    best: list[dict[int, float]] = [{} for _ in matrix]
    for identity_ids, block in _owned_vectors(session, embedder, kind):
        similarities = matrix @ block.T
        for near in np.flatnonzero(similarities.max(axis=1) >= threshold):
            columns = np.argsort(-similarities[near], kind="stable")[: 4 * NEIGHBOURS]
            for column in columns[similarities[near, columns] >= threshold]:
                value, identity_id = float(similarities[near, column]), identity_ids[column]
                best[near][identity_id] = max(value, best[near].get(identity_id, -1.0))
            best[near] = _nearest(best[near])
    for number, found in enumerate(best):
        pairs += [(value, number, -1, identity_id) for identity_id, value in found.items()]
    return pairs, {identity_id for found in best for identity_id in found}


def _nearest(found: dict[int, float]) -> dict[int, float]:
    if len(found) <= NEIGHBOURS:
        return found
    return dict(sorted(found.items(), key=lambda item: -item[1])[:NEIGHBOURS])


def _owned_vectors(session: Session, embedder: str, kind: str) -> Iterator[tuple[list[int], FloatArray]]:
    """Yield the identities and the (B, D) vectors of all tracks of a kind that have one, in blocks."""
    is_owned = (Track.kind == kind, Track.identity_id.is_not(None))
    own = select(Track.identity_id, Track.embedding.label("vector")).where(
        *is_owned, Track.embedder == embedder, Track.embedding.is_not(None)
    )
    further = (
        select(Track.identity_id, TrackEmbedding.vector)
        .join(TrackEmbedding, TrackEmbedding.track_id == Track.id)
        .where(*is_owned, TrackEmbedding.embedder == embedder)
    )
    both: Executable = union_all(own, further)
    for rows in session.execute(both, execution_options={"yield_per": BLOCK}).partitions(BLOCK):
        yield [int(row[0]) for row in rows], np.stack([np.frombuffer(row[1], "<f4") for row in rows])


def _read_identity(session: Session, identity_id: int, embedder: str) -> Group | None:
    track_ids = session.scalars(select(Track.id).where(Track.identity_id == identity_id)).all()
    known = vectors.of_tracks(session, track_ids[-MEMBERS_COMPARED:], embedder)
    if not known:
        return None
    total: FloatArray = np.sum(list(known.values()), axis=0, dtype=np.float32)
    return Group(identity_id, total, len(known), together.spans_of(session, track_ids))


def _is_excluded(mine: Group, theirs: Group, batch: Sequence[NewTrack], rejected: set[tuple[int, int]]) -> bool:
    if together.first_together(mine.spans, theirs.spans, at_least_s=0.0) is not None:
        return True
    identity_id = mine.identity_id or theirs.identity_id
    new = [batch[row].span.track_id for one in (mine, theirs) for row in one.new]
    return identity_id is not None and any((identity_id, track_id) in rejected for track_id in new)


def _join(mine: Group, theirs: Group) -> Group:
    identity_id = mine.identity_id if mine.identity_id is not None else theirs.identity_id
    return replace(
        mine,
        identity_id=identity_id,
        total=mine.total + theirs.total,
        count=mine.count + theirs.count,
        spans=mine.spans + theirs.spans,
        new=mine.new + theirs.new,
    )


def _write(session: Session, groups: Sequence[Group], batch: Sequence[NewTrack], kind: str, now: datetime) -> int:
    """Write what is still possible: people may have decided something else meanwhile."""
    ledger = Ledger(session)
    track_ids = [track.span.track_id for track in batch]
    free = {track_id for track_id, owner in owners_of(session, track_ids).items() if owner == NOBODY}
    there = rows_of(session, [one.identity_id for one in groups if one.identity_id is not None])
    given = 0
    for one in groups:
        members = [batch[row].span for row in one.new if batch[row].span.track_id in free]
        identity_id = one.identity_id if one.identity_id in there else None
        if identity_id is not None and _may_not_join(session, identity_id, members):
            identity_id = None
        if not members:
            continue
        if identity_id is None:
            identity_id = ledger.insert(kind, now)
        ledger.assign({span.track_id: (identity_id, False) for span in members})
        given += len(members)
    for some in chunks(track_ids):
        done = update(Track).where(Track.id.in_(some)).values(is_considered=True)
        session.execute(done, execution_options=_PLAIN)
    ledger.write(PROPOSE, [], now, actor=PROGRAM, tracks=given)
    _log.info("proposed identities tracks=%d groups=%d", given, len(groups))
    return given


def _may_not_join(session: Session, identity_id: int, members: Sequence[Span]) -> bool:
    held = session.scalars(select(Track.id).where(Track.identity_id == identity_id)).all()
    is_together = together.first_together(together.spans_of(session, held), members, at_least_s=0.0) is not None
    return is_together or bool(rejections_there(session, [(identity_id, span.track_id) for span in members]))

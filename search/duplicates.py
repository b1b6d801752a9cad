"""Identities that may be one: pairs to look at, the most alike first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import FloatArray
from store import together, vectors
from store.identity_rows import chunks
from store.identity_tables import Identity, Rejection
from store.tables import Track

MOST_TRACKS = 10_000
"""The newest tracks that are looked at; what was left out turns up when others are settled."""
MEMBERS = 16
_CANDIDATES_A_PAIR = 6
_BLOCK = 1024


@dataclass(frozen=True)
class Pair:
    """Two identities and how alike they are on the average, -1 to 1."""

    first_id: int
    second_id: int
    similarity: float


def likely(session: Session, embedder: str, *, limit: int) -> list[Pair]:
    """Return pairs of shown identities of one kind that people have not kept apart and no camera saw together.

    Parameters
    ----------
    embedder : the model whose vectors are compared.
    """
    members = _members(session)
    known = vectors.of_tracks(session, [track for tracks in members.values() for track in tracks], embedder)
    means: dict[int, FloatArray] = {}
    for identity_id, tracks in members.items():
        vectors_of = [known[track] for track in tracks if track in known]
        if vectors_of:
            means[identity_id] = np.mean(vectors_of, axis=0, dtype=np.float32)
    kinds = {row.id: row.kind for row in session.execute(select(Identity.id, Identity.kind))}
    candidates = [
        pair
        for kind in sorted(set(kinds.values()))
        for pair in _alike(
            {one: mean for one, mean in means.items() if kinds.get(one) == kind}, limit * _CANDIDATES_A_PAIR
        )
    ]
    candidates.sort(key=lambda pair: -pair.similarity)
    chosen: list[Pair] = []
    for pair in candidates:
        if len(chosen) == limit:
            break
        if not _is_settled(session, pair):
            chosen.append(pair)
    return chosen


def _members(session: Session) -> Mapping[int, list[int]]:
    query = (
        select(Track.identity_id, Track.id)
        .join(Identity, Identity.id == Track.identity_id)
        .where(Identity.is_hidden.is_(False))
        .order_by(Track.is_confirmed.desc(), Track.id.desc())
        .limit(MOST_TRACKS)
    )
    members: dict[int, list[int]] = {}
    for identity_id, track_id in session.execute(query):
        tracks = members.setdefault(int(identity_id or 0), [])
        if len(tracks) < MEMBERS:
            tracks.append(track_id)
    return members


def _alike(means: Mapping[int, FloatArray], count: int) -> list[Pair]:
    """Return the ``count`` pairs with the largest products of their means, which are the average similarities."""
    ids = np.array(sorted(means), np.int64)
    if len(ids) < 2:
        return []
    matrix = np.stack([means[int(one)] for one in ids])
    best: list[Pair] = []
    for start in range(0, len(ids), _BLOCK):
        products = matrix[start : start + _BLOCK] @ matrix.T
        products[np.arange(len(ids))[None, :] <= np.arange(start, start + len(products))[:, None]] = -2.0
        # The best pairs lie in the rows with the largest maxima, so only those are sorted.
        near = np.argsort(-products.max(axis=1), kind="stable")[:count]
        flat = np.argsort(-products[near], axis=None, kind="stable")[:count]
        places, columns = np.unravel_index(flat, (len(near), len(ids)))
        rows = near[places]
        best += [
            Pair(int(ids[start + row]), int(ids[column]), float(products[row, column]))
            for row, column in zip(rows, columns, strict=True)
            if products[row, column] > 0
        ]
    return sorted(best, key=lambda pair: -pair.similarity)[:count]


def _is_settled(session: Session, pair: Pair) -> bool:
    """Return whether a person has kept the two apart, or a camera saw both at once."""
    tracks = {
        identity_id: session.scalars(select(Track.id).where(Track.identity_id == identity_id)).all()
        for identity_id in (pair.first_id, pair.second_id)
    }
    for identity_id, other in ((pair.first_id, pair.second_id), (pair.second_id, pair.first_id)):
        for some in chunks(tracks[other]):
            rejected = select(Rejection.track_id).where(
                Rejection.identity_id == identity_id, Rejection.track_id.in_(some)
            )
            if session.scalar(rejected.limit(1)) is not None:
                return True
    spans = [together.spans_of(session, tracks[one]) for one in (pair.first_id, pair.second_id)]
    return together.first_together(*spans) is not None

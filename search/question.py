"""What is asked: who is looked for, and where. Becomes the vectors to compare with and the rows that may answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from errors import RequestError
from records import FloatArray, Kind
from search.index import Block, View
from search.transitions import Prior, Seen, Way
from store import search, vectors
from store.cameras import Pair
from store.search import Sight

MAX_MEMBERS = 64
"""Confirmed tracks of an identity that take part in a search, the newest ones."""
_KINDS = tuple(kind.value for kind in Kind)
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which tracks may answer.

    Attributes
    ----------
    camera_ids : none of them named: all.
    kind : a `records.Kind`; empty: the kind of who is looked for.
    from_s, to_s : true time in seconds since 1970; tracks of unknown time never pass.
    """

    camera_ids: frozenset[int] = frozenset()
    kind: str = ""
    from_s: float | None = None
    to_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """Who is looked for, as asked.

    Attributes
    ----------
    track_ids : tracks that show the person or vehicle.
    pictures : (D,) vectors of pictures of it, with the kind of each.
    identity_id : whose confirmed tracks help and whose rejected ones never answer; None: that of the first track.
    uses_ways : whether the ways between cameras count.
    is_reranked : whether the best are put in order once more, by what they have in common.
    least : the least similarity of an answer; None: any.
    """

    track_ids: tuple[int, ...] = ()
    pictures: tuple[FloatArray, ...] = ()
    picture_kind: str = ""
    identity_id: int | None = None
    filters: Filters = field(default_factory=Filters)
    uses_ways: bool = True
    is_reranked: bool = False
    least: float | None = None
    limit: int = 48
    offset: int = 0


@dataclass(frozen=True, eq=False)
class Subject:
    """Who is looked for, as found.

    Attributes
    ----------
    queries : (Q, D) float32 vectors of it.
    asked : the tracks that the question names.
    members : the confirmed tracks of its identity besides.
    never : ids of tracks that are no answers.
    """

    queries: FloatArray
    kind: str
    identity_id: int | None
    asked: tuple[Sight, ...]
    members: tuple[Sight, ...]
    never: frozenset[int]

    @property
    def sights(self) -> tuple[Sight, ...]:
        """All tracks that are known to show it."""
        return self.asked + self.members


def resolve(session: Session, question: Question, model: str) -> Subject:
    """Return who a question is about.

    Raises
    ------
    RequestError
        ``request.not_found`` for a track that is not there, ``search.not_described`` where the model has not
        described it, ``search.nothing`` for a question about nobody.
    """
    found = search.sights(session, question.track_ids)
    if len(found) < len(set(question.track_ids)):
        raise RequestError("request.not_found", status=404)
    asked = tuple(found[track_id] for track_id in dict.fromkeys(question.track_ids))
    identity_id = question.identity_id if question.identity_id is not None else _identity_of(asked)
    member_ids: Sequence[int] = ()
    rejected: Sequence[int] = ()
    if identity_id is not None:
        member_ids = [one for one in search.confirmed_ids(session, identity_id) if one not in found][-MAX_MEMBERS:]
        rejected = search.rejected_ids(session, identity_id)
    members = search.sights(session, member_ids)
    described = vectors.of_tracks(session, [*found, *members], model)
    if any(track_id not in described for track_id in found):
        raise RequestError("search.not_described", status=409, model=model)
    queries = [described[track_id] for track_id in (*found, *members) if track_id in described]
    queries += question.pictures
    if not queries:
        raise RequestError("search.nothing", status=422)
    kind = asked[0].track.kind if asked else question.picture_kind
    if not kind and members:
        kind = next(iter(members.values())).track.kind
    return Subject(
        np.stack(queries),
        kind,
        identity_id,
        asked,
        tuple(members[one] for one in member_ids if one in members),
        frozenset((*found, *member_ids, *rejected)),
    )


def _identity_of(asked: Sequence[Sight]) -> int | None:
    return next((sight.track.identity_id for sight in asked if sight.track.is_confirmed), None)


class RowJudge:
    """Decides for each block of rows which may answer; see `search.index.Judge`.

    No answer is: who is asked about itself; what was rejected; what filters leave
    out; and what was in a camera while the person was seen there in another place:
    in the same video by its own time, in another one of the camera by true time.
    """

    def __init__(self, view: View, subject: Subject, filters: Filters, ways: Mapping[Pair, Way]) -> None:
        self._filters = filters
        kind = filters.kind or subject.kind
        self._kind = _KINDS.index(kind) if kind else None
        self._never = np.array(sorted(subject.never), np.int64)
        self._cameras = np.array(sorted(filters.camera_ids), np.int64)
        places = {video.video_id: place for place, video in enumerate(view.known)}
        self._same_video = [
            (places[sight.video.id], sight.track.first_s, sight.track.last_s)
            for sight in subject.sights
            if sight.video.id in places
        ]
        self._seen = [seen for sight in subject.sights if (seen := _seen(sight)) is not None]
        self._prior = Prior(ways, self._seen)

    def __call__(self, block: Block) -> tuple[_Mask, FloatArray | None]:
        """Return (N,) which rows may answer, and (N,) what is added to their similarity, if anything."""
        mask: _Mask = block.videos >= 0
        if self._kind is not None:
            mask &= block.kinds == self._kind
        if len(self._cameras):
            mask &= np.isin(block.camera_ids, self._cameras)
        if self._filters.from_s is not None:
            mask &= block.end_s >= self._filters.from_s  # NaN is never greater
        if self._filters.to_s is not None:
            mask &= block.begin_s <= self._filters.to_s
        for place, first_s, last_s in self._same_video:
            mask &= (block.videos != place) | (block.last_s < first_s) | (block.first_s > last_s)
        for seen in self._seen:
            is_there = (block.begin_s <= seen.end_s) & (block.end_s >= seen.begin_s)
            mask &= ~((block.camera_ids == seen.camera_id) & is_there)
        if len(self._never):
            mask &= ~np.isin(block.track_ids, self._never)
        if self._prior.is_neutral:
            return mask, None
        is_possible, bonus = self._prior.judge(block.camera_ids, block.begin_s, block.end_s)
        return mask & is_possible, bonus


def _seen(sight: Sight) -> Seen | None:
    began = sight.video.began_at
    if began is None:
        return None
    began_s = began.timestamp()
    return Seen(sight.video.camera_id, began_s + sight.track.first_s, began_s + sight.track.last_s)

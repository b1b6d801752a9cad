"""What stays of decisions about tracks when their video is tracked again.

The new track that shows most of what an earlier one showed takes its id, and
with it all that events and rejections say of it; further pieces of it get new
ids and note whose pieces they are. All of them keep the identity, confirmed or
proposed as it was. A confirmed track that none of the new ones shows is named
in its identity's history: nothing that a person decided is lost in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from records import TrackSummary
from store.identity_changes import CARRY, Ledger
from store.identity_tables import PROGRAM, Identity, Rejection
from store.tables import Track, Video

Columns = dict[str, object]


@dataclass(frozen=True)
class _Earlier:
    """A track that is replaced."""

    id: int
    number: int
    kind: str
    first_s: float
    last_s: float
    identity_id: int | None
    is_confirmed: bool
    split_from_id: int | None
    rejected_by: tuple[int, ...] = ()


@dataclass
class Heritage:
    """The earlier tracks of a video, and who takes their place.

    Attributes
    ----------
    heir_of : the earlier track of each new one, by the new one's number.
    keepers : the numbers of the new tracks that take over an id.
    found : the numbers of the earlier tracks that some new one shows.
    """

    video_id: str
    earlier: Mapping[int, _Earlier]
    heir_of: Mapping[int, _Earlier]
    keepers: Collection[int]
    ledger: Ledger
    found: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, session: Session, video_id: str, heirs: Mapping[int, Sequence[int]]) -> Heritage:
        """Read the tracks that are about to be replaced.

        Parameters
        ----------
        heirs : the numbers of the new tracks that show what an earlier one did, by its number; the one that
            shows most of it first.
        """
        ledger = Ledger(session)
        earlier = {one.number: one for one in _read(session, video_id)}
        known = {number: new for number, new in heirs.items() if number in earlier and new}
        heir_of = {number: earlier[old] for old, new in known.items() for number in new}
        return cls(video_id, earlier, heir_of, {new[0] for new in known.values()}, ledger)

    def columns(self, summary: TrackSummary) -> Columns:
        """Return what a new track takes over."""
        source = self.heir_of.get(summary.number)
        if source is None or source.kind != summary.kind.value:
            return {}
        self.found.add(source.number)
        taken: Columns = {
            "identity_id": source.identity_id,
            "is_confirmed": source.is_confirmed,
            "is_considered": source.identity_id is not None,
            "split_from_id": source.id,
        }
        return {**taken, "id": source.id, "split_from_id": source.split_from_id} if self._keeps(summary) else taken

    def settle(self, session: Session, now: datetime) -> None:
        """Write down, when the new tracks are there, who rejects them and which confirmed ones were not found."""
        numbers = {number: source for number, source in self.heir_of.items() if source.rejected_by}
        query = select(Track.number, Track.id).where(Track.video_id == self.video_id, Track.number.in_(numbers))
        rejections = [
            {"identity_id": identity_id, "track_id": track_id}
            for number, track_id in session.execute(query)
            for identity_id in numbers[number].rejected_by
        ]
        if rejections:
            session.execute(insert(Rejection), rejections)
        missing = [one for one in self.earlier.values() if one.number not in self.found and one.identity_id is not None]
        lost = [one for one in missing if one.is_confirmed]
        if lost:
            name = session.scalar(select(Video.name).where(Video.id == self.video_id))
            rows = [[one.identity_id, one.number, one.first_s, one.last_s] for one in lost]
            about = [one.identity_id for one in lost if one.identity_id is not None]
            self.ledger.write(CARRY, about, now, actor=PROGRAM, video=name, video_id=self.video_id, lost=rows)
        remove_empty(session, {one.identity_id for one in missing if one.identity_id is not None} - _owners(lost))

    def _keeps(self, summary: TrackSummary) -> bool:
        return summary.number in self.keepers


def remove_empty(session: Session, identity_ids: Collection[int]) -> None:
    """Delete those of some identities that have no tracks, no name and no note: what was proposed is gone."""
    count = select(func.count()).select_from(Track).where(Track.identity_id == Identity.id).scalar_subquery()
    empty = delete(Identity).where(Identity.id.in_(identity_ids), Identity.name == "", Identity.note == "", count == 0)
    session.execute(empty, execution_options={"synchronize_session": False})


def _owners(earlier: Sequence[_Earlier]) -> set[int]:
    return {one.identity_id for one in earlier if one.identity_id is not None}


def _read(session: Session, video_id: str) -> list[_Earlier]:
    columns = (
        Track.id,
        Track.number,
        Track.kind,
        Track.first_s,
        Track.last_s,
        Track.identity_id,
        Track.is_confirmed,
        Track.split_from_id,
    )
    rejected: dict[int, list[int]] = {}
    pairs = select(Rejection.track_id, Rejection.identity_id).join(Track, Track.id == Rejection.track_id)
    for track_id, identity_id in session.execute(pairs.where(Track.video_id == video_id)):
        rejected.setdefault(track_id, []).append(identity_id)
    rows = session.execute(select(*columns).where(Track.video_id == video_id))
    return [_Earlier(*row, rejected_by=tuple(rejected.get(row[0], ()))) for row in rows]

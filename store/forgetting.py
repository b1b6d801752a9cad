"""Forget people for good: vectors, pictures, films and names, in rows and on disk.

Deleting an identity can be undone, so its tracks keep all that describes them;
forgetting cannot. The footage itself stays, and who is in it is described
again if its video is run again from the start: to be rid of that too, delete
the video.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store import vectors
from store.files import AttemptFiles, Storage
from store.identity_changes import DELETE
from store.identity_rows import NOBODY, chunks, owners_of, take_turn
from store.identity_tables import EventSubject, Identity, IdentityEvent
from store.search_tables import TrackEmbedding
from store.tables import DONE, REEL, Job, Track, Video, new_id

_PLAIN = {"synchronize_session": False}
_NO_CHANGES: dict[str, list[object]] = {"tracks": [], "identities": [], "rejections": []}
_WORDS = ("name", "names", "before")
"""What of an event's parameters a person wrote."""


@dataclass(frozen=True)
class Remains:
    """What is still on disk of those whose rows are gone; to be removed after the commit.

    Attributes
    ----------
    crops : the video, the published job, its claim and the track's number of each.
    reels : ids of jobs that made a film.
    """

    crops: tuple[tuple[str, str, int, int], ...]
    reels: tuple[str, ...]

    def remove(self, storage: Storage) -> int:
        """Delete the pictures, the films, and what the videos kept to be tracked again, which holds descriptions.

        Returns the number of pictures.
        """
        count = 0
        for video_id, job_id, claim, number in self.crops:
            files: AttemptFiles = storage.attempt(video_id, job_id, claim)
            for path in files.crops(number):
                path.unlink(missing_ok=True)
                count += 1
            files.detections.unlink(missing_ok=True)
        for job_id in self.reels:
            storage.reel(job_id).remove()
        return count


def forget_identities(session: Session, identity_ids: Sequence[int]) -> Remains:
    """Delete identities and all that describes their tracks; unknown ones are left out."""
    take_turn(session)
    track_ids = [
        track_id
        for some in chunks(identity_ids)
        for track_id in session.scalars(select(Track.id).where(Track.identity_id.in_(some)))
    ]
    own = session.scalars(select(Job.id).where(Job.identity_id.in_(identity_ids), Job.kind == REEL)).all()
    reels = {*own, *reels_with(session, track_ids)}
    crops = _forget_tracks(session, track_ids)
    for some in chunks(identity_ids):
        session.execute(delete(Identity).where(Identity.id.in_(some)), execution_options=_PLAIN)
        about = select(EventSubject.event_id).where(EventSubject.identity_id.in_(some))
        _forget_words(session.scalars(select(IdentityEvent).where(IdentityEvent.id.in_(about))))
    session.flush()
    return Remains(tuple(crops), tuple(reels))


def forget_history(session: Session, before: datetime) -> Remains:
    """Forget what was done before a moment: it can no longer be undone, and deletions become final.

    Names leave those events, and the tracks of identities that were deleted then, and have found no other
    since, lose their vectors and pictures.
    """
    take_turn(session)
    old = session.scalars(select(IdentityEvent).where(IdentityEvent.created_at < before)).all()
    deleted = [event for event in old if event.kind == DELETE and event.undone_at is None]
    track_ids = {row[0] for event in deleted for row in event.changes["tracks"]}
    nobodys = [track_id for track_id, owner in owners_of(session, track_ids).items() if owner == NOBODY]
    reels = reels_with(session, nobodys)
    crops = _forget_tracks(session, nobodys)
    _forget_words(old)
    session.flush()
    return Remains(tuple(crops), tuple(reels))


def reels_with(session: Session, track_ids: Iterable[int]) -> set[str]:
    """Return the ids of the jobs whose films show any of these tracks."""
    wanted = set(track_ids)
    made = select(Job.id, Job.outcome).where(Job.kind == REEL, Job.state == DONE)
    return {job_id for job_id, outcome in session.execute(made) if wanted & set((outcome or {}).get("tracks", ()))}


def reels_of_video(session: Session, video_id: str) -> set[str]:
    """Return the ids of the jobs whose films show a part of a video; ask before it is deleted."""
    return reels_with(session, session.scalars(select(Track.id).where(Track.video_id == video_id)))


def _forget_words(events: Iterable[IdentityEvent]) -> None:
    for event in events:
        event.params = {name: value for name, value in event.params.items() if name not in _WORDS}
        event.changes = dict(_NO_CHANGES)


def _forget_tracks(session: Session, track_ids: Sequence[int]) -> list[tuple[str, str, int, int]]:
    crops: list[tuple[str, str, int, int]] = []
    for some in chunks(track_ids):
        query = (
            select(Track.video_id, Job.id, Job.claim_count, Track.number)
            .join(Video, Video.id == Track.video_id)
            .join(Job, Job.id == Video.result_job_id)
            .where(Track.id.in_(some))
        )
        crops += [(video_id, job_id, claim, number) for video_id, job_id, claim, number in session.execute(query)]
        session.execute(delete(TrackEmbedding).where(TrackEmbedding.track_id.in_(some)), execution_options=_PLAIN)
        nothing = {"embedding": None, "embedder": "", "identity_id": None, "is_confirmed": False, "is_considered": True}
        session.execute(update(Track).where(Track.id.in_(some)).values(nothing), execution_options=_PLAIN)
    for video_id in {crop[0] for crop in crops}:
        vectors.note_changed(session, video_id, f"forget-{new_id()}")
    return crops

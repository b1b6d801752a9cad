"""What is forgotten is gone: vectors, pictures, films and names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from errors import RequestError
from store import events, forgetting, identities, jobs, vectors
from store.files import Storage
from store.identity_tables import IdentityEvent
from store.tables import DONE, REEL, Job, Track, Video
from tests.databases import NOON
from tests.store.identity_scene import Sessions, add_tracks, owner_of, state_of

LATER = NOON + timedelta(days=10)


def pictures_of(sessions: Sessions, storage: Storage, track_id: int) -> list[Path]:
    """Put two pictures of a track where its attempt has them, and what else the attempt keeps."""
    with sessions() as session:
        track = session.get_one(Track, track_id)
        video = session.get_one(Video, track.video_id)
        job = session.get_one(Job, video.result_job_id)
        files = storage.attempt(video.id, job.id, job.claim_count)
    files.folder.joinpath("crops").mkdir(parents=True, exist_ok=True)
    files.detections.write_bytes(b"descriptions")
    paths = [files.crop(track.number), files.crop(track.number, 1)]
    for path in paths:
        path.write_bytes(b"picture")
    return [*paths, files.detections]


def embeddings(sessions: Sessions, track_ids: list[int]) -> list[bytes | None]:
    with sessions() as session:
        return list(session.scalars(select(Track.embedding).where(Track.id.in_(track_ids)).order_by(Track.id)))


def test_a_forgotten_identity_leaves_tracks_without_vectors_pictures_and_names(
    sessions: Sessions, tmp_path: Path
) -> None:
    storage = Storage(tmp_path)
    tracks = add_tracks(sessions, "Gate", [(0, 1), (2, 3)])
    with sessions.begin() as session:
        made = identities.confirm(session, tracks[:1], None, NOON).identity_id or 0
        identities.rename(session, made, "Bo", NOON)
        before = session.get_one(Video, session.get_one(Track, tracks[0]).video_id).vectors
        reel = jobs.enqueue(session, None, {}, NOON, kind=REEL, identity_id=made).id
    paths = pictures_of(sessions, storage, tracks[0])
    kept = pictures_of(sessions, storage, tracks[1])[:2]
    storage.reel(reel).folder.mkdir(parents=True)
    storage.reel(reel).film.write_bytes(b"film")
    with sessions.begin() as session:
        remains = forgetting.forget_identities(session, [made, 999])
    assert remains.remove(storage) == 2
    assert not any(path.exists() for path in (*paths, storage.reel(reel).folder))
    assert all(path.exists() for path in kept)
    first, second = embeddings(sessions, tracks)
    assert (first, second is not None) == (None, True)
    assert state_of(sessions)["identities"] == []
    with sessions() as session:
        assert session.get_one(Video, session.get_one(Track, tracks[0]).video_id).vectors != before
        assert vectors.of_tracks(session, tracks, "hsv_stripes").keys() == {tracks[1]}
        assert all("Bo" not in str((event.params, event.changes)) for event in session.scalars(select(IdentityEvent)))
        assert session.scalar(select(Job.id)) != reel


def test_films_that_show_a_track_are_found_whoever_they_were_made_for(sessions: Sessions) -> None:
    tracks = add_tracks(sessions, "Gate", [(0, 1), (2, 3)])
    with sessions.begin() as session:
        one, two = (identities.confirm(session, [track], None, NOON).identity_id or 0 for track in tracks)
        film = jobs.enqueue(session, None, {}, NOON, kind=REEL, identity_id=one)
        film.state, film.outcome = DONE, {"tracks": tracks}
        identities.move(session, tracks[1:], two, NOON)
        video_id = session.get_one(Track, tracks[0]).video_id
        assert forgetting.reels_of_video(session, video_id) == {film.id}
        assert forgetting.reels_of_video(session, "0" * 32) == set()
        assert forgetting.forget_identities(session, [two]).reels == (film.id,)


def test_old_history_is_forgotten_and_old_deletions_are_final(sessions: Sessions, tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    tracks = add_tracks(sessions, "Gate", [(0, 1), (2, 3), (4, 5)])
    with sessions.begin() as session:
        old, taken, young = (identities.confirm(session, [track], None, NOON).identity_id or 0 for track in tracks)
        identities.rename(session, old, "Bo", NOON)
        deleted = identities.delete(session, [old, taken], NOON).event_id or 0
        identities.confirm(session, [tracks[1]], None, NOON)
        recent = identities.delete(session, [young], LATER).event_id or 0
    for track in tracks:
        pictures_of(sessions, storage, track)
    with sessions.begin() as session:
        remains = forgetting.forget_history(session, NOON + timedelta(days=1))
    assert remains.remove(storage) == 2
    assert [vector is None for vector in embeddings(sessions, tracks)] == [True, False, False]
    with sessions.begin() as session:
        assert "Bo" not in str([(event.params, event.changes) for event in session.scalars(select(IdentityEvent))][:6])
        events.undo(session, recent, LATER)
        assert identities.get(session, young)
    assert owner_of(sessions, tracks[2]) == (young, True)
    with sessions.begin() as session:
        events.undo(session, deleted, LATER)
        with pytest.raises(RequestError):
            identities.get(session, old)

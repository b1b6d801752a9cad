"""What a finished job does to identities: it proposes some, and those that were decided stay."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from store import identities
from store.tables import DONE, RETRACK, TRACK, Track
from tests.databases import NOON
from tests.worker.test_attempt import Bench

Sessions = sessionmaker[Session]


def only_track(sessions: Sessions) -> Track:
    with sessions() as session:
        return session.scalars(select(Track)).one()


def test_a_finished_job_proposes_identities(sessions: Sessions, tmp_path: Path) -> None:
    bench = Bench(sessions, tmp_path)
    assert bench.run().state == DONE
    track = only_track(sessions)
    assert (track.identity_id is not None, track.is_confirmed, track.is_considered) == (True, False, True)


def test_a_confirmed_track_keeps_its_identity_however_its_video_is_tracked_again(
    sessions: Sessions, tmp_path: Path
) -> None:
    bench = Bench(sessions, tmp_path)
    bench.run()
    before = only_track(sessions)
    with sessions.begin() as session:
        made = identities.confirm(session, [before.id], None, NOON).identity_id or 0
        identities.rename(session, made, "阿宝", NOON)
    for kind, wishes in ((RETRACK, {"tracker": "online"}), (TRACK, {})):
        job = bench.run(bench.enqueue(kind, **wishes))
        assert job.state == DONE
        track = only_track(sessions)
        assert (track.id, track.job_id, track.identity_id, track.is_confirmed) == (before.id, job.id, made, True)

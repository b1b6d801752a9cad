"""What a job without a video does, between its claim and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from errors import ResightError
from records import Progress
from store import sightings
from store.files import Storage
from store.identity_rows import owners_of
from store.jobs import FreeClaim
from store.tables import EVALUATE, REEL
from worker.judging import judge
from worker.reel import make_reel

OnProgress = Callable[[Progress], None]


def do_job(
    held: FreeClaim, sessions: sessionmaker[Session], storage: Storage, on_progress: OnProgress
) -> Mapping[str, Any]:
    """Do what the job's kind asks for; return what to keep as its `outcome`.

    Raises
    ------
    ResightError
        for what a user can mend.
    """
    if held.kind == REEL and held.identity_id is not None:
        return _reel(held, held.identity_id, sessions, storage, on_progress)
    if held.kind == EVALUATE:
        return judge(sessions, held.settings.get("model") or "", on_progress)
    raise ResightError("job.unknown_kind", job_kind=held.kind)


def _reel(
    held: FreeClaim, identity_id: int, sessions: sessionmaker[Session], storage: Storage, on_progress: OnProgress
) -> Mapping[str, Any]:
    """Make a film, and again where something that it shows was deleted meanwhile."""
    while True:
        with sessions() as session:
            seen = sightings.of_identities(session, [identity_id])[identity_id]
            seen = [one for one in seen if one.video.result_job is not None]
        outcome = make_reel(seen, storage, storage.reel(held.job_id), on_progress)
        with sessions() as session:
            if len(owners_of(session, outcome["tracks"])) == len(outcome["tracks"]):
                return outcome

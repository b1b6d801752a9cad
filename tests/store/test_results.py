"""What a finished attempt of each kind makes of its video, on both databases."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy.orm import Session, sessionmaker

from errors import JobCancelled, LeaseLost, RequestError
from store import jobs, results, tracks, videos
from store.tables import DONE, KINDS, QUEUED, RENDER, RETRACK, RUNNING, TRACK
from tests.databases import NOON, after
from tests.store.rows import add_job, add_video, publish, read, some_result, take

Sessions = sessionmaker[Session]
FACTS = {"preset": "accurate", "tracker": "recorded", "detected_boxes": 900, "embedded_boxes": 30}


@pytest.fixture
def tracked(sessions: Sessions) -> str:
    """Return the id of the job that is the result of a video."""
    job_id = add_job(sessions)
    publish(sessions, take(sessions, job_id), replace(some_result(2), **FACTS))
    return job_id


def _video_id(sessions: Sessions, job_id: str) -> str:
    return read(sessions, job_id).video_id


def _result(sessions: Sessions, job_id: str) -> tuple[str | None, list[int]]:
    """Return the published job and the numbers of the tracks of the video of ``job_id``."""
    video_id = _video_id(sessions, job_id)
    with sessions() as session:
        found = tracks.of_video(session, video_id)
        return videos.get(session, video_id).result_job_id, [track.number for track in found]


def _begin(sessions: Sessions, base: str, kind: str) -> jobs.Claim:
    return take(sessions, add_job(sessions, _video_id(sessions, base), kind=kind))


def _publish_annotated(sessions: Sessions, held: jobs.Claim, given: list[str]) -> None:
    with sessions.begin() as session:
        results.publish_annotated(
            session, held, after(5), give=lambda: given.append(held.job_id), stage_seconds={"draw": 2.0}
        )


def test_a_result_keeps_with_what_it_was_made(sessions: Sessions, tracked: str) -> None:
    job = read(sessions, tracked)
    assert {name: getattr(job, name) for name in FACTS} == FACTS
    assert job.kind == TRACK


@pytest.mark.parametrize("kind", [RETRACK, RENDER])
def test_a_claim_names_the_published_attempt_that_it_builds_on(sessions: Sessions, tracked: str, kind: str) -> None:
    held = _begin(sessions, tracked, kind)
    assert (held.kind, held.base) == (kind, jobs.Base(job_id=tracked, number=1))


def test_a_claim_that_begins_from_nothing_has_no_base(sessions: Sessions, tracked: str) -> None:
    assert _begin(sessions, tracked, TRACK).base is None
    assert take(sessions, add_job(sessions, kind=RETRACK)).base is None


@pytest.mark.parametrize("live", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_video_has_one_live_job_of_whatever_kind(sessions: Sessions, tracked: str, live: str, kind: str) -> None:
    video_id = _video_id(sessions, tracked)
    first = add_job(sessions, video_id, kind=live)
    for _ in (QUEUED, RUNNING):
        with pytest.raises(RequestError) as refused:
            add_job(sessions, video_id, kind=kind)
        assert (refused.value.code, refused.value.status) == ("request.busy", 409)
        with sessions.begin() as session:
            jobs.claim(session, first, "w1", NOON, 90)


def test_tracking_again_replaces_tracks_and_keeps_what_it_did_not_find_out(sessions: Sessions, tracked: str) -> None:
    held = _begin(sessions, tracked, RETRACK)
    publish(sessions, held, replace(some_result(3), tracker="online"))
    assert _result(sessions, tracked) == (held.job_id, [1, 2, 3])
    job = read(sessions, held.job_id)
    assert {name: getattr(job, name) for name in FACTS} == {**FACTS, "tracker": "online"}
    with sessions() as session:
        assert results.is_published(session, held)


def test_tracking_again_twice_builds_on_the_last_result(sessions: Sessions, tracked: str) -> None:
    first = _begin(sessions, tracked, RETRACK)
    publish(sessions, first, replace(some_result(1), tracker="online"))
    second = _begin(sessions, tracked, RETRACK)
    assert second.base == jobs.Base(job_id=first.job_id, number=1)
    publish(sessions, second, replace(some_result(1), tracker="deepsort"))
    assert read(sessions, second.job_id).preset == "accurate"


def test_no_boxes_is_a_count_and_not_a_missing_one(sessions: Sessions, tracked: str) -> None:
    held = _begin(sessions, tracked, RETRACK)
    publish(sessions, held, replace(some_result(0), detected_boxes=0, embedded_boxes=0))
    job = read(sessions, held.job_id)
    assert (job.detected_boxes, job.embedded_boxes) == (0, 0)


def test_a_drawn_video_changes_nothing_else(sessions: Sessions, tracked: str) -> None:
    held, given = _begin(sessions, tracked, RENDER), []
    _publish_annotated(sessions, held, given)
    assert given == [held.job_id]
    assert _result(sessions, tracked) == (tracked, [1, 2])
    job = read(sessions, held.job_id)
    assert (job.state, job.progress, job.finished_at, job.stage_seconds) == (DONE, 1.0, after(5), {"draw": 2.0})
    assert (job.tracker, job.track_count, job.notices) == (None, None, [])
    with sessions() as session:
        assert not results.is_published(session, held), "the folder of its attempt is to be removed"


def test_a_cancelled_drawing_gives_nothing(sessions: Sessions, tracked: str) -> None:
    held, given = _begin(sessions, tracked, RENDER), []
    with sessions.begin() as session:
        jobs.cancel(session, held.job_id, NOON)
    with pytest.raises(JobCancelled):
        _publish_annotated(sessions, held, given)
    assert given == []


def test_an_attempt_that_lost_its_lease_gives_nothing(sessions: Sessions, tracked: str) -> None:
    held, given = _begin(sessions, tracked, RENDER), []
    with sessions.begin() as session:
        jobs.sweep(session, after(91))
    with pytest.raises(LeaseLost):
        _publish_annotated(sessions, held, given)
    assert given == []


def test_a_file_that_cannot_be_given_leaves_the_job_running(sessions: Sessions, tracked: str) -> None:
    held = _begin(sessions, tracked, RENDER)

    def fail() -> None:
        raise FileNotFoundError("annotated.mp4")

    with pytest.raises(FileNotFoundError), sessions.begin() as session:
        results.publish_annotated(session, held, NOON, give=fail)
    assert read(sessions, held.job_id).state == RUNNING


@pytest.mark.parametrize("kind", [RETRACK, RENDER])
def test_nothing_is_published_upon_a_result_that_was_replaced(sessions: Sessions, tracked: str, kind: str) -> None:
    held, given = _begin(sessions, tracked, kind), []
    other = add_job(sessions)
    with sessions.begin() as session:
        videos.get(session, held.video_id).result_job_id = other
    finish = partial(_publish_annotated, given=given) if kind == RENDER else publish
    with pytest.raises(LeaseLost):
        finish(sessions, held)
    assert given == []
    assert _result(sessions, tracked) == (other, [1, 2])
    assert read(sessions, held.job_id).state == RUNNING


def test_a_drawing_of_nothing_is_refused(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions, kind=RENDER))
    with pytest.raises(LeaseLost):
        _publish_annotated(sessions, held, [])


def test_a_retried_drawing_draws_what_is_published_by_then(sessions: Sessions, tracked: str) -> None:
    failed = _begin(sessions, tracked, RENDER)
    with sessions.begin() as session:
        jobs.fail(session, failed, "job.storage_full", {}, NOON)
    newer = _begin(sessions, tracked, RETRACK)
    publish(sessions, newer)
    with sessions.begin() as session:
        jobs.retry(session, failed.job_id)
    again, given = take(sessions, failed.job_id), []
    assert again.base == jobs.Base(job_id=newer.job_id, number=1)
    _publish_annotated(sessions, again, given)
    assert given == [failed.job_id]


def test_an_attempt_whose_result_was_replaced_since_is_not_the_published_one(sessions: Sessions) -> None:
    video = add_video(sessions)
    first = take(sessions, add_job(sessions, video.id))
    publish(sessions, first)
    publish(sessions, take(sessions, add_job(sessions, video.id)))
    with sessions() as session:
        assert not results.is_published(session, first)

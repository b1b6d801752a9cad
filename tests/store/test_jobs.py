"""Every change of a job's state, on both databases.

One file past 400 lines, because the states are one machine: each test is a walk through it.
"""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from errors import JobCancelled, LeaseLost, RequestError
from store import jobs, results, tracks, videos
from store.tables import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Job, Track, Video
from tests.databases import NOON, after
from tests.store.rows import HALF_WAY, add_job, add_video, publish, read, some_result, take

Sessions = sessionmaker[Session]


def test_a_new_job_waits(sessions: Sessions) -> None:
    job = read(sessions, add_job(sessions))
    assert (job.state, job.attempt, job.max_attempts, job.progress) == (QUEUED, 0, 3, 0.0)
    assert job.settings == {"detector": "hog"}
    assert job.created_at == NOON
    assert job.can_cancel
    assert not job.can_retry


def test_a_second_job_for_the_video_is_refused_until_the_first_ends(sessions: Sessions) -> None:
    video = add_video(sessions)
    first = add_job(sessions, video.id)
    with pytest.raises(RequestError) as refused:
        add_job(sessions, video.id)
    assert (refused.value.code, refused.value.status) == ("request.busy", 409)
    publish(sessions, take(sessions, first))
    add_job(sessions, video.id)


def test_of_two_jobs_enqueued_at_once_one_is_refused(sessions: Sessions) -> None:
    video = add_video(sessions)
    outcomes = _at_once(8, lambda: add_job(sessions, video.id))
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert all(isinstance(outcome, str | RequestError) for outcome in outcomes)


def test_a_claim_runs_the_job(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    held = take(sessions, job_id, now=after(5))
    job = read(sessions, job_id)
    assert (job.state, job.worker, job.attempt, job.claim_count) == (RUNNING, "w1", 1, 1)
    assert (job.started_at, job.lease_until) == (after(5), after(95))
    assert (held.number, held.attempt, held.video_id, held.video_name) == (1, 1, job.video_id, "gate.mp4")
    assert held.settings == {"detector": "hog"}


def test_a_running_job_or_an_unknown_one_cannot_be_claimed(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    take(sessions, job_id)
    with sessions.begin() as session:
        assert jobs.claim(session, job_id, "w2", NOON, 90) is None
        assert jobs.claim(session, "0" * 32, "w2", NOON, 90) is None
    assert read(sessions, job_id).worker == "w1"


def test_of_eight_workers_that_claim_at_once_one_wins(sessions: Sessions) -> None:
    for _ in range(5):
        job_id = add_job(sessions)

        def claim(job_id: str = job_id) -> jobs.Claim | None:
            with sessions.begin() as session:
                return jobs.claim(session, job_id, threading.current_thread().name, NOON, 90)

        outcomes = _at_once(8, claim)
        winners = [outcome for outcome in outcomes if isinstance(outcome, jobs.Claim)]
        assert len(winners) == 1
        assert outcomes.count(None) == 7
        assert read(sessions, job_id).claim_count == 1


def test_renewing_notes_progress_and_extends_the_lease(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    held = take(sessions, job_id)
    with sessions.begin() as session:
        jobs.renew(session, held, HALF_WAY, after(30), 90)
    job = read(sessions, job_id)
    assert (job.stage, job.progress, job.fps, job.eta_s) == ("analyse", 0.5, 12.5, 8.0)
    assert job.lease_until == after(120)


def test_an_attempt_whose_lease_was_given_away_can_change_nothing(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    lost = take(sessions, job_id)
    with sessions.begin() as session:
        assert jobs.sweep(session, after(91)) == [job_id]
    held = take(sessions, job_id, worker="w2", now=after(92))
    for change in _changes(lost):
        with pytest.raises(LeaseLost), sessions.begin() as session:
            change(session)
    job = read(sessions, job_id)
    assert (job.state, job.worker, job.claim_count, job.attempt) == (RUNNING, "w2", 2, 2)
    publish(sessions, held)


def test_an_attempt_that_was_swept_cannot_write_after_a_cancel_and_a_retry(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    lost = take(sessions, job_id)
    with sessions.begin() as session:
        jobs.sweep(session, after(91))
        jobs.cancel(session, job_id, after(92))
        jobs.retry(session, job_id)
    held = take(sessions, job_id, now=after(93))
    assert (held.attempt, held.number) == (1, 2)
    with pytest.raises(LeaseLost), sessions.begin() as session:
        jobs.renew(session, lost, HALF_WAY, after(94), 90)


def test_an_attempt_notices_that_its_video_was_deleted(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    held = take(sessions, job_id)
    with sessions.begin() as session:
        videos.delete(session, held.video_id)
    for change in _changes(held):
        with pytest.raises(LeaseLost), sessions.begin() as session:
            change(session)
    with sessions() as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in (Video, Job, Track)] == [0, 0, 0]


def test_publishing_makes_the_result_of_the_video(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    held = take(sessions, job_id)
    publish(sessions, held)
    job = read(sessions, job_id)
    assert (job.state, job.progress, job.eta_s, job.finished_at) == (DONE, 1.0, None, NOON)
    assert (job.frame_count, job.track_count, job.playback_frame_rate) == (100, 2, 25.0)
    assert job.detector is not None
    assert job.detector["name"] == "hog"
    assert job.notices == [
        {"code": "model.hog_fallback", "params": {"path": "model/detection"}},
        {"code": "model.descriptor_fallback", "params": {}},
    ]
    with sessions() as session:
        video = videos.get(session, job.video_id)
        assert video.result_job is not None
        assert video.result_job.id == job_id
        assert [track.number for track in tracks.of_video(session, video.id)] == [1, 2]
        assert results.is_published(session, held)


def test_publishing_twice_is_refused_and_changes_nothing(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    publish(sessions, held)
    with pytest.raises(LeaseLost):
        publish(sessions, held, some_result(5))
    with sessions() as session:
        assert len(tracks.of_video(session, held.video_id)) == 2


def test_a_second_run_replaces_the_tracks_of_the_first(sessions: Sessions) -> None:
    video = add_video(sessions)
    publish(sessions, take(sessions, add_job(sessions, video.id)), some_result(5))
    second = add_job(sessions, video.id)
    publish(sessions, take(sessions, second), some_result(3))
    with sessions() as session:
        found = tracks.of_video(session, video.id)
        assert [track.number for track in found] == [1, 2, 3]
        assert {track.job_id for track in found} == {second}
        assert videos.get(session, video.id).result_job_id == second


def test_a_failed_second_run_leaves_the_first_result(sessions: Sessions) -> None:
    video = add_video(sessions)
    first = add_job(sessions, video.id)
    publish(sessions, take(sessions, first))
    second = take(sessions, add_job(sessions, video.id))
    with sessions.begin() as session:
        jobs.fail(session, second, "job.storage_full", {}, NOON)
    with sessions() as session:
        assert videos.get(session, video.id).result_job_id == first
        assert len(tracks.of_video(session, video.id)) == 2


def test_failing_keeps_code_and_parameters(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    with sessions.begin() as session:
        jobs.fail(session, held, "media.not_video", {"name": "截图.mp4"}, after(3))
    job = read(sessions, held.job_id)
    assert (job.state, job.error_code, job.error_params) == (FAILED, "media.not_video", {"name": "截图.mp4"})
    assert (job.finished_at, job.lease_until, job.can_retry) == (after(3), None, True)


def test_cancelling_a_waiting_job_ends_it_at_once(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    with sessions.begin() as session:
        assert jobs.cancel(session, job_id, after(1)).state == CANCELLED
        assert jobs.claim(session, job_id, "w1", NOON, 90) is None
    assert read(sessions, job_id).finished_at == after(1)


def test_cancelling_a_running_job_is_seen_at_the_next_renewal(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    with sessions.begin() as session:
        job = jobs.cancel(session, held.job_id, after(1))
        assert (job.state, job.cancel_requested, job.can_cancel) == (RUNNING, True, False)
    with pytest.raises(JobCancelled), sessions.begin() as session:
        jobs.renew(session, held, HALF_WAY, after(2), 90)
    with sessions.begin() as session:
        jobs.end_cancelled(session, held, after(3))
    job = read(sessions, held.job_id)
    assert (job.state, job.finished_at, job.error_code) == (CANCELLED, after(3), None)


def test_a_cancelled_job_is_not_published(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    with sessions.begin() as session:
        jobs.cancel(session, held.job_id, NOON)
    with pytest.raises(JobCancelled):
        publish(sessions, held)
    with sessions() as session:
        assert videos.get(session, held.video_id).result_job_id is None
        assert tracks.of_video(session, held.video_id) == []


def test_an_ended_job_cannot_be_cancelled(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    publish(sessions, held)
    with sessions.begin() as session, pytest.raises(RequestError, match="while the job is done"):
        jobs.cancel(session, held.job_id, NOON)


def test_cancel_and_claim_at_once_leave_a_consistent_row(sessions: Sessions) -> None:
    for _ in range(5):
        job_id = add_job(sessions)

        def cancel(job_id: str = job_id) -> None:
            with sessions.begin() as session:
                jobs.cancel(session, job_id, NOON)

        def claim(job_id: str = job_id) -> None:
            with sessions.begin() as session:
                jobs.claim(session, job_id, "w1", NOON, 90)

        assert _at_once(2, cancel, claim) == [None, None]
        job = read(sessions, job_id)
        assert job.cancel_requested
        assert job.state in (CANCELLED, RUNNING)
        assert (job.finished_at is not None) == (job.state == CANCELLED)


def test_retrying_starts_again_from_nothing(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    with sessions.begin() as session:
        jobs.renew(session, held, HALF_WAY, NOON, 90)
        jobs.fail(session, held, "job.storage_full", {}, NOON)
    with sessions.begin() as session:
        job = jobs.retry(session, held.job_id)
        assert (job.state, job.attempt, job.error_code, job.progress) == (QUEUED, 0, None, 0.0)
        assert (job.finished_at, job.started_at, job.cancel_requested) == (None, None, False)
    again = take(sessions, held.job_id)
    assert (again.attempt, again.number) == (1, 2)


@pytest.mark.parametrize("state", [QUEUED, RUNNING, DONE])
def test_only_an_ended_job_without_result_can_be_retried(sessions: Sessions, state: str) -> None:
    job_id = add_job(sessions)
    if state != QUEUED:
        held = take(sessions, job_id)
        if state == DONE:
            publish(sessions, held)
    with sessions.begin() as session, pytest.raises(RequestError, match=f"while the job is {state}"):
        jobs.retry(session, job_id)
    assert read(sessions, job_id).state == state


def test_an_old_job_cannot_be_retried_beside_a_waiting_one(sessions: Sessions) -> None:
    video = add_video(sessions)
    old = add_job(sessions, video.id)
    with sessions.begin() as session:
        jobs.cancel(session, old, NOON)
    add_job(sessions, video.id)
    with pytest.raises(RequestError, match="Another job of this video"), sessions.begin() as session:
        jobs.retry(session, old)


def test_releasing_does_not_count_as_an_attempt(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    with sessions.begin() as session:
        jobs.renew(session, held, HALF_WAY, NOON, 90)
        jobs.release(session, held, NOON)
    job = read(sessions, held.job_id)
    assert (job.state, job.attempt, job.claim_count, job.worker, job.progress) == (QUEUED, 0, 1, None, 0.0)
    assert take(sessions, held.job_id).number == 2


def test_releasing_a_job_that_was_to_be_cancelled_cancels_it(sessions: Sessions) -> None:
    held = take(sessions, add_job(sessions))
    with sessions.begin() as session:
        jobs.cancel(session, held.job_id, NOON)
        jobs.release(session, held, after(1))
    job = read(sessions, held.job_id)
    assert (job.state, job.finished_at) == (CANCELLED, after(1))


def test_the_sweep_leaves_a_job_alone_while_its_lease_lasts(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    take(sessions, job_id)
    with sessions.begin() as session:
        assert jobs.sweep(session, after(90)) == []
    assert read(sessions, job_id).state == RUNNING


def test_a_job_abandoned_as_often_as_allowed_fails_with_a_sentence(sessions: Sessions) -> None:
    job_id = add_job(sessions, max_attempts=2)
    take(sessions, job_id)
    with sessions.begin() as session:
        jobs.sweep(session, after(91))
    assert read(sessions, job_id).state == QUEUED
    take(sessions, job_id, now=after(100))
    with sessions.begin() as session:
        assert jobs.sweep(session, after(191)) == [job_id]
    job = read(sessions, job_id)
    assert (job.state, job.error_code, job.error_params) == (FAILED, "job.attempts_exhausted", {"attempts": 2})
    assert job.finished_at == after(191)


def test_an_abandoned_job_that_was_to_be_cancelled_is_cancelled(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    take(sessions, job_id)
    with sessions.begin() as session:
        jobs.cancel(session, job_id, NOON)
        jobs.sweep(session, after(91))
    job = read(sessions, job_id)
    assert (job.state, job.error_code, job.finished_at) == (CANCELLED, None, after(91))


def test_two_sweeps_at_once_count_one_attempt(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    take(sessions, job_id)

    def sweep() -> list[str]:
        with sessions.begin() as session:
            return list(jobs.sweep(session, after(91)))

    outcomes = _at_once(4, sweep)
    assert sorted(map(str, outcomes)) == sorted(["[]"] * 3 + [str([job_id])])


def test_the_death_of_a_worker_ends_its_lease_and_no_other(sessions: Sessions) -> None:
    mine, other = add_job(sessions), add_job(sessions)
    take(sessions, mine, worker="w1")
    take(sessions, other, worker="w2")
    with sessions.begin() as session:
        for job_id in (mine, other):
            jobs.abandon(session, job_id, "w1", after(1))
        assert jobs.sweep(session, after(2)) == [mine]


def test_a_waiting_job_is_forgotten_when_its_message_is_overdue(sessions: Sessions) -> None:
    job_id = add_job(sessions)
    with sessions.begin() as session:
        assert jobs.forgotten(session, "w1", after(10), patience_s=15) == []
        assert jobs.forgotten(session, "w1", after(16), patience_s=15) == [job_id]
        jobs.note_rung(session, [job_id], after(16))
        assert jobs.forgotten(session, "w1", after(20), patience_s=15) == []


def test_a_busy_worker_is_given_no_forgotten_jobs(sessions: Sessions) -> None:
    take(sessions, add_job(sessions), worker="w1")
    waiting = add_job(sessions)
    with sessions.begin() as session:
        assert jobs.forgotten(session, "w1", after(60), patience_s=15) == []
        assert jobs.forgotten(session, "w2", after(60), patience_s=15) == [waiting]


def test_a_released_job_is_forgotten_at_once_and_the_oldest_come_first(sessions: Sessions) -> None:
    released = take(sessions, add_job(sessions))
    waiting = [add_job(sessions) for _ in range(3)]
    with sessions.begin() as session:
        jobs.release(session, released, NOON)
        assert jobs.forgotten(session, "w1", after(1), patience_s=15) == [released.job_id]
        assert set(jobs.forgotten(session, "w1", after(60), patience_s=15)) == {released.job_id, *waiting}
        assert len(jobs.forgotten(session, "w1", after(60), patience_s=15, limit=2)) == 2


def test_pages_of_jobs_are_counted_and_filtered(sessions: Sessions) -> None:
    ended = take(sessions, add_job(sessions))
    publish(sessions, ended)
    for _ in range(3):
        add_job(sessions)
    with sessions() as session:
        found, total = jobs.page(session, limit=2, offset=1)
        assert (len(found), total) == (2, 4)
        assert [job.video.name for job in found] == ["gate.mp4"] * 2
        found, total = jobs.page(session, limit=10, state=DONE)
        assert ([job.id for job in found], total) == ([ended.job_id], 1)


def test_an_unknown_job_is_not_found(sessions: Sessions) -> None:
    with sessions() as session, pytest.raises(RequestError) as missing:
        jobs.get(session, "0" * 32)
    assert (missing.value.code, missing.value.status) == ("request.not_found", 404)


def test_a_video_deleted_while_it_is_published_is_gone(engine: Engine, sessions: Sessions) -> None:
    for _ in range(5):
        held = take(sessions, add_job(sessions))

        def delete(video_id: str = held.video_id) -> None:
            with sessions.begin() as session:
                videos.delete(session, video_id)

        outcomes = _at_once(2, lambda held=held: publish(sessions, held), delete)  # type: ignore[misc]
        assert outcomes[1] is None
        assert outcomes[0] is None or isinstance(outcomes[0], LeaseLost)
        with sessions() as session:
            assert session.scalar(select(func.count()).select_from(Track)) == 0
            assert session.scalar(select(func.count()).select_from(Job)) == 0


def _changes(held: jobs.Claim) -> list[object]:
    return [
        lambda session: jobs.renew(session, held, HALF_WAY, after(93), 90),
        lambda session: results.publish(session, held, some_result(), after(93)),
        lambda session: jobs.fail(session, held, "job.storage_full", {}, after(93)),
        lambda session: jobs.release(session, held, after(93)),
        lambda session: jobs.end_cancelled(session, held, after(93)),
    ]


def _at_once(count: int, *works: object) -> list[object]:
    """Run ``works``, in turn, in ``count`` threads at once; return what each returned or raised."""
    outcomes: list[object] = [None] * count
    barrier = threading.Barrier(count)

    def run(index: int) -> None:
        barrier.wait()
        try:
            outcomes[index] = works[index % len(works)]()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001  # the test looks at it
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes

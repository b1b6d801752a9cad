"""Real workers on both queues: whatever is killed, no job is lost and none is done twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import tasks
from config import Settings
from records import MediaFacts
from store import jobs, tracks, workers
from store.tables import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Job
from tests.databases import NOON, database_url
from tests.real_worker import ROOT, RedisServer, Site, children, is_alive
from tests.small_video import write_video

__all__ = ["database_url"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes to kill in /proc"),
]

STOPS_WITHIN_S = 15.0
LOST_AFTER_S = 6.0


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def site(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Site]:
    """Return a site on SQLite and files, or on PostgreSQL and Redis."""
    on_files = database_url.startswith("sqlite")
    redis_url = "" if on_files else request.getfixturevalue("redis_server").url
    settings = Settings(
        data_dir=tmp_path,
        database_url=database_url,
        redis_url=redis_url,
        detector="hog",
        embedder="hsv_stripes",
        lease_s=LOST_AFTER_S,
        sweep_s=0.5,
    )
    site = Site(settings)
    yield site
    site.close()


def _is_working(job: Job) -> bool:
    return job.state == RUNNING and job.stage == "analyse"


def _has_ended(job: Job) -> bool:
    return job.state in (DONE, FAILED, CANCELLED)


def _expect_one_result(site: Site, job: Job) -> None:
    assert (job.state, job.error_code) == (DONE, None)
    wanted = [
        f"{job.id}-{job.claim_count}/{name}"
        for name in ("annotated.mp4", "detections.npz", "playback.mp4", "points.npz")
    ]
    deadline = time.monotonic() + STOPS_WITHIN_S  # what other attempts left is removed after the commit
    while (found := [name for name in site.attempt_files(job) if "crops" not in name]) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    with site.sessions() as session:
        numbers = [track.number for track in tracks.of_video(session, job.video_id)]
        assert numbers == list(range(1, (job.track_count or 0) + 1))


def test_a_worker_does_what_it_is_rung_for(site: Site) -> None:
    site.start_worker()
    job_id = site.add_job(partial(write_video, frame_count=10))
    assert site.ring(job_id)
    job = site.wait(job_id, _has_ended)
    assert (job.attempt, job.claim_count, job.frame_count) == (1, 1, 10)
    _expect_one_result(site, job)


def test_a_killed_child_costs_one_attempt_and_the_job_is_done_once(site: Site) -> None:
    worker = site.start_worker()
    job_id = site.add_job(partial(write_video, frame_count=240))
    site.ring(job_id)
    site.wait(job_id, _is_working)
    (child,) = children(worker.pid)
    os.kill(child, signal.SIGKILL)
    job = site.wait(job_id, _has_ended)
    assert (job.attempt, job.claim_count) == (2, 2)
    _expect_one_result(site, job)


def test_a_killed_worker_takes_its_child_along_and_the_next_one_does_the_job(site: Site) -> None:
    worker = site.start_worker()
    job_id = site.add_job(partial(write_video, frame_count=240))
    site.ring(job_id)
    site.wait(job_id, _is_working)
    (child,) = children(worker.pid)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    deadline = time.monotonic() + STOPS_WITHIN_S
    while is_alive(child):
        assert time.monotonic() < deadline, "the child outlives its worker"
        time.sleep(0.1)
    site.start_worker()
    job = site.wait(job_id, _has_ended)
    assert job.claim_count == 2
    _expect_one_result(site, job)


def test_worker_and_child_killed_together_leave_a_job_that_the_next_worker_does(site: Site) -> None:
    worker = site.start_worker()
    job_id = site.add_job(partial(write_video, frame_count=240))
    site.ring(job_id)
    site.wait(job_id, _is_working)
    for pid in [worker.pid, *children(worker.pid)]:
        os.kill(pid, signal.SIGKILL)
    worker.wait()
    assert site.read(job_id).state == RUNNING
    site.start_worker()
    job = site.wait(job_id, _has_ended)
    assert (job.attempt, job.claim_count) == (2, 2)
    _expect_one_result(site, job)


@pytest.mark.parametrize(("stop_signal", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 1)])
def test_a_stopped_worker_gives_its_job_back_within_seconds(site: Site, stop_signal: int, status: int) -> None:
    worker = site.start_worker()
    job_id = site.add_job(partial(write_video, frame_count=200))
    site.ring(job_id)
    site.wait(job_id, _is_working)
    worker.send_signal(stop_signal)
    assert worker.wait(STOPS_WITHIN_S) == status
    job = site.read(job_id)
    assert (job.state, job.attempt, job.progress) == (QUEUED, 0, 0.0)
    assert site.attempt_files(job) == []
    with site.sessions() as session:
        assert workers.seen_since(session, NOON) == []


def test_a_released_job_is_done_by_the_next_worker(site: Site) -> None:
    worker = site.start_worker()
    job_id = site.add_job(partial(write_video, frame_count=240))
    site.ring(job_id)
    site.wait(job_id, _is_working)
    worker.terminate()
    worker.wait(STOPS_WITHIN_S)
    site.start_worker()
    job = site.wait(job_id, _has_ended)
    assert (job.attempt, job.claim_count) == (1, 2)
    _expect_one_result(site, job)


def test_a_cancelled_job_ends_and_the_worker_goes_on_with_the_next(site: Site) -> None:
    site.start_worker()
    first = site.add_job(partial(write_video, frame_count=200))
    second = site.add_job(partial(write_video, frame_count=5))
    site.ring(first)
    site.wait(first, _is_working)
    site.ring(second)
    with site.sessions.begin() as session:
        jobs.cancel(session, first, NOON)
    job = site.wait(first, _has_ended)
    assert job.state == CANCELLED
    assert site.wait(second, _has_ended).state == DONE
    assert site.attempt_files(job) == []
    with site.sessions.begin() as session:
        jobs.retry(session, first)
    site.ring(first)
    site.wait(first, _is_working)


def test_a_job_that_kills_its_worker_fails_after_its_attempts(site: Site) -> None:
    worker = site.start_worker()
    job_id = site.add_job(partial(write_video, frame_count=200), max_attempts=2)
    site.ring(job_id)
    for claim in (1, 2):
        site.wait(job_id, lambda job, claim=claim: _is_working(job) and job.claim_count == claim)  # type: ignore[misc]
        (child,) = children(worker.pid)
        os.kill(child, signal.SIGKILL)
    job = site.wait(job_id, _has_ended)
    assert (job.state, job.error_code, job.error_params) == (FAILED, "job.attempts_exhausted", {"attempts": 2})


def test_two_workers_share_the_jobs_and_do_each_once(site: Site) -> None:
    for _ in range(2):
        site.start_worker()
    job_ids = [site.add_job(partial(write_video, frame_count=8)) for _ in range(5)]
    for job_id in job_ids * 3:
        site.ring(job_id)
    for job_id in job_ids:
        job = site.wait(job_id, _has_ended)
        assert (job.attempt, job.claim_count) == (1, 1)
        _expect_one_result(site, job)


def test_a_job_that_nobody_rang_for_is_found(site: Site) -> None:
    job_id = site.add_job(partial(write_video, frame_count=5))
    site.start_worker()
    assert site.wait(job_id, _has_ended).state == DONE


def test_a_deleted_queue_loses_no_job(site: Site) -> None:
    job_id = site.add_job(partial(write_video, frame_count=5))
    site.ring(job_id)
    shutil.rmtree(site.settings.data_dir / "queue", ignore_errors=True)
    site.start_worker()
    assert site.wait(job_id, _has_ended).state == DONE


@pytest.mark.services
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_redis_that_dies_during_a_job_and_comes_back_empty_loses_nothing(
    redis_server: RedisServer, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        data_dir=tmp_path, database_url=database_url, redis_url=redis_server.url, detector="hog", sweep_s=0.5
    )
    site = Site(settings)
    try:
        site.start_worker()
        first = site.add_job(partial(write_video, frame_count=240))
        second = site.add_job(partial(write_video, frame_count=5))
        assert site.ring(first)
        assert site.ring(second)
        site.wait(first, _is_working)
        redis_server.kill()
        third = site.add_job(partial(write_video, frame_count=5))
        assert not site.ring(third)
        job = site.wait(first, _has_ended)
        assert job.claim_count == 1
        _expect_one_result(site, job)
        redis_server.start()
        for job_id in (second, third):
            job = site.wait(job_id, _has_ended)
            assert job.claim_count == 1
            _expect_one_result(site, job)
    finally:
        site.close()


@pytest.mark.services
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_flushed_messages_are_sent_again(redis_server: RedisServer, database_url: str, tmp_path: Path) -> None:
    site = Site(Settings(data_dir=tmp_path, database_url=database_url, redis_url=redis_server.url, detector="hog"))
    try:
        job_id = site.add_job(partial(write_video, frame_count=5))
        assert site.ring(job_id)
        redis_server.flush()
        site.start_worker()
        assert site.wait(job_id, _has_ended).state == DONE
    finally:
        site.close()


@pytest.mark.services
def test_ringing_takes_no_longer_than_two_seconds_whatever_redis_does(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    ring = tasks.make_ring(Settings(data_dir=tmp_path, redis_url=redis_server.url))
    assert ring("a" * 32)
    assert redis_server.process is not None
    redis_server.process.send_signal(signal.SIGSTOP)
    began_s = time.monotonic()
    assert not ring("a" * 32)
    assert time.monotonic() - began_s < 2.5
    redis_server.kill()
    began_s = time.monotonic()
    assert not ring("a" * 32)
    assert time.monotonic() - began_s < 2.5


def test_ringing_into_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "queue").write_text("a file where a folder should be")
    assert not tasks.make_ring(Settings(data_dir=tmp_path))("a" * 32)


def test_a_queue_address_of_another_kind_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="REDIS_URL must look like redis://"):
        tasks.make_ring(Settings(redis_url="amqp://localhost"))


def test_importing_tasks_loads_no_networks_and_no_codecs() -> None:
    script = (
        "import sys, tasks; print(sorted({'cv2', 'av', 'torch', 'paddle', 'onnxruntime', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_killed_work_gives_the_same_tracks_as_undisturbed_work(
    tmp_path: Path, vtest_avi: Path, yolox_onnx: Path
) -> None:
    settings = Settings(
        data_dir=tmp_path, detector="yolox", det_model_dir=yolox_onnx, embedder="hsv_stripes", sweep_s=0.5
    )
    site = Site(settings)
    try:
        worker = site.start_worker()
        found = []
        for is_killed in (False, True):
            job_id = site.add_job(partial(_copy_video, vtest_avi))
            site.ring(job_id)
            if is_killed:
                site.wait(job_id, _is_working)
                (child,) = children(worker.pid)
                os.kill(child, signal.SIGKILL)
            job = site.wait(job_id, _has_ended)
            assert job.claim_count == 1 + is_killed
            _expect_one_result(site, job)
            with site.sessions() as session:
                found.append(
                    [
                        (track.number, track.first_frame, track.last_frame, track.point_count)
                        for track in tracks.of_video(session, job.video_id)
                    ]
                )
        assert len(found[0]) > 2
        assert found[0] == found[1]
    finally:
        site.close()


def _copy_video(source: Path, path: Path) -> MediaFacts:
    """Copy the first seconds of a video without decoding it."""
    import av

    with av.open(str(source)) as reader, av.open(str(path), "w", format="avi") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        for count, packet in enumerate(reader.demux(video=0)):
            if count == 100 or packet.dts is None:
                break
            packet.stream = stream
            writer.mux(packet)
    return MediaFacts("avi", "mpeg4", "yuv420p", 768, 576, 10.0, 10.0, 100, 1.0, 0, path.stat().st_size)

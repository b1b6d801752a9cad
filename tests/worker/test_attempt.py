"""One attempt, from claim to end, in this process: whatever happens, the row says so and no file stays."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from errors import ResightError
from points import PointTable
from store import jobs, tracks, videos
from store.files import Storage
from store.tables import CANCELLED, DONE, FAILED, QUEUED, RENDER, RETRACK, RUNNING, TRACK, Job, new_id
from tests.databases import NOON, after
from tests.small_video import ScriptedDetector, ScriptedEmbedder, write_video
from worker.attempt import Workplace, run_attempt

Sessions = sessionmaker[Session]


class Bench:
    """A video with a waiting job, and a place to work on it."""

    def __init__(self, sessions: Sessions, folder: Path) -> None:
        self.sessions = sessions
        self.storage = Storage(folder)
        self.video_id = new_id()
        self.is_stopping = False
        self.renew_every_s = 1.0
        self.before: Callable[[int], None] = lambda call: None
        self.settings = Settings(data_dir=folder)
        path = folder / "upload.avi"
        new = videos.NewVideo(
            video_id=self.video_id, name="门.avi", camera="Gate", facts=write_video(path), sha256="0" * 64
        )
        self.source = self.storage.take_source(self.video_id, path, "门.avi")
        with sessions.begin() as session:
            videos.add(session, new, NOON)
        self.job_id = self.enqueue()

    def enqueue(self, kind: str = TRACK, **wishes: str) -> str:
        with self.sessions.begin() as session:
            return jobs.enqueue(session, self.video_id, wishes, NOON, kind=kind).id

    def run(self, job_id: str | None = None) -> Job:
        place = Workplace(
            settings=self.settings,
            sessions=self.sessions,
            storage=self.storage,
            worker="w1",
            renew_every_s=self.renew_every_s,
            is_stopping=lambda: self.is_stopping,
            build_models=lambda settings, wishes, threads: (ScriptedDetector(self.before), ScriptedEmbedder()),
        )
        run_attempt(job_id or self.job_id, place)
        with self.sessions() as session:
            return jobs.get(session, job_id or self.job_id)

    def change(self, work: Callable[[Session], object]) -> None:
        with self.sessions.begin() as session:
            work(session)

    def files(self) -> list[str]:
        """Return the names of all files but the source."""
        folder = self.storage.data_dir / "videos"
        return sorted(path.name for path in folder.rglob("*") if path.is_file() and path != self.source)


@pytest.fixture
def bench(sessions: Sessions, tmp_path: Path) -> Bench:
    return Bench(sessions, tmp_path)


def _at_call(number: int, work: Callable[[], None]) -> Callable[[int], None]:
    return lambda call: work() if call == number else None


def _raise(error: Exception) -> None:
    raise error


def test_an_attempt_publishes_rows_and_files(bench: Bench) -> None:
    job = bench.run()
    assert (job.state, job.attempt, job.frame_count, job.track_count) == (DONE, 1, 30, 1)
    assert bench.files() == ["1-1.jpg", "1.jpg", "annotated.mp4", "detections.npz", "playback.mp4", "points.npz"]
    files = bench.storage.attempt(bench.video_id, job.id, job.claim_count)
    points = PointTable.load(files.points)
    with bench.sessions() as session:
        (track,) = tracks.of_video(session, bench.video_id)
        assert (track.point_count, track.embedder) == (len(points), "scripted")
        assert videos.get(session, bench.video_id).result_job_id == job.id
    assert files.crop(1).read_bytes()[:2] == b"\xff\xd8"


def test_a_message_that_comes_twice_changes_nothing(bench: Bench) -> None:
    first = bench.run()
    second = bench.run()
    assert (second.claim_count, second.finished_at) == (first.claim_count, first.finished_at)
    assert len(bench.files()) == 6


def test_a_message_for_an_unknown_job_changes_nothing(bench: Bench) -> None:
    with pytest.raises(ResightError):
        bench.run(new_id())
    assert bench.files() == []


def test_a_second_run_replaces_the_files_of_the_first(bench: Bench) -> None:
    bench.run()
    second = bench.run(bench.enqueue())
    assert len(bench.files()) == 6
    assert bench.storage.attempt(bench.video_id, second.id, 1).playback.exists()


def test_a_failed_second_run_keeps_the_files_of_the_first(bench: Bench) -> None:
    first = bench.run()
    bench.before = lambda call: _raise(RuntimeError("broken"))
    assert bench.run(bench.enqueue()).state == FAILED
    assert bench.storage.attempt(bench.video_id, first.id, 1).playback.exists()
    assert len(bench.files()) == 6


def test_a_cancel_ends_the_attempt_between_frames(bench: Bench) -> None:
    bench.renew_every_s = 0.0
    bench.before = _at_call(3, lambda: bench.change(lambda session: jobs.cancel(session, bench.job_id, NOON)))
    job = bench.run()
    assert (job.state, job.error_code) == (CANCELLED, None)
    assert bench.files() == []


def test_a_cancel_that_no_frame_sees_still_wins(bench: Bench) -> None:
    bench.before = _at_call(8, lambda: bench.change(lambda session: jobs.cancel(session, bench.job_id, NOON)))
    assert bench.run().state == CANCELLED
    assert bench.files() == []


def test_a_worker_that_stops_gives_the_job_back(bench: Bench) -> None:
    def stop() -> None:
        bench.is_stopping = True

    bench.before = _at_call(3, stop)
    job = bench.run()
    assert (job.state, job.attempt, job.worker, job.rung_at) == (QUEUED, 0, None, None)
    assert bench.files() == []
    bench.is_stopping, bench.before = False, lambda call: None
    job = bench.run()
    assert (job.state, job.attempt) == (DONE, 1)
    assert len(bench.files()) == 6


def test_a_stopping_worker_claims_nothing(bench: Bench) -> None:
    bench.is_stopping = True
    job = bench.run()
    assert (job.state, job.claim_count) == (QUEUED, 0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ResightError("media.too_large", limit_bytes=5), "media.too_large"),
        (MemoryError(), "job.out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "job.storage_full"),
        (OSError(errno.EACCES, "Permission denied"), "job.internal"),
        (ValueError("anything"), "job.internal"),
    ],
)
def test_an_error_ends_the_job_with_its_sentence(bench: Bench, error: Exception, code: str) -> None:
    bench.before = _at_call(2, lambda: _raise(error))
    job = bench.run()
    assert (job.state, job.error_code) == (FAILED, code)
    assert str(ResightError(code, **job.error_params))
    assert bench.files() == []


def test_an_error_brought_about_by_a_full_disk_says_so(bench: Bench) -> None:
    def fail() -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("could not write") from error

    bench.before = _at_call(1, fail)
    assert bench.run().error_code == "job.storage_full"


def test_a_file_that_is_no_video_fails_with_its_name(bench: Bench) -> None:
    bench.source.write_bytes(b"no video at all" * 100)
    job = bench.run()
    assert (job.state, job.error_code) == (FAILED, "media.not_video")
    assert job.error_params["name"] == "门.avi"
    assert bench.files() == []


def test_an_attempt_that_lost_its_lease_leaves_the_row_and_the_other_attempt_alone(bench: Bench) -> None:
    bench.renew_every_s = 0.0

    def lose(session: Session) -> None:
        jobs.sweep(session, after(10**9))
        held = jobs.claim(session, bench.job_id, "w2", NOON, 90)
        assert held is not None
        other = bench.storage.attempt(bench.video_id, bench.job_id, held.number)
        other.create()
        other.playback.write_bytes(b"of the other attempt")

    bench.before = _at_call(3, lambda: bench.change(lose))
    job = bench.run()
    assert (job.state, job.worker, job.claim_count) == (RUNNING, "w2", 2)
    assert bench.files() == ["playback.mp4"]


def test_a_video_deleted_during_the_attempt_leaves_nothing(bench: Bench) -> None:
    def delete() -> None:
        bench.change(lambda session: videos.delete(session, bench.video_id))
        bench.storage.remove_video(bench.video_id)

    bench.before = _at_call(3, delete)
    with pytest.raises(ResightError):
        bench.run()
    assert list(bench.storage.videos_dir.iterdir()) == []


def test_a_job_beyond_the_time_limit_ends_with_a_sentence(bench: Bench) -> None:
    bench.settings = replace(bench.settings, job_time_limit_s=0)
    job = bench.run()
    assert (job.state, job.error_code, job.error_params) == (FAILED, "job.time_limit", {"limit_s": 0})


def test_progress_is_noted_while_the_attempt_runs(bench: Bench) -> None:
    bench.renew_every_s = 0.0
    seen: list[tuple[str | None, float]] = []

    def look(call: int) -> None:
        with bench.sessions() as session:
            job = jobs.get(session, bench.job_id)
            seen.append((job.stage, job.progress))

    bench.before = look
    bench.run()
    assert seen[0] == ("analyse", 0.0)
    assert seen[-1][1] > 0.3
    assert seen == sorted(seen, key=lambda entry: entry[1])


def test_a_commit_whose_answer_was_lost_counts_as_published(bench: Bench) -> None:
    lost: list[str] = []

    def lose_the_answer(session: Session) -> None:
        with Session(bench.sessions.kw["bind"]) as other:
            state = other.scalar(select(Job.state).where(Job.id == bench.job_id))
        if state == DONE and not lost:
            lost.append(state)
            raise OperationalError("COMMIT", {}, ConnectionError("the server closed the connection"))

    event.listen(bench.sessions, "after_commit", lose_the_answer)
    job = bench.run()
    assert (job.state, lost) == (DONE, [DONE])
    assert len(bench.files()) == 6


def test_tracking_again_needs_no_network_and_keeps_the_rest(bench: Bench) -> None:
    first = bench.run()
    before = _points(bench, first)
    bench.before = lambda call: _raise(AssertionError("no network may run"))
    job = bench.run(bench.enqueue(RETRACK, tracker="online"))
    assert (job.state, job.tracker, job.preset) == (DONE, "online", first.preset)
    assert (job.detected_boxes, job.embedded_boxes) == (first.detected_boxes, first.embedded_boxes)
    assert (job.frame_count, job.track_count) == (30, 1)
    assert bench.files() == ["1.jpg", "detections.npz", "playback.mp4", "points.npz"], "nothing was drawn"
    assert len(_points(bench, job)) == 29 == len(before) - 1, "online shows a track from its second box on"
    assert _crop_of(bench, job).startswith(b"\xff\xd8")
    same = bench.run(bench.enqueue(RETRACK, tracker="recorded"))
    assert len(_points(bench, same)) == len(before)


def test_tracking_again_without_a_result_says_so(bench: Bench) -> None:
    bench.change(lambda session: jobs.cancel(session, bench.job_id, NOON))
    job = bench.run(bench.enqueue(RETRACK))
    assert (job.state, job.error_code) == (FAILED, "job.no_base")
    assert bench.files() == []


@pytest.mark.parametrize("kind", [RETRACK, RENDER])
def test_a_result_whose_files_are_gone_says_so(bench: Bench, kind: str) -> None:
    first = bench.run()
    files = bench.storage.attempt(bench.video_id, first.id, first.claim_count)
    files.detections.unlink()
    files.points.unlink()
    job = bench.run(bench.enqueue(kind))
    assert (job.state, job.error_code) == (FAILED, "job.no_base")
    assert bench.files() == ["1-1.jpg", "1.jpg", "annotated.mp4", "playback.mp4"], "the result stays as it was"


def test_the_annotated_video_comes_later(bench: Bench) -> None:
    bench.run()
    again = bench.run(bench.enqueue(RETRACK))
    job = bench.run(bench.enqueue(RENDER))
    assert job.state == DONE
    assert set(job.stage_seconds) == {"decode", "draw", "encode"}
    assert bench.files() == ["1.jpg", "annotated.mp4", "detections.npz", "playback.mp4", "points.npz"]
    assert bench.storage.attempt(bench.video_id, again.id, again.claim_count).annotated.stat().st_size > 1000
    with bench.sessions() as session:
        assert videos.get(session, bench.video_id).result_job_id == again.id


def test_a_job_takes_its_wishes_before_the_settings(bench: Bench) -> None:
    bench.settings = replace(bench.settings, tracker="online", preset="accurate")
    job = bench.run()
    assert (job.tracker, job.preset) == ("online", "accurate")
    job = bench.run(bench.enqueue(tracker="deepsort", preset="fast"))
    assert (job.tracker, job.preset, job.detected_boxes) == ("deepsort", "fast", 10)


def _points(bench: Bench, job: Job) -> PointTable:
    return PointTable.load(bench.storage.attempt(bench.video_id, job.id, job.claim_count).points)


def _crop_of(bench: Bench, job: Job) -> bytes:
    return bench.storage.attempt(bench.video_id, job.id, job.claim_count).crop(1).read_bytes()

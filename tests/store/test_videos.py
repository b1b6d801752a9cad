"""Videos and cameras."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session, sessionmaker

from errors import RequestError
from store import videos
from store.tables import Job, Track, Video
from tests.databases import NOON, after
from tests.store.rows import FACTS, add_job, add_video, publish, take

Sessions = sessionmaker[Session]


def test_a_video_keeps_what_the_probe_found(sessions: Sessions) -> None:
    video = add_video(sessions, name="大门 🎥.mp4")
    with sessions() as session:
        found = videos.get(session, video.id)
        assert found.facts == FACTS
        assert (found.name, found.camera.name, found.started_at) == ("大门 🎥.mp4", "Gate", NOON)
        assert (found.latest_job, found.result_job) == (None, None)


def test_names_that_a_database_would_refuse_are_mended(sessions: Sessions) -> None:
    video = add_video(sessions, name="a\0b\udcff" + "x" * 600, camera="  Gate \t 1 ")
    with sessions() as session:
        found = videos.get(session, video.id)
        assert found.name.startswith("ab?x")
        assert len(found.name) == videos.MAX_NAME_LENGTH
        assert found.camera.name == "Gate 1"


def test_videos_of_one_camera_name_share_the_camera(sessions: Sessions) -> None:
    for name in ("Gate", "Hall", "Gate"):
        add_video(sessions, camera=name)
    with sessions() as session:
        assert [camera.name for camera in videos.cameras(session)] == ["Gate", "Hall"]


def test_a_camera_named_by_many_uploads_at_once_is_made_once(sessions: Sessions) -> None:
    failures: list[Exception] = []

    def upload() -> None:
        try:
            add_video(sessions, camera="New")
        except Exception as error:  # noqa: BLE001  # shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=upload) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sessions() as session:
        assert len(videos.cameras(session)) == 1
        assert videos.page(session, limit=10)[1] == 6
    assert failures == []


def test_pages_have_the_newest_first_and_load_everything_shown(sessions: Sessions) -> None:
    made = [add_video(sessions, name=f"{number}.mp4", now=after(number)) for number in range(5)]
    held = take(sessions, add_job(sessions, made[3].id))
    publish(sessions, held)
    with sessions() as session:
        found, total = videos.page(session, limit=2, offset=1)
    assert ([video.name for video in found], total) == (["3.mp4", "2.mp4"], 5)
    assert not {"camera", "jobs", "result_job"} & inspect(found[0]).unloaded
    assert found[0].latest_job is not None
    assert found[0].latest_job.id == held.job_id


def test_the_latest_job_is_the_one_created_last(sessions: Sessions) -> None:
    video = add_video(sessions)
    publish(sessions, take(sessions, add_job(sessions, video.id)))
    with sessions.begin() as session:
        second = Job(video_id=video.id, created_at=after(5))
        session.add(second)
    with sessions() as session:
        found = videos.get(session, video.id)
        assert found.latest_job is not None
        assert found.latest_job.id == second.id
        assert found.result_job_id != second.id


def test_deleting_a_video_deletes_its_jobs_and_tracks_and_no_others(sessions: Sessions) -> None:
    kept = take(sessions, add_job(sessions))
    publish(sessions, kept)
    doomed = take(sessions, add_job(sessions))
    publish(sessions, doomed)
    with sessions.begin() as session:
        videos.delete(session, doomed.video_id)
    with sessions() as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in (Video, Job, Track)] == [1, 1, 2]
        with pytest.raises(RequestError):
            videos.get(session, doomed.video_id)


def test_deleting_an_unknown_video_is_not_found(sessions: Sessions) -> None:
    with sessions.begin() as session, pytest.raises(RequestError) as missing:
        videos.delete(session, "0" * 32)
    assert missing.value.status == 404

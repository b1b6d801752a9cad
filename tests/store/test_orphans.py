"""What a crash leaves behind is removed, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from store import results, videos
from store.files import Storage
from store.orphans import remove_orphans
from store.tables import RENDER, new_id
from tests.databases import NOON
from tests.store.rows import add_job, publish, take

Sessions = sessionmaker[Session]


def _remove(sessions: Sessions, storage: Storage) -> None:
    with sessions() as session:
        remove_orphans(session, storage)


def _make_folder(storage: Storage, video_id: str) -> None:
    storage.video_dir(video_id).mkdir(parents=True, exist_ok=True)
    (storage.video_dir(video_id) / "source.mp4").write_bytes(b"video")


def test_published_and_running_attempts_are_kept_and_others_removed(sessions: Sessions, tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    first = take(sessions, add_job(sessions))
    publish(sessions, first)
    running = take(sessions, add_job(sessions, first.video_id))
    _make_folder(storage, first.video_id)
    kept = [storage.attempt(first.video_id, held.job_id, held.number) for held in (first, running)]
    orphans = [
        storage.attempt(first.video_id, running.job_id, running.number + 1),
        storage.attempt(first.video_id, new_id(), 1),
    ]
    for files in kept + orphans:
        files.create()
    _remove(sessions, storage)
    assert [files.folder.exists() for files in kept + orphans] == [True, True, False, False]
    assert storage.source_path(first.video_id).exists()


def test_the_folder_of_a_deleted_video_is_removed_when_it_is_old(sessions: Sessions, tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    held = take(sessions, add_job(sessions))
    being_uploaded = new_id()
    for video_id in (held.video_id, being_uploaded):
        _make_folder(storage, video_id)
    with sessions.begin() as session:
        videos.delete(session, held.video_id)
    long_ago = time.time() - 7200
    os.utime(storage.video_dir(held.video_id), (long_ago, long_ago))
    _remove(sessions, storage)
    assert [path.name for path in storage.videos_dir.iterdir()] == [being_uploaded]


def test_an_empty_data_folder_is_fine(sessions: Sessions, tmp_path: Path) -> None:
    _remove(sessions, Storage(tmp_path / "none"))


def test_of_a_killed_drawing_only_the_published_attempt_stays(sessions: Sessions, tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    first = take(sessions, add_job(sessions))
    publish(sessions, first)
    drawing = take(sessions, add_job(sessions, first.video_id, kind=RENDER))
    _make_folder(storage, first.video_id)
    published, drawn = (storage.attempt(first.video_id, held.job_id, held.number) for held in (first, drawing))
    for files in (published, drawn):
        files.create()
    _remove(sessions, storage)
    assert (published.folder.exists(), drawn.folder.exists()) == (True, True)
    drawn.annotated.write_bytes(b"drawn")
    with sessions.begin() as session:
        results.publish_annotated(session, drawing, NOON, give=lambda: drawn.give_annotated(published))
    _remove(sessions, storage)
    assert (published.annotated.read_bytes(), drawn.folder.exists()) == (b"drawn", False)

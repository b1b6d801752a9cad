"""The data folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from store.files import AttemptFiles, Storage
from store.tables import new_id


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "data")


def _add_source(storage: Storage, name: str = "a.mp4") -> str:
    video_id = new_id()
    storage.incoming_dir.mkdir(parents=True, exist_ok=True)
    part = storage.upload_path(video_id)
    part.write_bytes(b"video")
    storage.take_source(video_id, part, name)
    return video_id


def _two_attempts(storage: Storage) -> tuple[AttemptFiles, AttemptFiles]:
    """Return a finished attempt, whose files hold their own names, and one that has just begun."""
    video_id = _add_source(storage)
    previous, files = storage.attempt(video_id, new_id(), 1), storage.attempt(video_id, new_id(), 1)
    previous.create()
    for path in (previous.playback, previous.annotated, previous.points, previous.detections, previous.crop(1)):
        path.write_bytes(path.name.encode())
    files.create()
    return previous, files


@pytest.mark.parametrize(
    "bad", ["", "..", "../" + "a" * 29, "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", "/etc/passwd"]
)
def test_an_id_that_is_none_never_becomes_a_path(storage: Storage, bad: str) -> None:
    for method in (storage.video_dir, storage.upload_path, storage.upload_info_path, storage.poster_path):
        with pytest.raises(ValueError, match="32 hexadecimal digits"):
            method(bad)
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        storage.attempt("a" * 32, bad, 1)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.mp4", "source.mp4"),
        ("A.MOV", "source.mov"),
        ("none", "source"),
        ("a.tar.gz", "source.gz"),
        ("../../etc/passwd", "source"),
        ("a.m p4", "source"),
        ("a.视频", "source"),
        ("a." + "x" * 300, "source"),
        ("", "source"),
        (".", "source"),
    ],
)
def test_only_a_plain_suffix_of_the_users_name_is_kept(storage: Storage, name: str, kept: str) -> None:
    video_id = _add_source(storage, name)
    assert storage.source_path(video_id) == storage.video_dir(video_id) / kept
    assert storage.source_path(video_id).read_bytes() == b"video"
    assert list(storage.incoming_dir.iterdir()) == []


def test_a_missing_source_is_an_error(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.source_path(new_id())


def test_an_attempt_starts_empty_and_leaves_nothing(storage: Storage) -> None:
    video_id = _add_source(storage)
    files = storage.attempt(video_id, new_id(), 1)
    files.create()
    files.playback.write_bytes(b"old")
    files.create()
    assert not files.playback.exists()
    files.crop(3).write_bytes(b"jpeg")
    files.remove()
    assert [path.name for path in storage.video_dir(video_id).iterdir()] == ["source.mp4"]


def test_an_attempt_does_not_bring_back_the_folder_of_a_deleted_video(storage: Storage) -> None:
    video_id = _add_source(storage)
    files = storage.attempt(video_id, new_id(), 1)
    storage.remove_video(video_id)
    with pytest.raises(FileNotFoundError):
        files.create()
    files.remove()
    assert list(storage.videos_dir.iterdir()) == []


def test_removing_other_attempts_keeps_the_published_one(storage: Storage) -> None:
    video_id = _add_source(storage)
    attempts = [storage.attempt(video_id, new_id(), claim) for claim in (1, 2, 3)]
    for files in attempts:
        files.create()
    storage.remove_other_attempts(attempts[1])
    assert [files.folder.exists() for files in attempts] == [False, True, False]


def test_an_attempt_adopts_what_does_not_depend_on_the_tracker(storage: Storage) -> None:
    previous, files = _two_attempts(storage)
    files.adopt(previous)
    assert sorted(path.name for path in files.folder.iterdir()) == ["crops", "detections.npz", "playback.mp4"]
    assert files.playback.stat().st_ino == previous.playback.stat().st_ino
    storage.remove_other_attempts(files)
    assert (files.playback.read_bytes(), files.detections.read_bytes()) == (b"playback.mp4", b"detections.npz")


def test_an_attempt_is_adopted_by_copies_where_the_disk_has_no_links(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    previous, files = _two_attempts(storage)
    files.adopt(previous)
    assert files.playback.stat().st_ino != previous.playback.stat().st_ino
    previous.remove()
    assert (files.playback.read_bytes(), files.detections.read_bytes()) == (b"playback.mp4", b"detections.npz")


def test_a_full_disk_is_no_reason_to_copy(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", refuse)
    previous, files = _two_attempts(storage)
    with pytest.raises(OSError, match="No space left"):
        files.adopt(previous)
    assert not files.playback.exists()


def test_an_attempt_without_detections_cannot_be_adopted(storage: Storage) -> None:
    previous, files = _two_attempts(storage)
    previous.detections.unlink()
    with pytest.raises(FileNotFoundError):
        files.adopt(previous)


def test_the_annotated_video_moves_into_the_place_of_an_older_one_and_may_move_twice(storage: Storage) -> None:
    published, files = _two_attempts(storage)
    files.annotated.write_bytes(b"new")
    for _ in range(2):
        files.give_annotated(published)
        assert published.annotated.read_bytes() == b"new"
        assert not files.annotated.exists()


def test_an_annotated_video_that_nobody_has_cannot_move(storage: Storage) -> None:
    published, files = _two_attempts(storage)
    published.annotated.unlink()
    with pytest.raises(FileNotFoundError):
        files.give_annotated(published)


def test_removing_a_video_removes_its_folder_and_may_be_repeated(storage: Storage) -> None:
    video_id, other = _add_source(storage), _add_source(storage)
    storage.remove_video(video_id)
    storage.remove_video(video_id)
    assert [path.name for path in storage.videos_dir.iterdir()] == [other]


def test_an_interrupted_removal_is_finished_later(storage: Storage) -> None:
    video_id = _add_source(storage)
    folder = storage.video_dir(video_id)
    folder.rename(folder.with_name(f".removed-{video_id}"))
    storage.remove_remains()
    assert list(storage.videos_dir.iterdir()) == []


def test_attempts_are_listed_by_video(storage: Storage) -> None:
    assert storage.attempt_names() == {}
    video_id, job_id = _add_source(storage), new_id()
    (storage.videos_dir / "notes").mkdir()
    assert storage.attempt_names() == {video_id: set()}
    storage.attempt(video_id, job_id, 2).create()
    assert storage.attempt_names() == {video_id: {f"{job_id}-2"}}


def test_a_crop_is_named_by_its_number(tmp_path: Path) -> None:
    assert AttemptFiles(tmp_path).crop(7) == tmp_path / "crops" / "7.jpg"

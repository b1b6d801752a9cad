from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from errors import ModelError
from model.download import Downloader, Wanted
from tests.model.weights_server import WeightsServer, running_server

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WANTED = Wanted(sha256=SHA256, size_bytes=len(CONTENT))


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with running_server() as served:
        served.files["/w.onnx"] = CONTENT
        yield served


def downloader(attempts: int = 4) -> Downloader:
    return Downloader(attempts=attempts, timeout_s=5, pause_s=0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_alone(server: WeightsServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "w.onnx"
    sha256 = downloader().fetch(
        f"{server.address}/w.onnx", target, WANTED, on_progress=lambda done, total: seen.append((done, total))
    )
    assert (target.read_bytes(), sha256) == (CONTENT, SHA256)
    assert names(tmp_path) == ["w.onnx"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_broken_connection_goes_on_where_it_broke_off(server: WeightsServer, tmp_path: Path) -> None:
    server.break_after = [300_000, 200_000]
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert (tmp_path / "w.onnx").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_a_second_call_goes_on_after_the_first_gave_up(server: WeightsServer, tmp_path: Path) -> None:
    server.break_after = [100_000]
    with pytest.raises(ModelError, match=r"broke off after 100000 bytes.*goes on from there"):
        downloader(attempts=1).fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert names(tmp_path) == ["w.onnx.part", "w.onnx.part.json"]
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert server.ranges == [None, "bytes=100000-"]
    assert names(tmp_path) == ["w.onnx"]


def test_a_part_that_is_complete_needs_no_more_bytes(server: WeightsServer, tmp_path: Path) -> None:
    server.break_after = [1000]
    with pytest.raises(ModelError):
        downloader(attempts=1).fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    (tmp_path / "w.onnx.part").write_bytes(CONTENT)
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert (tmp_path / "w.onnx").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: WeightsServer, tmp_path: Path) -> None:
    server.break_after = [100_000]
    server.files["/w.onnx"] = b"old" + CONTENT
    with pytest.raises(ModelError):
        downloader(attempts=1).fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    server.files["/w.onnx"], server.tag = CONTENT, '"2"'
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert (tmp_path / "w.onnx").read_bytes() == CONTENT


def test_a_part_of_another_address_is_not_gone_on_with(server: WeightsServer, tmp_path: Path) -> None:
    server.break_after = [100_000]
    server.files["/other"] = b"x" * len(CONTENT)
    with pytest.raises(ModelError):
        downloader(attempts=1).fetch(f"{server.address}/other", tmp_path / "w.onnx", WANTED)
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert server.ranges == [None, None]


def test_a_server_without_ranges_starts_again(server: WeightsServer, tmp_path: Path) -> None:
    server.honours_ranges = False
    server.break_after = [100_000]
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert (tmp_path / "w.onnx").read_bytes() == CONTENT


def test_a_wrong_hash_leaves_no_file(server: WeightsServer, tmp_path: Path) -> None:
    server.files["/w.onnx"] = CONTENT[:-1] + b"!"
    with pytest.raises(ModelError, match=f"instead of {SHA256}. It was not kept"):
        downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert names(tmp_path) == []


def test_a_wrong_start_of_the_hash_leaves_no_file(server: WeightsServer, tmp_path: Path) -> None:
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "good", Wanted(sha256_start=SHA256[:8]))
    with pytest.raises(ModelError, match="instead of 00000000"):
        downloader().fetch(f"{server.address}/w.onnx", tmp_path / "bad", Wanted(sha256_start="00000000"))
    assert names(tmp_path) == ["good"]


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_file_cut_short_for_good_leaves_no_file(server: WeightsServer, tmp_path: Path, tells_length: bool) -> None:
    server.files["/w.onnx"], server.tells_length = CONTENT[:5000], tells_length
    with pytest.raises(ModelError, match=f"5000 bytes instead of {len(CONTENT)}"):
        downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert names(tmp_path) == []


def test_a_file_larger_than_the_limit_is_refused_before_it_comes(server: WeightsServer, tmp_path: Path) -> None:
    for tells_length in (True, False):
        server.tells_length = tells_length
        with pytest.raises(ModelError, match="larger than 1000 bytes"):
            downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", Wanted(max_bytes=1000))
        assert names(tmp_path) == []


def test_a_server_that_stumbles_is_asked_again(server: WeightsServer, tmp_path: Path) -> None:
    server.faults = [503, 500]
    downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert names(tmp_path) == ["w.onnx"]


def test_a_missing_file_is_refused_at_once(server: WeightsServer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"404 Not Found\. The publisher may have moved it"):
        downloader().fetch(f"{server.address}/gone", tmp_path / "w.onnx", WANTED)
    assert len(server.ranges) == 1


def test_redirects_are_followed(server: WeightsServer, tmp_path: Path) -> None:
    server.redirects["/moved"] = f"{server.address}/w.onnx"
    downloader().fetch(f"{server.address}/moved", tmp_path / "w.onnx", WANTED)
    assert (tmp_path / "w.onnx").read_bytes() == CONTENT


def test_redirects_to_other_things_than_the_web_are_refused(server: WeightsServer, tmp_path: Path) -> None:
    server.redirects["/moved"] = "file:///etc/hostname"
    with pytest.raises(ModelError, match="cannot be downloaded"):
        downloader().fetch(f"{server.address}/moved", tmp_path / "w.onnx", WANTED)
    with pytest.raises(ModelError, match="only http and https"):
        downloader().fetch("file:///etc/hostname", tmp_path / "w.onnx", WANTED)
    assert names(tmp_path) == []


def test_offline_names_the_host_and_what_to_do(tmp_path: Path) -> None:
    with running_server() as served:
        address = served.address  # nobody listens there afterwards
    with pytest.raises(
        ModelError, match=r"127\.0\.0\.1 cannot be reached .*download http.*/w\.onnx elsewhere, put it at"
    ):
        downloader(attempts=2).fetch(f"{address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert names(tmp_path) == []


def test_a_folder_that_is_none_is_no_fault_of_the_network(server: WeightsServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotADirectoryError):
        downloader().fetch(f"{server.address}/w.onnx", tmp_path / "file" / "w.onnx", WANTED)


def test_too_little_room_is_seen_before_anything_is_written(server: WeightsServer, tmp_path: Path) -> None:
    small = Downloader(attempts=1, pause_s=0, free_bytes=lambda folder: 1000)
    with pytest.raises(ModelError, match=f"1000 bytes free, and {len(CONTENT)} more are needed"):
        small.fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_fills_up_meanwhile_is_said_plainly(server: WeightsServer, tmp_path: Path) -> None:
    (tmp_path / "w.onnx.part").symlink_to("/dev/full")
    with pytest.raises(ModelError, match="Free some space") as caught:
        downloader().fetch(f"{server.address}/w.onnx", tmp_path / "w.onnx", WANTED)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert (tmp_path / "w.onnx.part").is_symlink()
    assert len(server.ranges) == 1  # a full disk is not asked again

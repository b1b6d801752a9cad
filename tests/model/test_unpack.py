from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from model.unpack import unpack


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


MAKERS = {
    "a.zip": make_zip,
    "a.tar": make_tar,
    "a.tar.gz": lambda path, files: make_tar(path, files, "w:gz"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_files_come_out_in_their_folders(name: str, tmp_path: Path) -> None:
    archive = MAKERS[name](tmp_path / name, {"m/model.pdmodel": b"program", "m/deep/params": b"\0" * 5000})
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/m/model.pdmodel").read_bytes() == b"program"
    assert (tmp_path / "out/m/deep/params").read_bytes() == b"\0" * 5000


def test_what_macos_adds_is_left_out(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"m/a": b"1", "__MACOSX/m/._a": b"2", "m/._a": b"3"})
    unpack(archive, tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")] == ["m", "m/a"]


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("member", ["../evil", "/evil", "m/../../evil", "..\\evil", "C:/evil"])
def test_names_that_lead_out_of_the_folder_are_refused(name: str, member: str, tmp_path: Path) -> None:
    archive = MAKERS[name](tmp_path / name, {member: b"x"})
    with pytest.raises(ModelError, match="leads out of the folder"):
        unpack(archive, tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("name", MAKERS)
def test_more_than_the_limits_is_refused(name: str, tmp_path: Path) -> None:
    archive = MAKERS[name](tmp_path / name, {"a": b"0" * 600, "b": b"0" * 600})
    with pytest.raises(ModelError, match="more than 1000 bytes"):
        unpack(archive, tmp_path / "small", max_bytes=1000)
    with pytest.raises(ModelError, match="or 1 files"):
        unpack(archive, tmp_path / "few", max_members=1)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, "/etc/hostname"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(info)
    with pytest.raises(ModelError, match="“link” in it is a link or a device"):
        unpack(tmp_path / "a.tar", tmp_path / "out")


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/hostname")
    with pytest.raises(ModelError, match="“link” in it is a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"a": b"0" * 5000})
    content = archive.read_bytes()
    assert content.count((5000).to_bytes(4, "little")) == 2
    archive.write_bytes(content.replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    with pytest.raises(ModelError, match="cannot be used"):
        unpack(archive, tmp_path / "out", max_bytes=1000)


def test_things_that_are_no_archives_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(ModelError, match="damaged or no archive"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    cut = make_zip(tmp_path / "b.zip", {"a": bytes(range(256)) * 100}).read_bytes()
    (tmp_path / "b.zip").write_bytes(cut[: len(cut) // 2])
    with pytest.raises(ModelError, match="damaged or no archive"):
        unpack(tmp_path / "b.zip", tmp_path / "out2")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_damage_in_the_middle_is_noticed(name: str, tmp_path: Path) -> None:
    content = np.random.default_rng(0).integers(0, 16, 50_000).astype(np.uint8).tobytes()
    archive = MAKERS[name](tmp_path / name, {"a": content})
    damaged = bytearray(archive.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 200] = bytes(200)
    archive.write_bytes(bytes(damaged))
    with pytest.raises(ModelError, match="damaged or no archive"):
        unpack(archive, tmp_path / "out")


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    with pytest.raises(ModelError, match="same name twice"):
        unpack(tmp_path / "a.tar", tmp_path / "out")

"""Unpacking archives of others: nothing outside the folder, no links, bounded in size and number."""

from __future__ import annotations

import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from errors import ModelError

MAX_BYTES = 8 * 1024**3
MAX_MEMBERS = 2000
_MAX_PADDING_BYTES = 1 << 20

_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError,
    RuntimeError,
)  # fmt: skip
"""What the libraries raise of an archive that is none, cut off, damaged, encrypted or compressed in unknown ways."""


class _Member(NamedTuple):
    name: str
    size_bytes: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS) -> None:
    """Unpack the files of a ``.zip`` or ``.tar`` (also compressed) into ``folder``, which must be empty or new.

    Directories are made as files need them; times, owners and permissions are
    not taken over, and what macOS adds beside each file is left out.

    Raises
    ------
    ModelError
        for something that is no archive, or one with links, devices, names that
        lead out of the folder, or more than the limits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left = max_bytes
    try:
        for number, member in enumerate(_members(archive), start=1):
            target = folder / _inner_path(archive, member.name)
            left -= member.size_bytes
            if left < 0 or number > max_members:
                raise _unusable(archive, f"it unpacks to more than {max_bytes} bytes or {max_members} files")
            if _is_of_macos(member.name):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as source, target.open("xb") as file:
                _copy_exactly(archive, source, file, member)
    except _DAMAGED as error:
        raise _unusable(archive, f"it is damaged or no archive ({error})") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _unusable(archive, "it holds the same name twice") from error


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    else:
        yield from _tar_members(archive)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            mode = info.external_attr >> 16
            if mode and (mode & 0o170000) not in (0, 0o100000, 0o040000):
                raise _unusable(archive, f"“{info.filename}” in it is a link or a device")
            if not info.is_dir():
                yield _Member(info.filename, info.file_size, partial(file.open, info))


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as file:
        for info in file:
            if info.isdir():
                continue
            source = file.extractfile(info) if info.isreg() else None
            if source is None:
                raise _unusable(archive, f"“{info.name}” in it is a link or a device")
            yield _Member(info.name, info.size, partial(closing, source))
        if file.fileobj is not None:
            file.fileobj.read(_MAX_PADDING_BYTES)  # a compressed file's checksum stands behind its padding


def _inner_path(archive: Path, name: str) -> PurePosixPath:
    """Return the member's path, refused where it could lead anywhere but down."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0] or "\0" in name:
        raise _unusable(archive, f"“{name}” in it leads out of the folder")
    return path


def _is_of_macos(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts[0] == "__MACOSX" or path.name.startswith("._")


def _copy_exactly(archive: Path, source: IO[bytes], target: IO[bytes], member: _Member) -> None:
    """Copy, and refuse a member that holds more than it said: what it said was checked against the limit."""
    shutil.copyfileobj(_Limited(source, member.size_bytes), target)
    if target.tell() != member.size_bytes or source.read(1):
        raise _unusable(archive, f"“{member.name}” in it has another size than it says")


class _Limited:
    """The first bytes of a stream."""

    def __init__(self, source: IO[bytes], size_bytes: int) -> None:
        self._source = source
        self._left = size_bytes

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def _unusable(archive: Path, detail: str) -> ModelError:
    return ModelError("model.export_unreadable", path=str(archive), detail=detail)

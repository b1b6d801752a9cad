"""Uploads that come in pieces: a growing file and its description. The file's size is the offset."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from errors import RequestError
from store.files import Storage
from store.tables import new_id
from web.names import display_name
from web.receive import ReceivedFile

_PIECE_BYTES = 1024**2


@dataclass(frozen=True)
class PartialUpload:
    """An upload under way.

    Attributes
    ----------
    length : bytes that it will have in the end.
    name : what the user calls the file.
    """

    upload_id: str
    path: Path
    length: int
    name: str

    @property
    def offset(self) -> int:
        """The bytes that have arrived."""
        return self.path.stat().st_size

    def expires_at(self, expiry_s: float) -> datetime:
        """Return when it is deleted if no more bytes arrive."""
        return datetime.fromtimestamp(self.path.stat().st_mtime + expiry_s, timezone.utc)

    def received(self) -> ReceivedFile:
        """Return the finished file; reads all of it for its hash.

        Raises
        ------
        RequestError
            when bytes are missing.
        """
        if self.offset < self.length:
            raise RequestError("upload.incomplete", status=409, received=self.offset, length=self.length)
        digest = hashlib.sha256()
        with self.path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
        return ReceivedFile(self.path, self.name, self.length, digest.hexdigest())


def create(storage: Storage, *, length: int, name: str | None) -> PartialUpload:
    """Start an upload of ``length`` bytes."""
    upload_id = new_id()
    storage.incoming_dir.mkdir(parents=True, exist_ok=True)
    upload = PartialUpload(upload_id, storage.upload_path(upload_id), length, display_name(name))
    upload.path.touch(exist_ok=False)
    storage.upload_info_path(upload_id).write_text(json.dumps({"length": length, "name": upload.name}), "utf-8")
    return upload


def find(storage: Storage, upload_id: str, *, expiry_s: float, now: datetime) -> PartialUpload:
    """Return an upload under way.

    Raises
    ------
    RequestError
        when there is none, or it has expired.
    """
    try:
        info = json.loads(storage.upload_info_path(upload_id).read_text("utf-8"))
        upload = PartialUpload(upload_id, storage.upload_path(upload_id), info["length"], info["name"])
        is_expired = upload.expires_at(expiry_s) < now
    except (FileNotFoundError, ValueError) as error:
        raise RequestError("upload.not_found", status=404) from error
    if is_expired:
        remove(storage, upload_id)
        raise RequestError("upload.not_found", status=404)
    return upload


def remove(storage: Storage, upload_id: str) -> None:
    """Delete an upload under way; nothing happens where there is none."""
    storage.upload_info_path(upload_id).unlink(missing_ok=True)
    storage.upload_path(upload_id).unlink(missing_ok=True)


@contextmanager
def locked(upload: PartialUpload) -> Iterator[None]:
    """Keep other requests, in this process and others, from the upload.

    Raises
    ------
    RequestError
        with status 423 when another one has it; with 404 when it was finished or deleted meanwhile.
    """
    try:
        handle = os.open(upload.path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise RequestError("upload.not_found", status=404) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RequestError("upload.busy", status=423) from error
        if os.fstat(handle).st_nlink == 0 or not upload.path.exists():
            raise RequestError("upload.not_found", status=404)
        yield
    finally:
        os.close(handle)


def remove_expired(storage: Storage, *, expiry_s: float, now: datetime) -> None:
    """Delete what has not grown for ``expiry_s`` seconds, also what a killed server left."""
    if not storage.incoming_dir.is_dir():
        return
    oldest = now.timestamp() - expiry_s
    for path in storage.incoming_dir.iterdir():
        with suppress(FileNotFoundError):
            touched = max(
                part.stat().st_mtime for part in (path, path.with_suffix(".part")) if part == path or part.exists()
            )
            if touched < oldest:
                path.unlink()

"""Files that come inside a multipart form, written straight to where they stay."""

from __future__ import annotations

import errno
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from flask import Flask, Request, request

from errors import RequestError
from store.tables import new_id
from web.security import MAX_FORM_BYTES
from web.services import services

UPLOAD_ENDPOINTS = frozenset({"pages.add_video", "api.add_video"})
"""The views that take files; forms sent to other views never reach the disk."""

_MAX_FORM_PARTS = 100


@dataclass(frozen=True)
class ReceivedFile:
    """A file that has arrived in full.

    Attributes
    ----------
    name : what the user calls it; see `web.names.display_name`.
    sha256 : hexadecimal.
    """

    path: Path
    name: str
    size_bytes: int
    sha256: str


class IncomingFile(io.RawIOBase):
    """A file in the making: counts and hashes what is written to it.

    Parameters
    ----------
    path : where it lies; it must not exist yet.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._file = path.open("xb", buffering=0)

    @property
    def sha256(self) -> str:
        """The hash of what was written so far, hexadecimal."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Do nothing: the form parser rewinds a finished file, and nobody reads it through this object."""
        return 0

    def write(self, data: object) -> int:
        """Append ``data``, a bytes-like object.

        Raises
        ------
        RequestError
            when the disk is full.
        """
        view = memoryview(cast("bytes", data))
        self._hash.update(view)
        self.size_bytes += len(view)
        write_all(self._file, view)
        return len(view)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def write_all(file: IO[bytes] | io.FileIO, data: memoryview | bytes) -> None:
    """Write all of ``data`` to an unbuffered file.

    Raises
    ------
    RequestError
        when the disk is full.
    """
    view = memoryview(data)
    try:
        while len(view):
            view = view[file.write(view) or 0 :]
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = services().disk_free_bytes()
        raise RequestError("upload.no_space", status=507, free_bytes=free, length=free + len(view)) from error


class IncomingRequest(Request):
    """A request whose form writes its files to the data folder.

    What no view has taken by the end of the request is deleted.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed through unread
        self.incoming: list[IncomingFile] = []

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self.endpoint not in UPLOAD_ENDPOINTS:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        storage = services().storage
        storage.incoming_dir.mkdir(parents=True, exist_ok=True)
        file = IncomingFile(storage.upload_path(new_id()))
        self.incoming.append(file)
        return cast("IO[bytes]", file)


def received_files(field: str) -> list[ReceivedFile]:
    """Return the files of a form field; one that was left empty, without a name, is no file."""
    found = []
    for item in request.files.getlist(field):
        if item.filename and isinstance(item.stream, IncomingFile):
            stream = item.stream
            found.append(ReceivedFile(stream.path, item.filename, stream.size_bytes, stream.sha256))
    return found


def _prepare() -> None:
    if request.endpoint not in UPLOAD_ENDPOINTS:
        return
    limit = services().settings.max_upload_bytes
    request.max_content_length = limit + MAX_FORM_BYTES
    request.max_form_parts = _MAX_FORM_PARTS
    length = request.content_length or 0
    if length > limit + MAX_FORM_BYTES:
        raise RequestError("media.too_large", status=413, limit_bytes=limit)
    check_space(length)


def check_space(length: int) -> None:
    """Refuse ``length`` bytes that the disk cannot take.

    Raises
    ------
    RequestError
        with status 507.
    """
    free = services().disk_free_bytes()
    if length > free:
        raise RequestError("upload.no_space", status=507, free_bytes=free, length=length)


def _remove_what_was_not_taken(_error: BaseException | None) -> None:
    for file in getattr(request, "incoming", ()):
        file.close()
        file.path.unlink(missing_ok=True)


def init_receive(app: Flask) -> None:
    """Let forms write their files to the data folder, and clean up after each request."""
    app.request_class = IncomingRequest
    app.before_request(_prepare)
    app.teardown_request(_remove_what_was_not_taken)

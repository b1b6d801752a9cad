"""A zip file that is written while it is sent, so that it needs neither memory nor room on the disk."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Contents = Iterable[tuple[str, Iterable[bytes]]]
"""The name and the pieces of each file."""

MANIFEST = "manifest.json"
_NOT_STATED = (1980, 1, 1, 0, 0, 0)  # the earliest time that the format has, so that equal contents give equal files


class _Sink(io.RawIOBase):
    """Takes what a zip file writes until it is sent; cannot seek, so sizes follow the data."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        pieces = b"".join(self._pieces)
        self._pieces.clear()
        return pieces


def stream_zip(contents: Contents, about: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield a zip file of ``contents`` and of a manifest: ``about``, and the size and SHA-256 of every file.

    Nothing is compressed: pictures and films are already.
    """
    sink, listed = _Sink(), []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as target:
        for name, pieces in contents:
            size, digest = 0, hashlib.sha256()
            with target.open(zipfile.ZipInfo(name, _NOT_STATED), "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    yield sink.take()
            listed.append({"name": name, "bytes": size, "sha256": digest.hexdigest()})
        manifest = json.dumps({**about, "files": listed}, ensure_ascii=False, indent=1)
        target.writestr(zipfile.ZipInfo(MANIFEST, _NOT_STATED), manifest + "\n")
    yield sink.take()

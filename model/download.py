"""Downloading one file: resumed where it broke off, checked before it gets its name."""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from errors import ModelError

CHUNK_BYTES = 1 << 18
MAX_BYTES = 4 * 1024**3

_ATTEMPTS = 4
_TIMEOUT_S = 30.0
_PAUSE_S = 1.0
_USER_AGENT = "resight-model-pull"

_BROKEN = (urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)
"""What a network does; other errors of the system are about files here."""

OnProgress = Callable[[int, "int | None"], None]
"""Called with the bytes that are there and, where it is known, how many it will be."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a file must turn out to be.

    Attributes
    ----------
    sha256 : 64 hexadecimal digits; empty: any.
    sha256_start : the first digits; empty: any.
    size_bytes : None: any up to ``max_bytes``.
    """

    sha256: str = ""
    sha256_start: str = ""
    size_bytes: int | None = None
    max_bytes: int = MAX_BYTES

    def check(self, path: Path, sha256: str, size_bytes: int) -> None:
        """Refuse a file that is something else.

        Raises
        ------
        ModelError
            with what was wanted and what was found.
        """
        if self.size_bytes is not None and size_bytes != self.size_bytes:
            raise ModelError("pull.wrong_size", path=str(path), size=size_bytes, wanted=self.size_bytes)
        wanted = self.sha256 or self.sha256_start
        if not sha256.startswith(wanted):
            raise ModelError("pull.wrong_hash", path=str(path), found=sha256, wanted=wanted)


class Downloader:
    """Fetches files over HTTP.

    Parameters
    ----------
    attempts : how often a broken connection is taken up again.
    timeout_s : seconds without a byte after which a connection counts as broken.
    pause_s : seconds before the second attempt, doubled for each further one.
    free_bytes : says how much room a folder has.
    """

    def __init__(
        self,
        *,
        attempts: int = _ATTEMPTS,
        timeout_s: float = _TIMEOUT_S,
        pause_s: float = _PAUSE_S,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._attempts = attempts
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._free_bytes = free_bytes
        self._opener = urllib.request.build_opener(_CarefulRedirects)

    def fetch(
        self, url: str, target: Path, wanted: Wanted, *, on_progress: OnProgress = lambda done, total: None
    ) -> str:
        """Download ``url`` to ``target`` and return its SHA-256.

        Until it is complete and checked, the file is ``target`` with ``.part``
        behind it; a later call goes on from there. ``target`` appears at once and
        whole, or not at all.

        Raises
        ------
        ModelError
            when the server cannot be reached, refuses, breaks off for good or
            sends something else than wanted, and when the disk is full.
        OSError
            when the folder cannot be written to.
        """
        part = _Part(target, url)
        fault: Exception | None = None
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(self._pause_s * 2 ** (attempt - 1))
            try:
                self._continue(part, wanted, on_progress)
                break
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise ModelError("pull.refused", url=url, status=error.code, reason=str(error.reason)) from error
                fault = error
            except _BROKEN as error:
                fault = error
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise self._no_space(target.parent, 0) from error
                raise
        else:
            raise self._unreachable(part, fault) from fault
        sha256, size_bytes = hash_file(part.path)
        try:
            wanted.check(target, sha256, size_bytes)
        except ModelError:
            part.forget()
            raise
        part.path.replace(target)
        part.forget()
        return sha256

    def _continue(self, part: _Part, wanted: Wanted, on_progress: OnProgress) -> None:
        """Fetch what is missing; return when all of it is there."""
        have = part.usable_bytes()
        request = urllib.request.Request(part.url, headers={"User-Agent": _USER_AGENT})  # noqa: S310  # checked in open
        if have:
            request.add_header("Range", f"bytes={have}-")
            request.add_header("If-Range", part.validator)
        try:
            response = self._open(request)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            error.close()
            if error.headers.get("Content-Range", "") == f"bytes */{have}":
                return  # nothing is missing
            part.forget()
            raise http.client.HTTPException("the file changed meanwhile") from error
        with response:
            if response.status != HTTPStatus.PARTIAL_CONTENT or not _begins_at(response, have):
                have = 0
            length = response.headers.get("Content-Length")
            total = None if length is None else have + int(length)
            self._check_room(part, wanted, total, have)
            part.begin(response, keep=have > 0)
            with part.path.open("ab" if have else "wb") as file:
                received = have + _copy(response, file, wanted.max_bytes - have, have, total, on_progress)
            if received > wanted.max_bytes:
                part.forget()
                raise ModelError("pull.too_large", url=part.url, limit=wanted.max_bytes)
            if total is not None and received < total:
                raise http.client.HTTPException(f"the connection ended after {received} of {total} bytes")

    def _open(self, request: urllib.request.Request) -> Any:
        if urlsplit(request.full_url).scheme not in ("http", "https"):
            raise ModelError("pull.refused", url=request.full_url, status=0, reason="only http and https are fetched")
        return self._opener.open(request, timeout=self._timeout_s)

    def _check_room(self, part: _Part, wanted: Wanted, total: int | None, have: int) -> None:
        if total is not None and total > wanted.max_bytes:
            raise ModelError("pull.too_large", url=part.url, limit=wanted.max_bytes)
        missing = (total or have) - have
        if missing > self._free_bytes(part.path.parent):
            raise self._no_space(part.path.parent, missing)

    def _no_space(self, folder: Path, missing: int) -> ModelError:
        return ModelError("pull.no_space", path=str(folder), missing=missing, free=self._free_bytes(folder))

    def _unreachable(self, part: _Part, fault: Exception | None) -> ModelError:
        reason = getattr(fault, "reason", None) or fault
        have = part.path.stat().st_size if part.path.exists() else 0
        host = urlsplit(part.url).hostname or part.url
        code = "pull.interrupted" if have else "pull.offline"
        return ModelError(code, host=host, detail=str(reason), url=part.url, path=str(part.target), have=have)


class _Part:
    """A file that is not complete yet, and beside it what it is a part of."""

    def __init__(self, target: Path, url: str) -> None:
        self.target = target
        self.url = url
        self.path = target.with_name(f"{target.name}.part")
        self._facts = target.with_name(f"{target.name}.part.json")
        self.validator = ""

    def usable_bytes(self) -> int:
        """Return how many bytes a download can go on from."""
        try:
            facts = json.loads(self._facts.read_bytes())
            self.validator = str(facts["validator"]) if facts["url"] == self.url else ""
        except (OSError, ValueError, KeyError, TypeError):
            self.validator = ""
        return self.path.stat().st_size if self.validator and self.path.exists() else 0

    def begin(self, response: Any, *, keep: bool) -> None:
        """Note by what a later attempt can tell that the file is still the same."""
        if keep:
            return
        tag = response.headers.get("ETag", "")
        self.validator = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
        self._facts.write_text(json.dumps({"url": self.url, "validator": self.validator}), "utf-8")

    def forget(self) -> None:
        """Remove everything of it."""
        self.path.unlink(missing_ok=True)
        self._facts.unlink(missing_ok=True)


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but not from https to something that anybody on the way may change."""

    def redirect_request(self, request: Any, file: Any, code: int, message: str, headers: Any, url: str) -> Any:
        if urlsplit(request.full_url).scheme == "https" and urlsplit(url).scheme != "https":
            raise ModelError("pull.refused", url=url, status=code, reason="https was redirected to something less safe")
        return super().redirect_request(request, file, code, message, headers, url)


def _begins_at(response: Any, have: int) -> bool:
    return str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _copy(response: Any, file: IO[bytes], limit: int, have: int, total: int | None, on_progress: OnProgress) -> int:
    """Copy at most one chunk beyond ``limit`` and return how many bytes came."""
    received = 0
    while received <= limit and (chunk := response.read(CHUNK_BYTES)):
        file.write(chunk)
        received += len(chunk)
        on_progress(have + received, total)
    return received


def hash_file(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file in hexadecimal digits, and its size in bytes."""
    digest = hashlib.sha256()
    size_bytes = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
    return digest.hexdigest(), size_bytes

"""Asking a running site, through its JSON API, where else somebody in a picture was seen."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import numpy as np

from errors import DataError
from records import Image
from reid.found import Found

_TIMEOUT_S = 30.0
_PATIENCE_S = 120.0
_POLL_S = 0.2
_PAGE = 200
_MAX_ANSWER_BYTES = 64 * 1024**2
_DONE, _ENDED = "done", ("failed", "cancelled")

Fields = dict[str, Any]


class Site:
    """A running site.

    Parameters
    ----------
    address : e.g. ``http://127.0.0.1:8000``.
    patience_s : seconds to wait for the site to look at the pictures.

    Raises
    ------
    ValueError
        for an address that is not http or https.
    """

    def __init__(self, address: str, *, patience_s: float = _PATIENCE_S) -> None:
        if urlsplit(address).scheme not in ("http", "https"):
            raise ValueError(f"“{address}” is no address of a site; it begins with http:// or https://")
        self._address = address if address.endswith("/") else f"{address}/"
        self._patience_s = patience_s

    def search(self, pictures: Sequence[Path], *, top: int, min_score: float, rerank: bool) -> list[Found]:
        """Return where the largest person of each picture, taken for the same one, was seen; the best first.

        The pictures are deleted from the site afterwards.

        Raises
        ------
        DataError
            when the site cannot be reached, refuses, or finds nobody in the pictures.
        """
        query = self._ask("POST", "api/v1/search/queries", *_form_of(pictures))
        try:
            people = self._people_in(query)
            return self._answers(people, top=top, min_score=min_score, rerank=rerank)
        finally:
            self._ask("DELETE", query["url"])

    def picture(self, address: str) -> Image:
        """Return a picture of the site, (h, w, 3) uint8 BGR.

        Raises
        ------
        DataError
            when it cannot be fetched or is no picture.
        """
        import cv2

        content = np.frombuffer(self._fetch("GET", address), np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
        if image is None:
            raise DataError("data.unreadable", path=address, what="a picture", detail="OpenCV cannot decode it")
        return np.asarray(image, np.uint8)

    def _people_in(self, query: Fields) -> list[str]:
        """Wait until the site has looked at the pictures; return the largest person of each."""
        deadline_s = time.monotonic() + self._patience_s
        while query["state"] != _DONE:
            if query["state"] in _ENDED:
                raise DataError("site.refused", address=self._address, detail=(query["error"] or {}).get("message", ""))
            if time.monotonic() > deadline_s:
                raise DataError("site.slow", address=self._address, limit_s=round(self._patience_s))
            time.sleep(_POLL_S)
            query = self._ask("GET", query["url"])
        largest: dict[int, str] = {}
        for person in sorted(query["people"], key=lambda one: int(one["number"])):
            largest.setdefault(person["picture"], person["id"])
        if not largest:
            raise DataError("site.nobody", address=self._address)
        return list(largest.values())

    def _answers(self, people: list[str], *, top: int, min_score: float, rerank: bool) -> list[Found]:
        found: list[Found] = []
        fields: Fields = {"person": people, "least": min_score, "rerank": str(rerank).lower()}
        has_more = True
        while has_more and len(found) < top:
            part = {**fields, "limit": min(_PAGE, top - len(found)), "offset": len(found)}
            page = self._ask("GET", f"api/v1/search?{urlencode(part, doseq=True)}")
            found += [self._found(answer, len(found) + place) for place, answer in enumerate(page["answers"], start=1)]
            has_more = page["has_more"]
        return found

    def _found(self, answer: Fields, rank: int) -> Found:
        track = answer["track"]
        identity = track["identity"]
        camera = (track["camera"] or {}).get("name", "")
        when = track["started_at"] or f"{track['first_s']:.1f} s"
        return Found(
            rank=rank,
            score=float(answer["similarity"]),
            identity="" if identity is None else identity["name"] or f"#{identity['id']}",
            place=" · ".join(part for part in (camera, when, track["video_name"]) if part),
            address=urljoin(self._address, track["moment_url"]),
            word=answer["word"],
            load=partial(self.picture, track["crop_url"]),
        )

    def _ask(self, method: str, address: str, body: bytes | None = None, content_type: str = "") -> Fields:
        content = self._fetch(method, address, body, content_type)
        if not content:
            return {}
        try:
            answer: Fields = json.loads(content)
        except ValueError as error:
            raise DataError("site.unreachable", address=self._address, detail="it is no Resight site") from error
        return answer

    def _fetch(self, method: str, address: str, body: bytes | None = None, content_type: str = "") -> bytes:
        request = urllib.request.Request(  # noqa: S310  # checked when it was made
            urljoin(self._address, address), data=body, method=method, headers={"Accept": "application/json"}
        )
        if body is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
                content: bytes = response.read(_MAX_ANSWER_BYTES)
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise DataError("site.refused", address=self._address, detail=_sentence_of(error)) from error
        except OSError as error:
            detail = str(getattr(error, "reason", error))
            raise DataError("site.unreachable", address=self._address, detail=detail) from error


def _sentence_of(error: urllib.error.HTTPError) -> str:
    """Return what the site says is wrong, or the bare status where something else answers there."""
    try:
        answer: Mapping[str, Any] = json.loads(error.read(_MAX_ANSWER_BYTES))
        return str(answer["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"


def _form_of(pictures: Sequence[Path]) -> tuple[bytes, str]:
    """Return a multipart form with the pictures, and its content type.

    Raises
    ------
    DataError
        for a file that is not there.
    """
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for place, path in enumerate(pictures):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError("data.file_missing", dataset="the query", path=str(path)) from error
        name = f"query-{place}{path.suffix if path.suffix.isascii() else ''}".replace('"', "")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        parts += [head.encode(), content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"

"""Resumable uploads by the tus protocol, and what becomes of them."""

from __future__ import annotations

import base64
import fcntl
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.web.sites import Site

TUS = {"Tus-Resumable": "1.0.0"}
NewSite = Callable[..., Site]


def start(site: Site, length: int, *, name: str = "夜 🚶.mp4") -> str:
    """Start an upload and return its address."""
    metadata = f"filename {base64.b64encode(name.encode()).decode()},filetype dmlkZW8vbXA0"
    answer = site.client.post(
        "/api/v1/uploads", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
    )
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def append(site: Site, address: str, offset: int, content: bytes, **headers: str) -> TestResponse:
    """Send bytes to an upload."""
    given = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **headers}
    return site.client.patch(address, data=content, headers=given)


def finish(site: Site, address: str, **fields: str) -> TestResponse:
    """Make a video of an upload."""
    body = {"upload_id": address.rpartition("/")[2], "camera": "gate", **fields}
    return site.client.post("/api/v1/videos", json=body)


def error_code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


def test_options_tell_version_extensions_and_limit(new_site: NewSite) -> None:
    site = new_site(max_upload_bytes=12345)
    answer = site.client.options("/api/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,expiration,termination"
    assert answer.headers["Tus-Max-Size"] == "12345"


def test_a_video_arrives_in_pieces(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    address = start(site, len(content))
    assert address.startswith("/api/v1/uploads/")
    for offset in range(0, len(content), 1000):
        assert int(site.client.head(address, headers=TUS).headers["Upload-Offset"]) == offset
        answer = append(site, address, offset, content[offset : offset + 1000])
        assert answer.status_code == 204
        assert answer.headers["Upload-Offset"] == str(min(offset + 1000, len(content)))
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    head = site.client.head(address, headers=TUS)
    assert head.headers["Upload-Length"] == str(len(content))
    assert head.headers["Cache-Control"] == "no-store"
    answer = finish(site, address, started_at="2026-11-21T08:00:00Z")
    assert answer.status_code == 201
    video = answer.get_json()
    assert video["name"] == "夜 🚶.mp4"
    assert site.services.storage.source_path(video["id"]).read_bytes() == content
    assert not any(name.startswith("incoming/") for name in site.files())
    assert error_code(finish(site, address)) == (404, "upload.not_found")


def test_a_wrong_offset_changes_nothing(site: Site) -> None:
    address = start(site, 10)
    assert append(site, address, 0, b"01234").status_code == 204
    for offset in (0, 4, 6, 10, 99):
        answer = append(site, address, offset, b"abc")
        assert error_code(answer) == (409, "upload.offset")
        assert answer.get_json()["error"]["params"] == {"expected": 5, "got": offset}
    assert site.client.head(address, headers=TUS).headers["Upload-Offset"] == "5"


def test_more_bytes_than_announced_are_refused(site: Site) -> None:
    address = start(site, 10)
    assert append(site, address, 0, b"0123456").status_code == 204
    assert error_code(append(site, address, 7, b"789x")) == (413, "upload.too_long")
    assert site.client.head(address, headers=TUS).headers["Upload-Offset"] == "7"
    assert append(site, address, 7, b"789").status_code == 204
    assert append(site, address, 10, b"").status_code == 204


def test_an_incomplete_upload_makes_no_video_and_can_go_on(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    address = start(site, len(content))
    append(site, address, 0, content[:100])
    answer = finish(site, address)
    assert error_code(answer) == (409, "upload.incomplete")
    assert answer.get_json()["error"]["params"] == {"received": 100, "length": len(content)}
    append(site, address, 100, content[100:])
    assert finish(site, address).status_code == 201


def test_an_upload_that_is_no_video_is_refused_and_deleted(site: Site) -> None:
    address = start(site, 4)
    append(site, address, 0, b"text")
    assert error_code(finish(site, address)) == (422, "media.not_video")
    assert site.files() == []


def test_a_mistake_in_the_form_keeps_the_upload(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    address = start(site, len(content))
    append(site, address, 0, content)
    assert error_code(finish(site, address, started_at="yesterday")) == (422, "request.time")
    assert finish(site, address).status_code == 201


def test_an_empty_upload_is_a_sentence(site: Site) -> None:
    assert error_code(finish(site, start(site, 0))) == (422, "media.empty")
    assert site.files() == []


def test_a_given_up_upload_is_gone(site: Site) -> None:
    address = start(site, 10)
    append(site, address, 0, b"0123")
    assert site.client.delete(address, headers=TUS).status_code == 204
    assert site.files() == []
    assert site.client.head(address, headers=TUS).status_code == 404
    assert error_code(append(site, address, 4, b"4")) == (404, "upload.not_found")


def test_an_upload_that_nobody_continues_expires(new_site: NewSite) -> None:
    site = new_site(upload_expiry_s=60)
    address = start(site, 10)
    answer = append(site, address, 0, b"0123")
    expires = parsedate_to_datetime(answer.headers["Upload-Expires"])
    assert abs(expires - datetime.now(timezone.utc) - timedelta(seconds=60)) < timedelta(seconds=10)
    site.exchange_services(now=lambda: expires - timedelta(seconds=5))
    assert site.client.head(address, headers=TUS).status_code == 200
    site.exchange_services(now=lambda: expires + timedelta(seconds=5))
    assert site.client.head(address, headers=TUS).status_code == 404
    assert site.files() == []


def test_expired_uploads_are_deleted_when_another_one_starts(new_site: NewSite) -> None:
    site = new_site(upload_expiry_s=60)
    start(site, 10)
    left_by_a_killed_server = site.services.storage.upload_path("0" * 32)
    left_by_a_killed_server.write_bytes(b"half a form")
    site.exchange_services(now=lambda: datetime.now(timezone.utc) + timedelta(seconds=100))
    start(site, 10)
    assert len(site.files()) == 2  # the new one and its description
    assert not left_by_a_killed_server.exists()


def test_two_requests_cannot_write_at_once(site: Site) -> None:
    address = start(site, 10)
    with site.services.storage.upload_path(address.rpartition("/")[2]).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert error_code(append(site, address, 0, b"0123")) == (423, "upload.busy")
        assert error_code(site.client.delete(address, headers=TUS)) == (423, "upload.busy")
        assert error_code(finish(site, address)) == (423, "upload.busy")
    assert append(site, address, 0, b"0123").status_code == 204


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Upload-Length": "10"}, (412, "upload.version")),
        ({**TUS, "Tus-Resumable": "0.2.2", "Upload-Length": "10"}, (412, "upload.version")),
        (TUS, (400, "request.header")),
        ({**TUS, "Upload-Length": "-1"}, (400, "request.header")),
        ({**TUS, "Upload-Length": "1e3"}, (400, "request.header")),
        ({**TUS, "Upload-Length": "٣"}, (400, "request.header")),
        ({**TUS, "Upload-Length": "9" * 30}, (400, "request.header")),
        ({**TUS, "Upload-Length": "9" * 18}, (413, "media.too_large")),
        ({**TUS, "Upload-Length": "10", "Upload-Metadata": "filename ???"}, (400, "request.header")),
        ({**TUS, "Upload-Length": "10", "Upload-Metadata": "filename /w=="}, (400, "request.header")),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(site: Site, headers: dict[str, str], expected: Any) -> None:
    latin = {name: value.encode("utf-8").decode("latin-1") for name, value in headers.items()}
    assert error_code(site.client.post("/api/v1/uploads", headers=latin)) == expected
    assert site.files() == []


def test_a_piece_of_another_type_is_refused(site: Site) -> None:
    address = start(site, 10)
    answer = append(site, address, 0, b"0123", **{"Content-Type": "text/plain"})
    assert error_code(answer) == (415, "request.media_type")


def test_a_full_disk_is_seen_at_the_start(site: Site) -> None:
    site.exchange_services(free_bytes=lambda: 9)
    answer = site.client.post("/api/v1/uploads", headers={**TUS, "Upload-Length": "10"})
    assert error_code(answer) == (507, "upload.no_space")


@pytest.mark.parametrize("upload_id", ["0" * 32, "../../resight", "%2e%2e%2f", "A" * 32, "0" * 31, "0" * 33])
def test_unknown_uploads_are_not_found(site: Site, upload_id: str) -> None:
    address = f"/api/v1/uploads/{upload_id}"
    for answer in (append(site, address, 0, b"x"), site.client.delete(address, headers=TUS)):
        assert answer.status_code == 404
    body = {"upload_id": upload_id, "camera": "gate"}
    assert error_code(site.client.post("/api/v1/videos", json=body)) == (404, "upload.not_found")


def test_a_form_sent_elsewhere_writes_nothing(site: Site) -> None:
    data = {"file": (BytesIO(b"x" * 1000), "a.mp4")}
    assert site.client.post("/language", data=data).status_code in (303, 400)
    assert site.files() == []

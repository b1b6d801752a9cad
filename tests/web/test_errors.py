"""Every error of the API has one shape; every error of a page is a page."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import text

from tests.web.sites import Site

ID = "0" * 32
REFUSED = [
    ("GET", "/api/v1/nothing", {}, 404),
    ("GET", "/api/v1", {}, 404),
    ("GET", f"/api/v1/videos/{ID}", {}, 404),
    ("GET", "/api/v1/videos/1", {}, 404),
    ("GET", "/api/v1/videos/%00", {}, 404),
    ("GET", f"/api/v1/videos/{ID}/tracks", {}, 404),
    ("GET", f"/api/v1/videos/{ID}/boxes", {}, 404),
    ("GET", f"/api/v1/videos/{ID}/poster.jpg", {}, 404),
    ("GET", f"/api/v1/videos/{ID}/playback.mp4", {}, 404),
    ("GET", f"/api/v1/jobs/{ID}", {}, 404),
    ("POST", f"/api/v1/jobs/{ID}/cancel", {}, 404),
    ("POST", f"/api/v1/jobs/{ID}/retry", {}, 404),
    ("POST", f"/api/v1/videos/{ID}/jobs", {}, 404),
    ("PATCH", f"/api/v1/videos/{ID}", {"json": {}}, 404),
    ("DELETE", f"/api/v1/videos/{ID}", {}, 404),
    ("PUT", "/api/v1/videos", {}, 405),
    ("POST", "/api/v1/cameras", {}, 405),
    ("DELETE", "/api/v1/jobs", {}, 405),
    ("GET", "/api/v1/jobs?limit=-1", {}, 422),
    ("POST", "/api/v1/videos", {"json": {"camera": "gate"}}, 422),
    ("POST", "/api/v1/videos", {"json": ["x"]}, 422),
    ("POST", "/api/v1/videos", {"json": None}, 422),
    ("POST", "/api/v1/videos", {"data": "{", "content_type": "application/json"}, 400),
    ("POST", "/api/v1/videos", {"data": "x", "content_type": "text/plain"}, 422),
    ("POST", "/api/v1/videos", {"data": "x", "content_type": "multipart/form-data"}, 422),
    ("POST", f"/api/v1/videos/{ID}/jobs", {"data": "{", "content_type": "application/json"}, 400),
    ("POST", f"/api/v1/videos/{ID}/jobs", {"data": "x", "content_type": "text/plain"}, 415),
    ("PATCH", f"/api/v1/videos/{ID}", {"data": b"\xff\xfe", "content_type": "application/json"}, 400),
    ("PATCH", f"/api/v1/videos/{ID}", {"data": b" " * 2_000_000, "content_type": "application/json"}, 413),
    ("POST", "/api/v1/uploads", {}, 412),
    ("GET", "/api/v1/videos", {"headers": {"Host": "evil.example"}}, 400),
    ("POST", "/api/v1/videos", {"headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("method", "address", "request_options", "status"), REFUSED)
def test_api_errors_have_one_shape(
    site: Site, method: str, address: str, request_options: dict[str, Any], status: int, language: str
) -> None:
    headers = {"Accept-Language": language, **request_options.get("headers", {})}
    answer = site.client.open(address, method=method, **{**request_options, "headers": headers})
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    body = answer.get_json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "params"}
    assert "%(" not in body["error"]["message"]
    assert "<" not in body["error"]["message"]
    assert body["error"]["code"].partition(".")[0] in ("request", "upload", "media")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_wrong_method_names_the_right_ones(site: Site) -> None:
    assert "GET" in site.client.put("/api/v1/videos").headers["Allow"]


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [("GET", "/nothing", 404), ("GET", f"/videos/{ID}", 404), ("GET", "/videos/x", 404), ("PUT", "/jobs", 405)],
)
def test_page_errors_are_pages(site: Site, method: str, address: str, status: int) -> None:
    answer = site.client.open(address, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "</html>" in answer.text


def test_an_internal_error_is_logged_and_tells_nothing(
    site: Site, video: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> int:
        raise ZeroDivisionError("a secret detail")

    site.exchange_services(free_bytes=broken)
    with caplog.at_level(logging.ERROR):
        answer = site.client.get("/api/v1/health")
    assert answer.status_code == 500
    assert answer.get_json()["error"]["code"] == "request.internal"
    assert "secret" not in answer.text
    assert "ZeroDivisionError: a secret detail" in caplog.text


def test_a_database_that_does_not_answer_is_a_503(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with site.session() as session:
        for table in ("track", "job", "video"):
            session.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
        session.commit()
    with caplog.at_level(logging.ERROR):
        answer = site.client.get("/api/v1/videos")
        page = site.client.get("/videos")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "request.database")
    assert answer.headers["Retry-After"] == "5"
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "no such table" in caplog.text

"""What keeps other sites, other host names and injected code out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.web.sites import Site
from web.security import host_name

NewSite = Callable[..., Site]
PAGES = ("/videos", "/jobs", "/api", "/nothing-here")


def token_of(site: Site, address: str = "/videos") -> str:
    """Return the form token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', site.client.get(address).text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "file://localhost"},
        {"Origin": "http://[broken"},
    ],
)
def test_changes_from_other_sites_are_refused(site: Site, video: dict[str, Any], headers: dict[str, str]) -> None:
    for call, address in (
        (site.client.delete, video["url"]),
        (site.client.patch, video["url"]),
        (site.client.post, video["job"]["cancel_url"]),
        (site.client.post, "/api/v1/uploads"),
        (site.client.post, f"{video['page_url']}/delete"),
    ):
        assert call(address, headers=headers).status_code == 403
    assert site.client.get(video["url"], headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Origin": "https://localhost"},
    ],
)
def test_the_own_pages_and_programs_pass(site: Site, video: dict[str, Any], headers: dict[str, str]) -> None:
    assert site.client.post(video["job"]["cancel_url"], headers=headers).status_code == 200


def test_a_cross_site_form_with_a_file_stores_nothing(site: Site, clip: Path) -> None:
    with clip.open("rb") as file:
        answer = site.client.post(
            "/videos", data={"camera": "gate", "file": (file, "a.mp4")}, headers={"Sec-Fetch-Site": "cross-site"}
        )
    assert answer.status_code == 403
    assert site.files() == []


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_forms_need_their_token(site: Site, video: dict[str, Any], clip: Path, token: str | None) -> None:
    data = {} if token is None else {"csrf_token": token}
    job, page = video["job"]["id"], video["page_url"]
    before = site.files()
    for address in (f"/jobs/{job}/cancel", f"/jobs/{job}/retry", f"{page}/run", f"{page}/delete", "/language"):
        answer = site.client.post(address, data=data)
        assert answer.status_code == 400
        assert "Reload the page" in answer.text
    with clip.open("rb") as file:
        assert site.client.post("/videos", data={**data, "camera": "g", "file": (file, "a.mp4")}).status_code == 400
    assert site.files() == before
    assert site.client.get(video["url"]).get_json() == video


def test_every_form_of_every_page_carries_a_token(site: Site, done_video: dict[str, Any]) -> None:
    for address in (*PAGES, done_video["page_url"]):
        text = site.client.get(address).text
        forms = re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL)
        assert forms
        assert all('name="csrf_token"' in form for form in forms)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.7:8000"])
def test_other_host_names_are_refused(site: Site, host: str) -> None:
    for address in ("/videos", "/api/v1/videos", "/static/css/base.css"):
        answer = site.client.get(address, headers={"Host": host})
        assert answer.status_code == 400
    assert "RESIGHT_TRUSTED_HOSTS" in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "cams.example"])
def test_own_host_names_pass(new_site: NewSite, host: str) -> None:
    site = new_site(trusted_hosts=("cams.example", ".inner.example"))
    assert site.client.get("/api/v1/videos", headers={"Host": host}).status_code == 200
    assert site.client.get("/api/v1/videos", headers={"Host": "a.inner.example:81"}).status_code == 200


def test_the_address_it_listens_on_is_an_own_name(new_site: NewSite) -> None:
    site = new_site(host="192.168.1.5")
    assert site.client.get("/api/v1/videos", headers={"Host": "192.168.1.5:8000"}).status_code == 200
    anywhere = new_site(host="0.0.0.0")  # noqa: S104  # nothing is bound
    assert anywhere.client.get("/api/v1/videos", headers={"Host": "0.0.0.0:8000"}).status_code == 400


def test_forwarded_headers_count_only_behind_a_proxy(new_site: NewSite) -> None:
    forwarded = {"X-Forwarded-Host": "cams.example", "X-Forwarded-Proto": "https"}
    bare = new_site(trusted_hosts=("cams.example",))
    proxied = new_site(trusted_hosts=("cams.example",), proxy_count=1)
    for site, origin, status in (
        (bare, "https://cams.example", 403),
        (proxied, "https://cams.example", 412),
        (proxied, "https://evil.example", 403),
    ):
        answer = site.client.post("/api/v1/uploads", headers={**forwarded, "Origin": origin})
        assert answer.status_code == status


@pytest.mark.parametrize("address", [*PAGES, "/api/v1/videos", "/api/v1/nothing", "/static/css/base.css"])
def test_every_answer_carries_the_protecting_headers(site: Site, address: str) -> None:
    headers = site.client.get(address).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_pages_hold_no_inline_code_and_no_foreign_address(site: Site, done_video: dict[str, Any]) -> None:
    for address in (*PAGES, done_video["page_url"]):
        text = site.client.get(address).text
        assert not re.search(r"<script(?![^>]*\bsrc=)(?! type=\"application/json\")[^>]*>", text), address
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), address
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), address


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(site: Site) -> None:
    cookies = site.client.get("/videos").headers.getlist("Set-Cookie")
    assert cookies
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)


@pytest.mark.parametrize(
    ("header", "name"),
    [("A.example:80", "a.example"), ("[::1]:8000", "[::1]"), ("[::1]", "[::1]"), ("x", "x"), ("", "")],
)
def test_host_name(header: str, name: str) -> None:
    assert host_name(header) == name

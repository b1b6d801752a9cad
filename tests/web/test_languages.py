"""Which language a reader gets, and the switch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from messages import MESSAGES
from tests.web.sites import Site
from tests.web.test_security import token_of
from web.languages import safe_next

NewSite = Callable[..., Site]


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-TW", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-Hant-HK", "zh-Hans"),
        ("en-GB,zh;q=0.5", "en"),
        ("de,zh;q=0.5", "zh-Hans"),
        ("de", "en"),
        ("", "en"),
        ("*", "en"),
        ("en;q=0.1,zh;q=0.9", "zh-Hans"),
        ("x" * 5000, "en"),
    ],
)
def test_the_browser_chooses(site: Site, wanted: str, language: str) -> None:
    for address in ("/videos", "/api/v1/nothing"):
        answer = site.client.get(address, headers={"Accept-Language": wanted})
        assert answer.headers["Content-Language"] == language
        assert {"accept-language", "cookie"} <= {name.lower() for name in answer.vary}
    assert f'<html lang="{language}">' in site.client.get("/videos", headers={"Accept-Language": wanted}).text


def test_the_site_has_a_language_for_all_others(new_site: NewSite) -> None:
    site = new_site(default_language="zh")
    assert site.client.get("/videos", headers={"Accept-Language": "fr"}).headers["Content-Language"] == "zh-Hans"
    odd = new_site(default_language="klingon")
    assert odd.client.get("/videos").headers["Content-Language"] == "en"


def test_the_switch_is_remembered_and_goes_back(site: Site) -> None:
    data = {"csrf_token": token_of(site), "language": "zh", "next": "/jobs?page=2"}
    answer = site.client.post("/language", data=data)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs?page=2")
    english = {"Accept-Language": "en"}
    assert site.client.get("/jobs", headers=english).headers["Content-Language"] == "zh-Hans"
    site.client.post("/language", data={**data, "language": "klingon"})
    assert site.client.get("/jobs", headers=english).headers["Content-Language"] == "zh-Hans"


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "videos", "", None, "/a\r\nX: y", "\\\\e"]
)
def test_the_switch_leads_to_no_other_site(target: str | None) -> None:
    assert safe_next(target) == "/"


def test_every_sentence_is_rendered_with_the_parameters_it_names(site: Site) -> None:
    assert all(text.strip() == text and text for text in MESSAGES.values())
    with site.app.test_request_context(headers={"Accept-Language": "zh"}):
        from web.languages import sentence

        assert sentence("upload.offset", {"expected": 5}) == "upload.offset"
        assert sentence("no.such.code", {}) == "no.such.code"

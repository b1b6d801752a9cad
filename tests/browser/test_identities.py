"""The gallery by keyboard, a merge that is refused, allowed and undone, and the route of an identity."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import FRAME_COUNT, WALKER, add_result, make_video
from tests.browser.running_site import RunningSite, running_site
from tests.browser.watched_page import expect_complaints


@pytest.fixture(scope="module")
def walked_site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a site where one camera has two recordings of one moment, with a walker in each."""
    folder = tmp_path_factory.mktemp("walked")
    with running_site(folder / "data", "web") as running:
        for name in ("first.mkv", "second.mkv"):
            add_result(running, make_video(folder / name, [WALKER], frame_count=FRAME_COUNT))
        yield running


def numbers(site: RunningSite) -> list[int]:
    return sorted(one["id"] for one in site.get("/identities")["identities"])


def choose_all(page: Page) -> None:
    """Choose by keyboard alone: to the first card, Space, Shift and End."""
    first = page.locator(".identity-card").first
    first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+End")
    expect(page.locator("#choice-count")).to_have_text("2 chosen")


def test_two_are_merged_by_keyboard_and_the_merge_is_undone(open_page: Any, walked_site: RunningSite) -> None:
    before = walked_site.get("/identities")
    page = open_page()
    page.goto(f"{walked_site.url}/identities")
    expect(page.locator(".identity-card .badge-proposed")).to_have_count(2)
    expect(page.get_by_role("button", name="Merge")).to_be_disabled()
    choose_all(page)
    allow_refusal(page)
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("alert")).to_contain_text("same time")
    page.get_by_role("button", name="Join nevertheless").click()
    expect(page.locator(".identity-card")).to_have_count(1)
    assert walked_site.get("/identities")["total"] == 1
    page.get_by_role("button", name="Undo event").click()
    expect(page.locator(".identity-card")).to_have_count(2)
    assert walked_site.get("/identities") == before


def allow_refusal(page: Page) -> None:
    """Chromium notes every refused form in its console."""

    expect_complaints(page, "409")


def test_enter_opens_an_identity_whose_route_leads_to_the_playback(open_page: Any, walked_site: RunningSite) -> None:
    page = open_page()
    page.goto(f"{walked_site.url}/identities")
    page.locator(".identity-card").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where and when")).to_be_visible()
    bar = page.locator("#identity-axis a").first
    expect(bar).to_have_attribute("aria-label", "North gate, 04:00:00 PM, track 1: proposed")
    page.locator("#identity-name").fill("阿宝")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("阿宝")
    page.locator(".sighting-link").first.click()
    expect(page.locator("#followed [data-field=identity]")).to_have_text("阿宝 (proposed)")
    assert "track=1" in page.url

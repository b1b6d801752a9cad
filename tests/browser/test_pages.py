"""Every page: both languages, both themes, narrow and wide, keys and contrast."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.picture import open_video
from tests.browser.running_site import RunningSite

PHONE = {"width": 360, "height": 740}

# Effective contrast of every text on the page: WCAG 2 relative luminance, backgrounds looked up through the parents.
_LOW_CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parse = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const background = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] > 200) return colour;
    }
    return [255, 255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!hasText || !element.checkVisibility({ visibilityProperty: true }) || element.closest("script, template, option, .crop")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(parse(style.color)), luminance(background(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24;
    if (ratio < (isLarge ? 3 : 4.5)) low.push(`${element.tagName} ${element.className} “${element.textContent.trim().slice(0, 30)}” ${ratio.toFixed(2)}`);
  }
  return low;
}"""


@pytest.fixture
def addresses(site: RunningSite, tracked_video: dict[str, Any]) -> dict[str, str]:
    return {
        name: site.url + path
        for name, path in {
            "videos": "/videos",
            "jobs": "/jobs",
            "video": tracked_video["page_url"],
            "api": "/api",
        }.items()
    }


def visit(page: Page, url: str) -> None:
    page.goto(url)
    if page.locator("#video-page").count():
        open_video(page, url)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_scrolls_sideways_on_a_phone(open_page: Any, addresses: dict[str, str], language: str) -> None:
    page = open_page(viewport=PHONE, has_touch=True, locale=language)
    for name, url in addresses.items():
        visit(page, url)
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert excess <= 0, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(open_page: Any, addresses: dict[str, str], scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    for name, url in addresses.items():
        visit(page, url)
        assert page.evaluate(_LOW_CONTRAST) == [], name


def test_the_browsers_language_is_taken_and_the_switch_changes_it(open_page: Any, addresses: dict[str, str]) -> None:
    page = open_page(locale="zh-CN")
    page.goto(addresses["jobs"])
    expect(page.locator("h1")).to_have_text("任务")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Jobs")
    assert page.url == addresses["jobs"]
    page.goto(addresses["videos"])
    expect(page.locator("h1")).to_have_text("Videos")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("h1")).to_have_text("视频")


def test_scripts_speak_the_pages_language(open_page: Any, addresses: dict[str, str]) -> None:
    page = open_page(locale="zh-CN")
    visit(page, addresses["video"])
    page.locator("#strip [data-track]").first.click()
    expect(page.locator("#followed [data-field=title]")).to_have_text("行人 1")


def test_the_theme_follows_the_system_until_it_is_chosen(open_page: Any, addresses: dict[str, str]) -> None:
    page = open_page(color_scheme="dark")
    page.goto(addresses["videos"])
    brightness = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert page.evaluate(brightness) < 60
    switch = page.locator("#theme-switch")
    switch.click()
    assert page.evaluate(brightness) > 200
    page.reload()
    assert page.evaluate(brightness) > 200, "the choice is kept"
    switch.click()
    switch.click()
    assert page.evaluate(brightness) < 60


def test_everything_is_reached_by_tab_with_a_visible_focus(open_page: Any, addresses: dict[str, str]) -> None:
    page = open_page()
    for name, url in addresses.items():
        visit(page, url)
        page.keyboard.press("Tab")
        expect(page.locator(".skip-link")).to_be_focused()
        for _ in range(25):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                """() => {
                  const e = document.activeElement;
                  const holder = e.closest(".dropzone, .preset") ?? e;
                  return e === document.body || getComputedStyle(holder).outlineStyle !== "none" ? "" : e.outerHTML.slice(0, 120);
                }"""
            )
            assert seen == "", name


def test_controls_have_names_and_pictures_have_alternatives(open_page: Any, addresses: dict[str, str]) -> None:
    page = open_page()
    for name, url in addresses.items():
        visit(page, url)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, progress, [role=img], img")]
              .filter((e) => e.checkVisibility() && !e.closest("[aria-hidden=true]"))
              .filter((e) => e.tagName === "IMG" ? !e.hasAttribute("alt")
                : !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.getAttribute("aria-labelledby")))
              .map((e) => e.outerHTML.slice(0, 120))"""
        )
        assert nameless == [], name
        assert page.locator("h1").count() == 1


def test_nothing_comes_from_elsewhere(open_page: Any, addresses: dict[str, str], site: RunningSite) -> None:
    page = open_page()
    foreign: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(site.url) else foreign.append(request.url))
    for url in addresses.values():
        visit(page, url)
    assert foreign == []


def test_camera_and_start_can_be_changed(open_page: Any, addresses: dict[str, str]) -> None:
    page = open_page()
    visit(page, addresses["video"])
    expect(page.locator("#edit-start")).to_have_value(re.compile("2026-11-20T16:00"))
    page.locator("#edit-camera").fill("South gate")
    page.locator("#edit-start").fill("2026-11-20T17:00:00")
    page.locator("#edit-form button").click()
    expect(page.locator(".video-page-head .meta")).to_contain_text("South gate")
    expect(page.locator(".video-page-head time")).to_have_attribute("datetime", "2026-11-20T09:00:00Z")
    page.locator("#edit-start").fill("2026-11-20T16:00:00")
    page.locator("#edit-form button").click()
    expect(page.locator(".video-page-head time")).to_have_attribute("datetime", "2026-11-20T08:00:00Z")


def test_an_unknown_page_says_so(open_page: Any, site: RunningSite) -> None:
    from tests.browser.watched_page import expect_complaints

    page = open_page()
    expect_complaints(page, "404")
    page.goto(f"{site.url}/videos/nothing")
    expect(page.locator("h1")).to_have_text("There is no such page or object.")
    expect(page.get_by_role("link", name="Go to the videos")).to_be_visible()

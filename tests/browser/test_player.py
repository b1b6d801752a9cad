"""The player: boxes in step with the frames, following, keys, words for errors."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CAR, FRAME_COUNT, UNEVEN_TIMES_MS, WALKER
from tests.browser.picture import (
    click_picture,
    drawn_pixels,
    drawn_span,
    frame_number,
    open_video,
    wait_for_frame,
    wait_until,
    walker_span,
)
from tests.browser.running_site import RunningSite
from tests.browser.watched_page import expect_complaints

WIDTH, HEIGHT = 320, 240
WALKER_ROW = 130 / HEIGHT


@pytest.fixture
def page(open_page: Any, site: RunningSite, tracked_video: dict[str, Any]) -> Page:
    opened: Page = open_page()
    open_video(opened, site.url + tracked_video["page_url"])
    return opened


def show_boxes_alone(page: Page) -> None:
    """Hide trails and numbers, so that only strokes of boxes are on the overlay."""
    for layer in ("trails", "numbers"):
        page.locator(f"[data-layer={layer}]").click()


def step_to(page: Page, frame: int) -> None:
    while frame_number(page) < frame:
        following = frame_number(page) + 1
        page.keyboard.press(".")
        wait_for_frame(page, following)


def test_the_video_plays_and_boxes_move_with_it(page: Page) -> None:
    page.keyboard.press(" ")
    wait_until(page, "document.getElementById('video').currentTime > 0.8")
    page.keyboard.press(" ")
    wait_until(page, "document.getElementById('video').paused")
    assert frame_number(page) > 5
    assert drawn_pixels(page) > 100


def test_a_box_is_drawn_around_the_person_of_the_frame_on_the_screen(page: Page) -> None:
    show_boxes_alone(page)
    for frame in (6, 7, 8, 15, FRAME_COUNT - 2):
        step_to(page, frame)
        shown, drawn = walker_span(page), drawn_span(page, WALKER_ROW)
        assert shown == pytest.approx([WALKER.box(frame)[0] / WIDTH, WALKER.box(frame)[2] / WIDTH], abs=2 / WIDTH)
        assert drawn == pytest.approx(shown, abs=4 / WIDTH)


def test_boxes_stay_in_step_where_frames_come_at_uneven_times(
    open_page: Any, site: RunningSite, uneven_video: dict[str, Any]
) -> None:
    page = open_page()
    open_video(page, site.url + uneven_video["page_url"])
    show_boxes_alone(page)
    rate = uneven_video["result"]["frame_rate"]
    checked = set()
    for frame in range(6, 20):
        step_to(page, frame)
        source = max(i for i, ms in enumerate(UNEVEN_TIMES_MS) if ms / 1000 < (frame + 0.5) / rate)
        shown = walker_span(page)
        assert shown is not None
        assert shown[0] == pytest.approx(WALKER.box(source)[0] / WIDTH, abs=2 / WIDTH), frame
        assert drawn_span(page, WALKER_ROW) == pytest.approx(shown, abs=5 / WIDTH), frame
        checked.add(source)
    assert 14 > len(checked) > 5 or max(checked) - min(checked) >= len(checked), "no frame was repeated or dropped"


def test_comma_and_full_stop_move_by_one_frame_and_arrows_by_five_seconds(page: Page) -> None:
    for key, frame in ((".", 1), (".", 2), (".", 3), (",", 2)):
        page.keyboard.press(key)
        wait_for_frame(page, frame)
        assert walker_span(page) == pytest.approx(
            [WALKER.box(frame)[0] / WIDTH, WALKER.box(frame)[2] / WIDTH], abs=2 / WIDTH
        )
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, FRAME_COUNT - 1)
    page.keyboard.press("ArrowLeft")
    wait_for_frame(page, 0)


def test_quick_steps_add_up(page: Page) -> None:
    for _ in range(5):
        page.keyboard.press(".")
    wait_for_frame(page, 5)


def test_a_click_on_a_box_follows_it_and_escape_leaves_it(page: Page) -> None:
    step_to(page, 8)
    x1, y1, x2, y2 = WALKER.box(8)
    click_picture(page, (x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT)
    followed = page.locator("#followed")
    expect(followed).to_be_visible()
    expect(followed.locator("[data-field=title]")).to_have_text("Person 1")
    expect(followed.locator("[data-field=now]")).to_have_text("In the picture now")
    expect(page.locator("#strip [data-track='1']")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(followed).to_be_hidden()


def test_a_click_beside_all_boxes_plays_and_stops(page: Page) -> None:
    click_picture(page, 0.95, 0.05)
    wait_until(page, "!document.getElementById('video').paused")
    click_picture(page, 0.95, 0.05)
    wait_until(page, "document.getElementById('video').paused")


def test_boxes_trails_and_numbers_can_be_hidden(page: Page) -> None:
    step_to(page, 10)
    everything = drawn_pixels(page)
    counts = [everything]
    for layer in ("trails", "numbers", "boxes"):
        button = page.locator(f"[data-layer={layer}]")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
        counts.append(drawn_pixels(page))
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 4
    assert counts[-1] == 0


def test_the_strip_jumps_to_a_track_and_filters_people_and_vehicles(page: Page) -> None:
    expect(page.locator("#strip [data-track]")).to_have_count(2)
    page.locator("#kind-filter [data-kind=vehicle]").click()
    cars = page.locator("#strip [data-track]")
    expect(cars).to_have_count(1)
    cars.first.click()
    expect(page.locator("#followed [data-field=title]")).to_have_text("Car 2")
    assert page.locator("#strip img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 10


def test_following_leaves_the_picture_where_it_is_on_a_phone(
    open_page: Any, site: RunningSite, tracked_video: dict[str, Any]
) -> None:
    page = open_page(viewport={"width": 360, "height": 500})
    open_video(page, site.url + tracked_video["page_url"])
    step_to(page, 8)
    x1, y1, x2, y2 = WALKER.box(8)
    click_picture(page, (x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT)
    expect(page.locator("#followed")).to_have_count(1)
    expect(page.locator("#strip [data-track='1']")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("scrollY") == 0


def test_bars_and_chart_jump_to_their_moment(page: Page) -> None:
    page.locator("#presence").scroll_into_view_if_needed()
    presence = page.locator("#presence").bounding_box()
    assert presence is not None
    page.mouse.click(presence["x"] + presence["width"] * 0.75, presence["y"] + 20)
    wait_until(page, "document.getElementById('video').currentTime > 1")
    page.locator("#bars").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#followed")).to_be_visible()
    page.keyboard.press("Enter")
    wait_until(page, "document.getElementById('video').currentTime < 0.8")


def test_the_overlay_follows_the_size_of_the_player(page: Page) -> None:
    step_to(page, 8)
    show_boxes_alone(page)
    for width in (1000, 390, 1500):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(200)
        assert drawn_span(page, WALKER_ROW) == pytest.approx(walker_span(page), abs=5 / WIDTH), width


def test_boxes_fit_on_screens_with_finer_pixels(
    open_page: Any, site: RunningSite, tracked_video: dict[str, Any]
) -> None:
    page = open_page(device_scale_factor=2)
    open_video(page, site.url + tracked_video["page_url"])
    step_to(page, 8)
    show_boxes_alone(page)
    assert drawn_span(page, WALKER_ROW) == pytest.approx(walker_span(page), abs=4 / WIDTH)
    assert page.evaluate("() => { const c = document.getElementById('overlay'); return c.width / c.clientWidth; }") == 2


def test_full_screen_holds_the_overlay(page: Page) -> None:
    page.keyboard.press("f")
    wait_until(page, "document.fullscreenElement?.contains(document.getElementById('overlay'))")
    step_to(page, 8)
    assert drawn_pixels(page) > 100


def test_a_link_opens_a_moment_and_a_track(open_page: Any, site: RunningSite, tracked_video: dict[str, Any]) -> None:
    page = open_page()
    open_video(page, f"{site.url}{tracked_video['page_url']}?t=1.5&track=2")
    wait_for_frame(page, 15)
    expect(page.locator("#followed [data-field=title]")).to_have_text("Car 2")
    assert CAR.box(15)[0] == 140


def test_a_video_that_cannot_be_loaded_is_explained(
    open_page: Any, site: RunningSite, tracked_video: dict[str, Any]
) -> None:
    page = open_page()
    expect_complaints(page, "404")
    page.route("**/playback.mp4", lambda route: route.fulfill(status=404, body=""))
    page.goto(site.url + tracked_video["page_url"])
    expect(page.locator("#stage-message")).to_contain_text("cannot be played")


def test_boxes_that_cannot_be_loaded_are_explained_and_tried_again(
    open_page: Any, site: RunningSite, tracked_video: dict[str, Any]
) -> None:
    page = open_page()
    expect_complaints(page, "500")
    page.route("**/boxes?**", lambda route: route.fulfill(status=500, body="no"), times=1)
    page.goto(site.url + tracked_video["page_url"])
    expect(page.locator("#stage-message")).to_contain_text("boxes could not be loaded")
    page.wait_for_timeout(3200)
    step_to(page, 5)
    expect(page.locator("#stage-message")).to_be_hidden()
    assert drawn_pixels(page) > 0


def test_the_downloads_are_there(page: Page, site: RunningSite) -> None:
    links = page.locator(".downloads a:visible").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == 4
    for link in links:
        assert page.request.get(link).ok, link

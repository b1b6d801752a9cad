"""Uploading through the page, until the result plays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.picture import drawn_pixels, drawn_span, wait_for_frame, wait_until
from tests.browser.running_site import RunningSite
from tests.browser.watched_page import expect_complaints


def choose(page: Page, *paths: Path, camera: str = "West gate") -> None:
    page.locator("#file-input").set_input_files([str(path) for path in paths])
    page.locator("#upload-rows [data-field=camera]").first.fill(camera)


def start(page: Page) -> None:
    page.locator("[data-action=start]").click()


def card_of(page: Page, name: str) -> Any:
    return page.locator(".video-card", has_text=name)


def test_a_video_is_uploaded_tracked_and_played_with_its_boxes(
    open_page: Any, whole_site: RunningSite, real_clip: Path, request: pytest.FixtureRequest
) -> None:
    whole_site.delete_videos()
    page = open_page()
    page.goto(whole_site.url)
    expect(page.locator("#video-empty")).to_be_visible()
    choose(page, real_clip)
    started = page.locator("#upload-rows [data-field=started]")
    assert started.input_value().startswith("2026-11-20T08:30"), "the start is read from the file's name"
    start(page)
    expect(page.locator("#upload-rows [data-part=done]")).to_be_visible()
    card = card_of(page, real_clip.name)
    expect(card.locator("[data-field=state]")).to_have_text("Done", timeout=120_000)
    (video,) = whole_site.get("/videos")["videos"]
    assert video["started_at"] == "2026-11-20T00:30:00Z", "the browser is in Asia/Shanghai"

    card.locator("[data-field=name]").click()
    expect(page.locator("#video")).to_be_attached()
    wait_until(page, "document.getElementById('video').readyState >= 2")
    page.locator("#big-play").click()
    wait_until(page, "document.getElementById('video').currentTime > 2")
    page.keyboard.press(" ")
    assert page.evaluate("document.getElementById('video').videoWidth") == video["width"]
    tracks = whole_site.get(f"/videos/{video['id']}/tracks")["tracks"]
    if not tracks:
        pytest.skip("no measuring data: nobody is found in the scripted scene, so no box can be looked for")
    assert_a_known_box_is_drawn(page, whole_site, video)


def assert_a_known_box_is_drawn(page: Page, site: RunningSite, video: dict[str, Any]) -> None:
    page.goto(f"{site.url}{video['page_url']}?t=4")
    wait_for_frame(page, 40)
    answer = site.get(f"/videos/{video['id']}/boxes?from_s=3.99&to_s=4.01")
    assert answer["frames"]["first"] == 40
    points = answer["points"]
    wait_until(page, "document.querySelector('#strip .is-visible')")
    assert drawn_pixels(page) > 500
    for layer in ("trails", "numbers"):
        page.locator(f"[data-layer={layer}]").click()
    # The leftmost box owns the leftmost drawn column at its own height.
    first = min(range(len(points["x1"])), key=lambda row: points["x1"][row])
    span = drawn_span(page, (points["y1"][first] + points["y2"][first]) / 2)
    assert span is not None
    assert span[0] == pytest.approx(points["x1"][first], abs=0.008)


def test_several_files_share_the_camera_and_go_one_after_the_other(
    open_page: Any, site: RunningSite, real_clip: Path, tmp_path: Path
) -> None:
    page = open_page()
    page.goto(f"{site.url}/videos")
    second = tmp_path / "停车场 🚗.mp4"
    second.write_bytes(real_clip.read_bytes())
    choose(page, real_clip, second, camera="Car park")
    start(page)
    expect(page.locator("#upload-rows [data-part=done]:visible")).to_have_count(2)
    expect(card_of(page, "停车场 🚗.mp4").locator("[data-field=camera]")).to_have_text("Car park")
    expect(card_of(page, "停车场 🚗.mp4").locator("[data-field=state]")).to_have_text("Waiting")


def test_files_dropped_on_the_page_are_taken(open_page: Any, site: RunningSite) -> None:
    page = open_page()
    page.goto(f"{site.url}/videos")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["x"], "dropped.mp4"));
          document.getElementById("dropzone").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator("#upload-rows [data-field=name]")).to_have_text("dropped.mp4")


def test_what_is_no_video_is_refused_with_a_sentence(open_page: Any, site: RunningSite, tmp_path: Path) -> None:
    page = open_page()
    expect_complaints(page, "422")
    page.goto(f"{site.url}/videos")
    notes = tmp_path / "notes.mp4"
    notes.write_text("not a video\n" * 100)
    choose(page, notes)
    start(page)
    expect(page.locator("#upload-rows [data-field=error]")).to_contain_text("“notes.mp4” is not a video")
    expect(page.locator("#upload-rows [data-action=retry]")).to_be_visible()


def test_an_empty_file_and_a_missing_camera_are_told_before_anything_is_sent(
    open_page: Any, site: RunningSite, real_clip: Path, tmp_path: Path
) -> None:
    page = open_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method != "GET" else None)
    page.goto(f"{site.url}/videos")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    page.locator("#file-input").set_input_files([str(empty), str(real_clip)])
    rows = page.locator("#upload-rows > li")
    expect(rows.nth(0).locator("[data-field=error]")).to_contain_text("is empty")
    start(page)
    expect(rows.nth(1).locator("[data-field=error]")).to_have_text("Name the camera first.")
    assert sent == []


def test_a_lost_connection_is_waited_out(open_page: Any, site: RunningSite, real_clip: Path) -> None:
    page = open_page()
    expect_complaints(page, "ERR_CONNECTION_RESET")
    page.goto(f"{site.url}/videos")
    page.route("**/api/v1/uploads/*", lambda route: lose_patch(route), times=1)
    choose(page, real_clip)
    start(page)
    expect(page.locator("#upload-rows [data-field=figures]")).to_contain_text("connection lost")
    expect(page.locator("#upload-rows [data-part=done]")).to_be_visible()


def lose_patch(route: Route) -> None:
    assert route.request.method == "PATCH"
    route.abort("connectionreset")


def test_an_upload_continues_after_the_page_was_loaded_again(
    open_page: Any, site: RunningSite, real_clip: Path
) -> None:
    page = open_page()
    expect_complaints(page, "ERR_FAILED", "ERR_CONNECTION_RESET")
    page.goto(f"{site.url}/videos")
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/api/v1/uploads/*", lambda route: route.abort("connectionreset"))
    choose(page, real_clip)
    start(page)
    expect(page.locator("#upload-rows [data-field=figures]")).to_contain_text("connection lost")
    page.locator("#upload-rows [data-action=pause]").click()
    page.unroute("**/api/v1/uploads/*")
    page.reload()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.method} {request.url.removeprefix(site.url)}"))
    choose(page, real_clip)
    start(page)
    expect(page.locator("#upload-rows [data-part=done]")).to_be_visible()
    assert "POST /api/v1/uploads" not in requests
    assert [text.split()[0] for text in requests if re.search(r"/uploads/\w+$", text)][:2] == ["HEAD", "PATCH"]


def test_an_upload_can_be_paused_and_cancelled(open_page: Any, site: RunningSite, real_clip: Path) -> None:
    page = open_page()
    expect_complaints(page, "ERR_FAILED", "ERR_CONNECTION_RESET")
    page.goto(f"{site.url}/videos")
    page.route(
        "**/api/v1/uploads/*", lambda route: route.abort() if route.request.method == "PATCH" else route.continue_()
    )
    choose(page, real_clip)
    start(page)
    expect(page.locator("#upload-rows [data-field=figures]")).to_contain_text("connection lost")
    page.locator("#upload-rows [data-action=pause]").click()
    expect(page.locator("#upload-rows [data-field=figures]")).to_contain_text("paused")
    with page.expect_request(lambda request: request.method == "DELETE"):
        page.locator("#upload-rows [data-action=remove]").click()
    expect(page.locator("#upload-rows > li")).to_have_count(0)


def test_a_video_is_deleted_only_after_a_yes(
    open_page: Any, site: RunningSite, real_clip: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "to delete.mp4"
    copy.write_bytes(real_clip.read_bytes())
    site.upload(copy)
    page = open_page()
    page.goto(f"{site.url}/videos")
    card = card_of(page, "to delete.mp4")
    card.locator("[data-field=delete]").click()
    page.locator("#confirm-dialog button[value=no]").click()
    expect(card).to_be_visible()
    card.locator("[data-field=delete]").click()
    page.locator("#confirm-dialog button[value=yes]").click()
    expect(card).to_have_count(0)


def test_without_scripts_the_plain_form_uploads(
    open_page: Any, site: RunningSite, real_clip: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "plain form.mp4"
    copy.write_bytes(real_clip.read_bytes())
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.url}/videos")
    page.locator("#plain-camera").fill("Side door")
    page.locator("#plain-file").set_input_files(str(copy))
    page.locator("#plain-actions button").click()
    expect(card_of(page, "plain form.mp4").locator("[data-field=camera]")).to_have_text("Side door")

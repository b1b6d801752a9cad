"""Presets at the upload; tracking again and the annotated video on the page of a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import Page, expect

from tests.browser.picture import open_video, wait_until
from tests.browser.running_site import RunningSite
from tests.browser.scripted_jobs import ScriptedWorker
from tests.browser.watched_page import expect_complaints


@pytest.fixture(scope="module")
def worker(site: RunningSite, real_clip: Path) -> Iterator[ScriptedWorker]:
    worker = ScriptedWorker(site, real_clip)
    yield worker
    worker.close()


@pytest.fixture
def video(site: RunningSite, worker: ScriptedWorker, real_clip: Path) -> dict[str, Any]:
    """Return a video with a result whose detections are kept."""
    uploaded = site.upload(real_clip)
    worker.finish_track(worker.claim(uploaded["job"]))
    shown: dict[str, Any] = site.get(f"/videos/{uploaded['id']}")
    return shown


def _job(site: RunningSite, video: dict[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = site.get(f"/videos/{video['id']}")["job"]
    return job


def _newest(site: RunningSite) -> dict[str, Any]:
    video: dict[str, Any] = site.get("/videos?limit=1")["videos"][0]
    return video


def _fact(page: Page, name: str) -> Any:
    return page.locator(".pairs div", has=page.locator(f"dt:text-is('{name}')")).locator("dd")


def test_the_choices_at_the_upload_go_with_the_video(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, real_clip: Path
) -> None:
    page = open_page()
    page.goto(f"{site.url}/videos")
    expect(page.locator("[name=preset][value=balanced]")).to_be_checked()
    page.locator("#file-input").set_input_files(str(real_clip))
    page.locator("#upload-rows [data-field=camera]").fill("West gate")
    page.locator(".preset", has_text="Accurate").click()
    page.locator("#upload-choices summary").click()
    page.locator("#upload-tracker").select_option("online")
    page.locator("#upload-detector").select_option("hog")
    page.locator("[data-action=start]").click()
    expect(page.locator("#upload-rows [data-part=done]")).to_be_visible()
    held = worker.claim(_newest(site)["job"])
    assert held.settings == {"preset": "accurate", "detector": "hog", "tracker": "online"}


def test_the_choices_are_those_of_the_moment_the_upload_was_asked_for(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, real_clip: Path
) -> None:
    page = open_page()
    page.goto(f"{site.url}/videos")
    page.locator("#file-input").set_input_files(str(real_clip))
    page.locator("#upload-rows [data-field=camera]").fill("West gate")
    page.locator("[name=preset][value=fast]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.locator(".preset", has_text="Accurate").click()
    expect(page.locator("#upload-rows [data-part=done]")).to_be_visible()
    assert worker.claim(_newest(site)["job"]).settings["preset"] == "fast"


def test_the_plain_form_takes_the_choices_too(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, real_clip: Path
) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.url}/videos")
    page.locator("#plain-camera").fill("Side door")
    page.locator("#plain-file").set_input_files(str(real_clip))
    page.locator(".preset", has_text="Fast").click()
    page.locator("#plain-actions button").click()
    expect(page.locator(".video-card").first).to_contain_text("Side door")
    assert worker.claim(_newest(site)["job"]).settings["preset"] == "fast"


def test_a_video_is_tracked_again_and_the_page_shows_the_new_result(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, video: dict[str, Any]
) -> None:
    page = open_page()
    open_video(page, f"{site.url}{video['page_url']}?t=1.5")
    expect(page.locator("#strip [data-track]")).to_have_count(2)
    expect(_fact(page, "Tracker")).to_have_text("Recorded")
    expect(_fact(page, "Of these compared by appearance")).to_have_text("67")
    expect(page.locator(".stage-legend li").first).to_have_text("Reading 8%")
    page.locator("#retrack-tracker").select_option("deepsort")
    page.locator("#retrack-form button").click()
    card = page.locator("#job-here")
    expect(card.locator("[data-field=kind]")).to_have_text("Tracking again")
    expect(page.locator("#again")).to_have_count(0)
    job = _job(site, video)
    assert (job["kind"], job["state"]) == ("retrack", "queued")
    held = worker.claim(job)
    assert held.settings == {"tracker": "deepsort"}
    worker.report(held, "analyse", 0.5)
    expect(card.locator("[data-field=stage]")).to_have_text("Tracking")
    worker.finish_retrack(held, tracker="deepsort")
    expect(page.locator("#strip [data-track]")).to_have_count(1)
    expect(card).to_have_count(0)
    expect(_fact(page, "Tracker")).to_have_text("DeepSORT")
    expect(_fact(page, "Preset")).to_have_text("Balanced")
    expect(page.locator("#annotated [data-part=missing] button")).to_be_visible()


def test_who_plays_the_old_result_is_not_interrupted(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, video: dict[str, Any]
) -> None:
    page = open_page()
    open_video(page, f"{site.url}{video['page_url']}")
    page.locator("#retrack-form button").click()
    expect(page.locator("#job-here")).to_be_visible()
    held = worker.claim(_job(site, video))
    wait_until(page, "document.getElementById('video').readyState >= 2")
    page.locator("#rate").select_option("0.25")
    page.locator("#big-play").click()
    worker.finish_retrack(held, tracker="online")
    expect(page.locator("#new-result")).to_be_visible()
    page.locator("#new-result a").click()
    expect(page.locator("#strip [data-track]")).to_have_count(1)


def test_the_annotated_video_is_made_when_it_is_asked_for_without_leaving_the_page(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, video: dict[str, Any]
) -> None:
    _retrack(site, worker, video)
    page = open_page()
    open_video(page, f"{site.url}{video['page_url']}")
    page.evaluate("window.isTheSamePage = true")
    box = page.locator("#annotated")
    expect(box.locator("[data-part=ready]")).to_be_hidden()
    box.locator("[data-part=missing] button").click()
    expect(box.locator("[data-part=making]")).to_be_visible()
    expect(box.locator("[data-part=missing]")).to_be_hidden()
    held = worker.claim(_job(site, video))
    worker.report(held, "render", 0.4)
    expect(box.locator("[data-field=percent]")).to_have_text("40%")
    expect(box.locator("[data-field=stage]")).to_have_text("Drawing the annotated video")
    worker.finish_render(held)
    expect(box.locator("[data-part=ready] a")).to_be_visible()
    expect(box.locator("[data-part=making]")).to_be_hidden()
    assert page.evaluate("window.isTheSamePage") is True
    with page.expect_download() as download:
        box.locator("[data-part=ready] a").click()
    assert download.value.suggested_filename.endswith("-tracks.mp4")


def test_a_drawing_that_fails_says_why_and_is_tried_again(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, video: dict[str, Any]
) -> None:
    _retrack(site, worker, video)
    page = open_page()
    open_video(page, f"{site.url}{video['page_url']}")
    box = page.locator("#annotated")
    box.locator("[data-part=missing] button").click()
    expect(box.locator("[data-part=making]")).to_be_visible()
    worker.fail(worker.claim(_job(site, video)), "job.storage_full")
    expect(box.locator("[data-field=error]")).to_have_text("The disk is full. Free some space, then retry.")
    page.reload()
    expect(box.locator("[data-field=error]")).to_be_visible()
    box.locator("[data-action=retry] button").click()
    expect(box.locator("[data-field=stage]")).to_have_text("Waiting for a worker")
    worker.finish_render(worker.claim(_job(site, video)))
    expect(box.locator("[data-part=ready] a")).to_be_visible()


def test_a_second_wish_meanwhile_is_refused_with_a_sentence(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, video: dict[str, Any]
) -> None:
    _retrack(site, worker, video)
    first, second = open_page(), open_page()
    expect_complaints(second, "409")
    for page in (first, second):
        open_video(page, f"{site.url}{video['page_url']}")
    for page in (first, second):
        page.locator("#annotated [data-part=missing] button").click()
    expect(second.locator("#annotated [data-field=refused]")).to_contain_text("Another job of this video")
    worker.fail(worker.claim(_job(site, video)), "job.storage_full")


def test_a_result_without_detections_is_only_run_as_a_whole(
    open_page: Any, site: RunningSite, worker: ScriptedWorker, real_clip: Path
) -> None:
    video = site.upload(real_clip)
    worker.finish_track(worker.claim(video["job"]), has_detections=False)
    page = open_page()
    open_video(page, f"{site.url}{video['page_url']}")
    expect(page.locator("#retrack-form")).to_have_count(0)
    page.locator("#run-form .preset", has_text="Fast").click()
    page.locator("#run-form button").click()
    expect(page.locator("#job-here [data-field=state]")).to_have_text("Waiting")
    held = worker.claim(_job(site, video))
    assert (held.kind, held.settings["preset"]) == ("track", "fast")


def _retrack(site: RunningSite, worker: ScriptedWorker, video: dict[str, Any]) -> None:
    """Give a video a result without an annotated video."""
    job = site.post(f"/videos/{video['id']}/jobs", {"kind": "retrack", "tracker": "online"})
    worker.finish_retrack(worker.claim(job), tracker="online")


def test_a_real_worker_tracks_again_and_draws(open_page: Any, whole_site: RunningSite, real_clip: Path) -> None:
    video = whole_site.upload(real_clip, preset="fast")
    page = open_page()
    page.goto(f"{whole_site.url}{video['page_url']}")
    expect(_fact(page, "Preset")).to_have_text("Fast", timeout=120_000)
    expect(_fact(page, "Tracker")).to_have_text("Recorded")
    page.locator("#retrack-tracker").select_option("deepsort")
    page.locator("#retrack-form button").click()
    expect(_fact(page, "Tracker")).to_have_text("DeepSORT", timeout=60_000)
    box = page.locator("#annotated")
    box.locator("[data-part=missing] button").click()
    expect(box.locator("[data-part=ready] a")).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        box.locator("[data-part=ready] a").click()
    with av.open(str(download.value.path())) as drawn:
        assert sum(1 for _ in drawn.decode(video=0)) == 60
    result = whole_site.get(f"/videos/{video['id']}")["result"]
    assert (result["preset"], result["tracker"], result["frame_count"]) == ("fast", "deepsort", 60)
    assert result["detected_boxes"] is not None

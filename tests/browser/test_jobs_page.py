"""The jobs page: current without reloading, silent when nothing can change any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import FRAME_COUNT, RED, Block, add_result, make_video
from tests.browser.running_site import RunningSite, running_site


@pytest.fixture(scope="module")
def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a site of its own, so that no other test's jobs are on its pages."""
    with running_site(tmp_path_factory.mktemp("quiet") / "data", "web") as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mkv", [Block(RED, (10, 90))], frame_count=FRAME_COUNT)


def card_of(page: Page, job: dict[str, Any]) -> Any:
    return page.locator(f"[data-job-id='{job['id']}']")


def test_a_waiting_job_is_cancelled_and_retried_and_polling_stops_at_the_end(
    open_page: Any, quiet_site: RunningSite, clip: Path
) -> None:
    job = quiet_site.upload(clip)["job"]
    page = open_page()
    page.goto(f"{quiet_site.url}/jobs")
    card = card_of(page, job)
    expect(card.locator("[data-field=state]")).to_have_text("Waiting")
    expect(page.locator("#worker-banner")).to_be_visible()
    card.locator("[data-action=cancel] button").click()
    expect(card.locator("[data-field=state]")).to_have_text("Cancelled")
    page.wait_for_timeout(2500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/jobs" in request.url else None)
    page.wait_for_timeout(3000)
    assert asked == []
    card.locator("[data-action=retry] button").click()
    expect(card.locator("[data-field=state]")).to_have_text("Waiting")
    page.wait_for_timeout(1500)
    assert asked, "a retried job is polled again"


def test_a_job_that_ends_elsewhere_is_shown_without_reloading(
    open_page: Any, quiet_site: RunningSite, clip: Path
) -> None:
    page = open_page()
    page.goto(f"{quiet_site.url}/jobs")
    waiting = page.locator(".job-card")
    before = waiting.count()
    video = add_result(quiet_site, clip)
    page.reload()
    expect(waiting).to_have_count(before + 1)
    card = card_of(page, video["job"])
    expect(card.locator("[data-field=state]")).to_have_text("Done")
    card.locator("[data-field=open]").click()
    page.wait_for_selector("#video-page")


def test_jobs_are_filtered_by_state(open_page: Any, quiet_site: RunningSite, clip: Path) -> None:
    quiet_site.upload(clip)
    page = open_page()
    page.goto(f"{quiet_site.url}/jobs?state=queued")
    states = page.locator(".job-card [data-field=state]").all_inner_texts()
    assert states
    assert set(states) == {"Waiting"}
    page.goto(f"{quiet_site.url}/jobs?state=failed")
    expect(page.locator("#job-empty")).to_be_visible()


def test_the_page_of_a_waiting_video_shows_the_result_when_it_is_there(
    open_page: Any, quiet_site: RunningSite, tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page()
    waiting: list[dict[str, Any]] = []

    def upload_and_watch(path: Path, **fields: str) -> dict[str, Any]:
        video = quiet_site.upload(path, **fields)
        waiting.append(video)
        page.goto(quiet_site.url + video["page_url"])
        expect(page.locator("#job-here [data-field=state]")).to_have_text("Waiting")
        expect(page.locator("#video-page")).to_have_count(0)
        return video

    class Watched:
        data_dir = quiet_site.data_dir
        get = staticmethod(quiet_site.get)
        upload = staticmethod(upload_and_watch)

    add_result(Watched(), clip)  # type: ignore[arg-type]
    page.wait_for_selector("#video-page")
    expect(page.locator("#job-here")).to_have_count(0)


def test_cards_work_without_scripts(open_page: Any, quiet_site: RunningSite, clip: Path) -> None:
    job = quiet_site.upload(clip)["job"]
    page = open_page(java_script_enabled=False)
    page.goto(f"{quiet_site.url}/jobs")
    card_of(page, job).locator("[data-action=cancel] button").click()
    expect(card_of(page, job).locator("[data-field=state]")).to_have_text("Cancelled")

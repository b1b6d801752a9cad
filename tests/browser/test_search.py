"""The whole path with real footage: two uploads, a search from a track, a decision, its undoing; a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import Page, expect

from tests.browser.running_site import RunningSite

FRAMES = 40
START = "2026-11-20T08:00:00Z"


def _cut(source: Path, target: Path, first: int) -> Path:
    """Write `FRAMES` frames of a video as another one."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=10, options={"preset": "veryfast"})
        given = reader.streams.video[0]
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, "yuv420p"
        for index, frame in enumerate(reader.decode(given)):
            if index >= first + FRAMES:
                break
            if index >= first:
                picture = av.VideoFrame.from_ndarray(frame.to_ndarray(format="bgr24"), format="bgr24")
                picture.pts = index - first
                writer.mux(stream.encode(picture))
        writer.mux(stream.encode(None))
    return target


def _first_picture(video: Path, target: Path) -> Path:
    with av.open(str(video)) as reader:
        next(reader.decode(video=0)).to_image().save(target)
    return target


@pytest.fixture(scope="module")
def clips(vtest_avi: Path, yolox_onnx: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two parts of real footage with the same people in them, one for each of two cameras."""
    folder = tmp_path_factory.mktemp("clips")
    return _cut(vtest_avi, folder / "north.mp4", 0), _cut(vtest_avi, folder / "south.mp4", 60)


@pytest.fixture(scope="module")
def videos(whole_site: RunningSite, clips: tuple[Path, Path]) -> Iterator[list[dict[str, Any]]]:
    """Return both videos, being worked on."""
    yield [
        whole_site.upload(clips[0], camera="North", started_at=START, preset="fast"),
        whole_site.upload(clips[1], camera="South", started_at="2026-11-20T08:05:00Z", preset="fast"),
    ]
    whole_site.delete_videos()


def _wait_until_done(page: Page, site: RunningSite, video: dict[str, Any]) -> None:
    page.goto(f"{site.url}{video['page_url']}")
    expect(page.locator("#strip [data-track]").first).to_be_visible(timeout=110_000)


def test_a_person_is_found_at_another_camera_confirmed_and_the_decision_taken_back(
    open_page: Any, whole_site: RunningSite, videos: list[dict[str, Any]], clips: tuple[Path, Path], tmp_path: Path
) -> None:
    page = open_page()
    page.goto(f"{whole_site.url}/search")
    page.locator("#pictures").set_input_files(str(_first_picture(clips[0], tmp_path / "north.jpg")))
    page.locator(".picture-form button").click()
    # The picture is answered while the videos still wait or are worked on.
    expect(page.locator(".picture-stage")).to_be_visible(timeout=60_000)
    assert page.locator(".pick-form .sight-picture").count() >= 2
    _wait_until_done(page, whole_site, videos[1])
    _wait_until_done(page, whole_site, videos[0])

    page.locator("#strip [data-track]").first.click()
    page.locator("[data-field=search]").click()
    answers = page.locator("#answers .answer")
    expect(answers.first).to_contain_text("South")
    best = answers.first.get_attribute("data-track")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("c")
    expect(answers.first).to_have_attribute("data-decision", "confirm")
    page.reload()
    expect(page.locator(".confirmed-strip li")).to_have_count(1)
    expect(page.locator(f"#answers [data-track='{best}']")).to_have_count(0)

    events = whole_site.get("/identities/events?limit=5")["events"]
    undo = next(event["undo_url"] for event in events if event["kind"] == "confirm" and event["actor"] == "user")
    page.evaluate("async (url) => (await fetch(url, {method: 'POST'})).status", undo)
    page.goto(page.url.partition("&identity=")[0])
    expect(page.locator(f"#answers [data-track='{best}']")).to_have_count(1)

    page.locator(f"#answers [data-track='{best}'] .sight-picture").click()
    expect(page.locator("#followed")).to_be_visible()
    assert "track=" in page.url


def test_the_threshold_hides_answers_and_undo_works_by_key(
    open_page: Any, whole_site: RunningSite, videos: list[dict[str, Any]]
) -> None:
    page = open_page()
    _wait_until_done(page, whole_site, videos[0])
    page.locator("#strip [data-track]").first.click()
    page.keyboard.press("s")
    answers = page.locator("#answers .answer")
    expect(answers.first).to_be_visible()
    count = answers.count()
    page.locator("#least-slider").fill("1")
    expect(page.locator("#all-hidden")).to_be_visible()
    page.locator("#least-slider").fill("0")
    expect(page.locator("#answers-count")).to_have_text(f"{count} answers shown" if count != 1 else "1 answer shown")
    page.locator("#answers .sight-picture").first.focus()
    page.keyboard.press("x")
    expect(answers.first).to_have_attribute("data-decision", "reject")
    page.keyboard.press("u")
    expect(answers.first).to_have_attribute("data-decision", "")

"""The pages, and the forms that work without JavaScript."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from model import registry
from pipeline import presets
from pipeline.tracking import TRACKERS
from tests.web.sites import Site, begin_job, publish_result, publish_retrack
from tests.web.test_security import token_of
from web import schemas
from web.filters import duration, stage_shares


def test_the_root_leads_to_the_videos(site: Site) -> None:
    answer = site.client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/videos")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_shown_empty_waiting_and_done(site: Site, clip: Path, language: str) -> None:
    headers = {"Accept-Language": language}
    for address in ("/videos", "/jobs", "/jobs?state=done", "/api", "/videos?page=7", "/jobs?page=x&state=odd"):
        assert site.client.get(address, headers=headers).status_code == 200
    video = site.upload(clip, name="夜 🚶.mp4").get_json()
    for step in (lambda: None, lambda: publish_result(site, video)):
        step()
        for address in ("/videos", "/jobs", video["page_url"]):
            page = site.client.get(address, headers=headers)
            assert page.status_code == 200
            assert "夜 🚶.mp4" in page.text


def test_a_form_without_javascript_adds_several_videos(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    files = [(BytesIO(content), "a.mp4"), (BytesIO(content), "b.mp4")]
    data = {"csrf_token": token_of(site), "camera": "gate", "started_at": "", "detector": "", "file": files}
    answer = site.client.post("/videos", data=data)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/videos")
    listed = site.client.get("/api/v1/videos").get_json()
    assert sorted(video["name"] for video in listed["videos"]) == ["a.mp4", "b.mp4"]


def test_a_form_with_a_bad_file_keeps_the_good_one_and_says_which(site: Site, clip: Path) -> None:
    files = [(BytesIO(b"text"), "<b>notes.txt"), (BytesIO(clip.read_bytes()), "good.mp4")]
    answer = site.client.post("/videos", data={"csrf_token": token_of(site), "camera": "North & gate", "file": files})
    assert answer.status_code == 422
    assert "&lt;b&gt;notes.txt" in answer.text
    assert "<b>notes" not in answer.text
    assert "North &amp; gate" in answer.text
    assert site.client.get("/api/v1/videos").get_json()["total"] == 1
    assert not any(name.startswith("incoming/") for name in site.files())


def test_a_form_without_a_file_is_shown_again(site: Site) -> None:
    data = {"csrf_token": token_of(site), "camera": "gate", "file": (BytesIO(b""), "")}
    answer = site.client.post("/videos", data=data)
    assert answer.status_code == 422
    assert "Choose one video file" in answer.text


def test_jobs_are_cancelled_and_retried_by_forms(site: Site, video: dict[str, Any]) -> None:
    token, job = token_of(site, "/jobs"), video["job"]
    for action, state in (("cancel", "cancelled"), ("retry", "queued")):
        answer = site.client.post(f"/jobs/{job['id']}/{action}", data={"csrf_token": token})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
        assert site.client.get(job["url"]).get_json()["state"] == state
    assert site.client.post(f"/jobs/{job['id']}/retry", data={"csrf_token": token}).status_code == 409


def test_videos_are_run_again_and_deleted_by_forms(site: Site, done_video: dict[str, Any]) -> None:
    token, page = token_of(site), done_video["page_url"]
    answer = site.client.post(f"{page}/run", data={"csrf_token": token, "detector": "hog", "embedder": ""})
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    held = begin_job(site, site.client.get(done_video["url"]).get_json()["job"]["id"])
    assert held.settings == {"detector": "hog"}
    answer = site.client.post(f"{page}/delete", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/videos")
    assert site.files() == []


def test_the_choices_of_models_are_those_that_there_are() -> None:
    assert set(schemas.DETECTORS) == set(registry.DETECTORS)
    assert set(schemas.EMBEDDERS) == set(registry.EMBEDDERS)


def test_the_presets_and_trackers_are_those_that_there_are() -> None:
    assert set(schemas.PRESETS) == set(presets.PRESETS)
    assert set(schemas.TRACKERS) == set(TRACKERS)


def test_each_preset_and_tracker_has_a_name_and_each_preset_a_line(site: Site) -> None:
    page = site.client.get("/videos").text
    for name in schemas.PRESETS:
        assert f'value="{name}"' in page
        line = page.partition(f'id="upload-form-{name}">')[2].partition("<")[0]
        assert len(line) > 20
    for name in schemas.TRACKERS:
        label = page.partition(f'<option value="{name}"')[2].partition(">")[2].partition("<")[0]
        assert label not in ("", name)


def test_a_form_that_is_shown_again_keeps_its_choices(site: Site) -> None:
    fields = {"camera": "gate", "preset": "fast", "detector": "hog", "tracker": "online"}
    page = site.client.post("/videos", data={"csrf_token": token_of(site), **fields, "file": (BytesIO(b"x"), "a.mp4")})
    assert page.status_code == 422
    for chosen in (
        'value="fast" form="upload-form" aria-describedby="upload-form-fast" checked',
        'value="hog" selected',
    ):
        assert chosen in page.text
    assert 'value="online" selected' in page.text
    assert '<details class="more" open>' in page.text


def test_results_are_tracked_again_and_drawn_by_forms(site: Site, done_video: dict[str, Any]) -> None:
    token, page = token_of(site), done_video["page_url"]
    data = {"csrf_token": token, "kind": "retrack", "tracker": "online"}
    assert site.client.post(f"{page}/run", data=data).status_code == 303
    publish_retrack(site, site.client.get(done_video["url"]).get_json()["job"])
    assert "Make the annotated video" in site.client.get(page).text
    assert site.client.post(f"{page}/run", data={"csrf_token": token, "kind": "render"}).status_code == 303
    assert site.client.get(done_video["url"]).get_json()["result"]["annotated"]["state"] == "rendering"
    assert site.client.post(f"{page}/run", data={"csrf_token": token, "kind": "sleep"}).status_code == 422


def test_shares_of_stages_add_up_and_begin_where_the_last_ended() -> None:
    shown = stage_shares({"decode": 1.0, "detect": 3.0, "embed": 0.0, "track": 4.0})
    assert [(stage["name"], stage["begin"], stage["share"]) for stage in shown] == [
        ("decode", 0.0, 0.125),
        ("detect", 0.125, 0.375),
        ("track", 0.5, 0.5),
    ]
    assert stage_shares({}) == []
    assert stage_shares({"decode": 0.0}) == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (3723, "1:02:03"), (360000, "100:00:00"), (None, "")],
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_sizes_and_shares_are_written_as_the_reader_does(site: Site) -> None:
    filters = site.app.jinja_env.filters
    with site.app.test_request_context():
        assert [filters["bytes_size"](count) for count in (0, 1536, 8 * 1024**3, None)] == ["0 B", "1.5 KB", "8 GB", ""]
        assert filters["percent"](0.426) == "43%"
        assert filters["local_number"](12345.678) == "12,345.68"

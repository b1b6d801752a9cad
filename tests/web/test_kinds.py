"""Jobs that build on a result, through the JSON API: another tracker, the annotated video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from store import jobs
from tests.web.sites import Site, begin_job, publish_render, publish_result, publish_retrack

DRAWN = b"drawn"


def _post(site: Site, video: dict[str, Any], **body: str) -> Any:
    return site.client.post(f"{video['url']}/jobs", json=body)


def _result(site: Site, video: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = site.client.get(video["url"]).get_json()["result"]
    return result


def _retrack(site: Site, video: dict[str, Any], tracker: str = "online") -> None:
    answer = _post(site, video, kind="retrack", tracker=tracker)
    assert answer.status_code == 201, answer.text
    publish_retrack(site, answer.get_json())


def test_a_result_tells_with_what_it_was_made(site: Site, done_video: dict[str, Any]) -> None:
    result = done_video["result"]
    facts = {"preset": "accurate", "tracker": "recorded", "detected_boxes": 40, "embedded_boxes": 8}
    assert {name: result[name] for name in facts} == facts
    assert result["stage_seconds"] == {"decode": 1.0, "detect": 3.0}
    assert result["can_retrack"] is True
    assert result["annotated"] == {"state": "ready", "url": result["annotated_url"]}


def test_the_choices_of_an_upload_reach_the_job(site: Site, clip: Path) -> None:
    video = site.upload(clip, preset="fast", tracker="deepsort", detector="").get_json()
    assert begin_job(site, video["job"]["id"]).settings == {"preset": "fast", "tracker": "deepsort"}


@pytest.mark.parametrize("fields", [{"preset": "turbo"}, {"tracker": "magic"}])
def test_choices_that_there_are_not_are_refused(site: Site, clip: Path, fields: dict[str, str]) -> None:
    answer = site.upload(clip, **fields)
    assert (answer.status_code, answer.get_json()["error"]["params"]["name"]) == (422, next(iter(fields)))
    assert site.client.get("/api/v1/videos").get_json()["total"] == 0


def test_a_video_is_tracked_again_by_another_tracker(site: Site, done_video: dict[str, Any]) -> None:
    answer = _post(site, done_video, kind="retrack", tracker="online")
    job = answer.get_json()
    assert (answer.status_code, job["kind"], job["state"]) == (201, "retrack", "queued")
    assert site.rung[-1] == job["id"]
    assert _result(site, done_video)["track_count"] == 2, "the earlier result stays meanwhile"
    publish_retrack(site, job)
    result = _result(site, done_video)
    assert (result["job_id"], result["track_count"], result["tracker"]) == (job["id"], 1, "online")
    assert (result["preset"], result["detected_boxes"], result["can_retrack"]) == ("accurate", 40, True)
    assert site.client.get(result["playback_url"]).data == b"p" * 1000
    assert result["annotated"] == {"state": "missing", "url": None}
    assert (result["annotated_url"], result["downloads"]["annotated"]) == (None, None)


def test_an_annotated_video_that_is_not_made_yet_says_so(site: Site, done_video: dict[str, Any]) -> None:
    _retrack(site, done_video)
    for query in ("", "?download=1"):
        answer = site.client.get(f"{done_video['url']}/annotated.mp4{query}")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "request.no_annotated")


def test_the_annotated_video_is_made_and_nothing_else_changes(site: Site, done_video: dict[str, Any]) -> None:
    _retrack(site, done_video)
    before = _result(site, done_video)
    job = _post(site, done_video, kind="render").get_json()
    assert _result(site, done_video)["annotated"]["state"] == "rendering"
    publish_render(site, job, content=DRAWN)
    result = _result(site, done_video)
    assert result["annotated"]["state"] == "ready"
    assert site.client.get(result["downloads"]["annotated"]).data == DRAWN
    changed = {name for name in result if result[name] != before[name]}
    assert changed == {"annotated", "annotated_url", "downloads"}
    attempts = site.settings.data_dir / "videos" / done_video["id"] / "attempts"
    assert len(list(attempts.iterdir())) == 1


def test_a_drawing_that_failed_leaves_it_missing(site: Site, done_video: dict[str, Any]) -> None:
    _retrack(site, done_video)
    job = _post(site, done_video, kind="render").get_json()
    held = begin_job(site, job["id"])
    with site.session() as session:
        jobs.fail(session, held, "job.storage_full", {}, site.services.now())
        session.commit()
    assert _result(site, done_video)["annotated"]["state"] == "missing"
    assert site.client.post(job["retry_url"]).status_code == 200
    assert _result(site, done_video)["annotated"]["state"] == "rendering"


@pytest.mark.parametrize("kind", ["retrack", "render"])
def test_a_video_without_a_result_has_nothing_to_build_on(site: Site, video: dict[str, Any], kind: str) -> None:
    answer = _post(site, video, kind=kind)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "request.no_result")


def test_a_result_without_detections_is_not_tracked_again(site: Site, video: dict[str, Any]) -> None:
    publish_result(site, video, has_detections=False)
    assert _result(site, video)["can_retrack"] is False
    answer = _post(site, video, kind="retrack", tracker="online")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "request.no_detections")
    assert "Run everything again" in answer.get_json()["error"]["message"]


def test_an_annotated_video_that_is_there_is_not_made_again(site: Site, done_video: dict[str, Any]) -> None:
    answer = _post(site, done_video, kind="render")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "request.annotated_there")


@pytest.mark.parametrize("kind", ["track", "retrack", "render"])
def test_while_a_job_is_live_no_other_is_taken(site: Site, done_video: dict[str, Any], kind: str) -> None:
    _retrack(site, done_video)
    assert _post(site, done_video, kind="retrack", tracker="deepsort").status_code == 201
    answer = _post(site, done_video, kind=kind)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "request.busy")
    answer = site.client.post(f"{done_video['url']}/jobs", json={"kind": kind}, headers={"Accept-Language": "zh"})
    assert "还有一个任务" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"kind": "sleep"}, "kind"),
        ({"kind": None}, "kind"),
        ({"kind": "retrack", "tracker": "magic"}, "tracker"),
        ({"kind": "retrack", "detector": "hog"}, "detector"),
        ({"kind": "retrack", "preset": "fast"}, "preset"),
        ({"kind": "render", "tracker": "online"}, "tracker"),
        ({"kind": "track", "preset": "turbo"}, "preset"),
    ],
)
def test_choices_that_a_kind_does_not_know_are_refused(
    site: Site, done_video: dict[str, Any], body: dict[str, Any], name: str
) -> None:
    answer = _post(site, done_video, **body)
    assert (answer.status_code, answer.get_json()["error"]["params"]["name"]) == (422, name)


def test_the_live_job_of_a_video_is_shown_before_a_newer_one_that_ended(site: Site, done_video: dict[str, Any]) -> None:
    old = _post(site, done_video, kind="track").get_json()
    site.client.post(old["cancel_url"])
    newer = _post(site, done_video, kind="track").get_json()
    site.client.post(newer["cancel_url"])
    assert site.client.get(done_video["url"]).get_json()["job"]["id"] == newer["id"]
    site.client.post(old["retry_url"])
    assert site.client.get(done_video["url"]).get_json()["job"]["id"] == old["id"]


def test_the_document_names_every_choice(site: Site) -> None:
    schemas = site.client.get("/api/v1/openapi.json").get_json()["components"]["schemas"]
    run = schemas["RunSettings"]["properties"]
    assert run["kind"]["enum"] == ["track", "retrack", "render"]
    for name in ("VideoFromUpload", "VideoFile", "RunSettings"):
        fields = schemas[name]["properties"]
        assert {"fast", "balanced", "accurate"} <= set(fields["preset"]["enum"])
        assert {"recorded", "online", "deepsort"} <= set(fields["tracker"]["enum"])

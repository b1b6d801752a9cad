"""Jobs through the JSON API: poll, cancel, retry, run again."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from store import jobs, workers
from tests.web.sites import Site, begin_job, publish_result


def test_a_job_is_followed_by_polling(site: Site, video: dict[str, Any]) -> None:
    job = site.client.get(video["job"]["url"]).get_json()
    assert (job["state"], job["progress"], job["can_cancel"], job["can_retry"]) == ("queued", 0.0, True, False)
    begin_job(site, job["id"], progress=0.25)
    job = site.client.get(job["url"]).get_json()
    assert (job["state"], job["stage"], job["progress"]) == ("running", "analyse", 0.25)
    assert (job["fps"], job["eta_s"], job["attempt"]) == (12.5, 3.0, 1)
    assert job["started_at"].endswith("Z")


def test_a_finished_job_points_to_its_video(site: Site, done_video: dict[str, Any]) -> None:
    job = site.client.get(done_video["job"]["url"]).get_json()
    assert (job["state"], job["progress"], job["can_cancel"], job["can_retry"]) == ("done", 1.0, False, False)
    assert site.client.get(job["video_url"]).status_code == 200
    assert site.client.get(job["poster_url"]).mimetype == "image/jpeg"


def test_a_waiting_job_is_cancelled_at_once(site: Site, video: dict[str, Any]) -> None:
    job = site.client.post(video["job"]["cancel_url"]).get_json()
    assert (job["state"], job["can_cancel"], job["can_retry"]) == ("cancelled", False, True)


def test_a_running_job_is_asked_to_end(site: Site, video: dict[str, Any]) -> None:
    begin_job(site, video["job"]["id"])
    job = site.client.post(video["job"]["cancel_url"]).get_json()
    assert (job["state"], job["cancel_requested"], job["can_cancel"]) == ("running", True, False)


def test_a_failed_job_says_why_and_can_be_tried_again(site: Site, video: dict[str, Any]) -> None:
    held = begin_job(site, video["job"]["id"])
    with site.session() as session:
        params = {"frame": 7, "detail": "bad data"}
        jobs.fail(session, held, "media.decode_failed", params, datetime.now(timezone.utc))
        session.commit()
    job = site.client.get(video["job"]["url"]).get_json()
    assert (job["state"], job["can_retry"]) == ("failed", True)
    assert job["error"]["code"] == "media.decode_failed"
    assert "frame 7 (bad data)" in job["error"]["message"]
    site.rung.clear()
    again = site.client.post(job["retry_url"]).get_json()
    assert (again["state"], again["error"], again["attempt"]) == ("queued", None, 0)
    assert site.rung == [job["id"]]


def test_an_error_of_another_version_is_shown_as_its_code(site: Site, video: dict[str, Any]) -> None:
    held = begin_job(site, video["job"]["id"])
    with site.session() as session:
        jobs.fail(session, held, "job.from_the_future", {}, datetime.now(timezone.utc))
        session.commit()
    job = site.client.get(video["job"]["url"]).get_json()
    assert job["error"] == {"code": "job.from_the_future", "message": "job.from_the_future"}


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_a_done_job_cannot_be_changed(site: Site, done_video: dict[str, Any], action: str) -> None:
    answer = site.client.post(done_video["job"][f"{action}_url"])
    assert answer.status_code == 409
    assert answer.get_json()["error"]["params"] == {"state": "done"}


def test_a_video_can_be_run_again_with_other_models(site: Site, done_video: dict[str, Any]) -> None:
    answer = site.client.post(f"{done_video['url']}/jobs", json={"detector": "hog"})
    assert answer.status_code == 201
    job = answer.get_json()
    assert site.rung[-1] == job["id"]
    shown = site.client.get(done_video["url"]).get_json()
    assert shown["job"]["id"] == job["id"]
    assert shown["result"]["job_id"] == done_video["job"]["id"]
    publish_result(site, shown)
    assert site.client.get(done_video["url"]).get_json()["result"]["job_id"] == job["id"]


def test_a_video_is_not_run_twice_at_once(site: Site, video: dict[str, Any]) -> None:
    answer = site.client.post(f"{video['url']}/jobs")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "request.busy")


@pytest.mark.parametrize("body", [{"detector": "magic"}, {"detector": 3}, {"colour": "red"}, []])
def test_settings_that_make_no_sense_are_refused(site: Site, done_video: dict[str, Any], body: object) -> None:
    assert site.client.post(f"{done_video['url']}/jobs", json=body).status_code == 422


def test_jobs_are_listed_by_state(site: Site, done_video: dict[str, Any]) -> None:
    site.client.post(f"{done_video['url']}/jobs")
    listed = site.client.get("/api/v1/jobs").get_json()
    assert [job["state"] for job in listed["jobs"]] == ["queued", "done"]
    assert site.client.get("/api/v1/jobs?state=done").get_json()["total"] == 1
    assert site.client.get("/api/v1/jobs?state=running").get_json() == {"jobs": [], "total": 0}
    assert site.client.get("/api/v1/jobs?state=sleeping").status_code == 422


def test_health_knows_whether_a_worker_is_there(site: Site, video: dict[str, Any]) -> None:
    health = site.client.get("/api/v1/health").get_json()
    assert (health["status"], health["jobs"]["queued"], health["workers"]) == ("no_worker", 1, [])
    with site.session() as session:
        workers.note_seen(session, "host-1", datetime.now(timezone.utc))
        session.commit()
    health = site.client.get("/api/v1/health").get_json()
    assert health["status"] == "ok"
    assert [(worker["name"], worker["is_alive"]) for worker in health["workers"]] == [("host-1", True)]

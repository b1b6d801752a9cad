"""Videos through the JSON API: what gets in, what is refused and what stays on the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.make_videos import make_audio, make_playlist, make_video
from tests.web.sites import Site, begin_job, publish_result

NewSite = Callable[..., Site]


def test_an_uploaded_video_is_stored_probed_and_queued(site: Site, clip: Path) -> None:
    answer = site.upload(clip, camera="North  gate", started_at="2026-11-21T08:00", time_zone="Asia/Shanghai")
    assert answer.status_code == 201
    video = answer.get_json()
    assert video["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert (video["width"], video["height"], video["codec"]) == (192, 128, "h264")
    assert video["duration_s"] == pytest.approx(0.8, abs=0.01)
    assert video["camera"]["name"] == "North gate"
    assert video["started_at"] == "2026-11-21T00:00:00Z"
    assert video["job"]["state"] == "queued"
    assert video["result"] is None
    assert site.rung == [video["job"]["id"]]
    folder = f"videos/{video['id']}"
    assert site.files() == [folder, f"{folder}/poster.jpg", f"{folder}/source.mp4"]
    assert (site.settings.data_dir / folder / "source.mp4").read_bytes() == clip.read_bytes()


def test_chosen_models_reach_the_job(site: Site, clip: Path) -> None:
    video = site.upload(clip, detector="hog", embedder="").get_json()
    held = begin_job(site, video["job"]["id"])
    assert held.settings == {"detector": "hog"}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("门口 🚶.mp4", "门口 🚶.mp4"),
        ("..", "video"),
        ("a\u202egpm.mp4", "agpm.mp4"),
        ("x" * 300 + ".mp4", "x" * 127 + "…" + "x" * 123 + ".mp4"),
        ("<img src=x onerror=alert(1)>.mp4", "<img src=x onerror=alert(1)>.mp4"),
        ("'; DROP TABLE video; --.mp4", "'; DROP TABLE video; --.mp4"),
    ],
)
def test_a_hostile_name_is_only_shown(site: Site, clip: Path, sent: str, shown: str) -> None:
    answer = site.upload(clip, name=sent)
    assert answer.status_code == 201
    video = answer.get_json()
    assert video["name"] == shown
    assert f"videos/{video['id']}/poster.jpg" in site.files()
    page = site.client.get(video["page_url"])
    assert page.status_code == 200
    assert "<img src=x" not in page.text


def test_refused_files_leave_nothing(site: Site, tmp_path: Path) -> None:
    sound = make_audio(tmp_path / "sound.mp4")
    playlist = make_playlist(tmp_path / "list.m3u8", Path("/etc/passwd"))
    for content, name, code in (
        (b"", "empty.mp4", "media.empty"),
        (b"not a video" * 100, "文字.mp4", "media.not_video"),
        (sound.read_bytes(), "sound.mp4", "media.no_video_stream"),
        (playlist.read_bytes(), "list.m3u8", "media.playlist"),
    ):
        answer = site.send(content, name=name)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, code)
    assert site.files() == []
    assert site.rung == []
    assert site.client.get("/api/v1/videos").get_json() == {"videos": [], "total": 0}
    assert site.client.get("/api/v1/cameras").get_json() == {"cameras": []}


def test_a_refusal_is_a_sentence_in_the_language_of_the_request(site: Site) -> None:
    english = site.send(b"x", name="notes.txt").get_json()["error"]
    assert "notes.txt" in english["message"]
    assert english["params"] == {"name": "notes.txt"}
    answer = site.client.post(
        "/api/v1/videos",
        data={"camera": "gate", "file": (BytesIO(b"x"), "notes.txt")},
        headers={"Accept-Language": "zh-TW,zh;q=0.9,en;q=0.5"},
    )
    assert answer.headers["Content-Language"] == "zh-Hans"


def test_a_video_over_the_limits_is_refused(new_site: NewSite, clip: Path) -> None:
    long = new_site(max_duration_s=0)
    assert long.upload(clip).get_json()["error"]["code"] == "media.too_long"
    wide = new_site(max_pixels=1000)
    assert wide.upload(clip).get_json()["error"]["code"] == "media.too_many_pixels"
    assert long.files() == wide.files() == []


def test_a_file_over_the_size_limit_is_refused_before_and_while_it_is_read(new_site: NewSite) -> None:
    site = new_site(max_upload_bytes=100_000)
    just_over = site.send(b"x" * 100_001)
    form = "multipart/form-data; boundary=-"
    far_over = site.client.post("/api/v1/videos", data=b"x" * 3_000_000, content_type=form)
    for answer in (just_over, far_over):
        assert answer.status_code == 413
        assert answer.get_json()["error"] == {
            "code": "media.too_large",
            "message": answer.get_json()["error"]["message"],
            "params": {"limit_bytes": 100_000},
        }
    assert site.files() == []


def test_a_full_disk_is_a_sentence(site: Site, clip: Path) -> None:
    site.exchange_services(free_bytes=lambda: 10)
    answer = site.upload(clip)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (507, "upload.no_space")
    assert site.files() == []


def test_a_bell_that_does_not_ring_fails_no_upload(new_site: NewSite, clip: Path) -> None:
    site = new_site(ring=lambda job_id: False)
    assert site.upload(clip).status_code == 201


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"camera": ""}, "request.field"),
        ({"camera": "   "}, "request.missing"),
        ({"camera": "\u0000\u202e"}, "request.missing"),
        ({"camera": "x" * 201}, "request.field"),
        ({"started_at": "yesterday"}, "request.time"),
        ({"started_at": "0001-01-01T00:00"}, "request.time"),
        ({"started_at": "2026-11-21T08:00", "time_zone": "Mars/Olympus"}, "request.time_zone"),
        ({"started_at": "2026-11-21T08:00", "time_zone": "../../etc/passwd"}, "request.time_zone"),
        ({"detector": "magic"}, "request.field"),
    ],
)
def test_bad_fields_are_refused_and_leave_nothing(site: Site, clip: Path, fields: dict[str, str], code: str) -> None:
    answer = site.upload(clip, **fields)  # type: ignore[arg-type]  # the names are fields of the form
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, code)
    assert site.files() == []


def test_none_or_two_files_are_refused(site: Site, clip: Path) -> None:
    none = site.client.post("/api/v1/videos", data={"camera": "gate"}, content_type="multipart/form-data")
    content = clip.read_bytes()
    two = site.client.post(
        "/api/v1/videos", data={"camera": "gate", "file": [(BytesIO(content), "a.mp4"), (BytesIO(content), "b.mp4")]}
    )
    for answer in (none, two):
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "request.one_file")
    assert site.files() == []


def test_the_list_is_newest_first_and_comes_in_parts(site: Site, tmp_path: Path) -> None:
    clip = make_video(tmp_path / "short.mp4", frame_count=3)
    ids = [site.upload(clip, name=f"{number}.mp4").get_json()["id"] for number in range(3)]
    whole = site.client.get("/api/v1/videos").get_json()
    assert [video["id"] for video in whole["videos"]] == ids[::-1]
    part = site.client.get("/api/v1/videos?limit=1&offset=1").get_json()
    assert ([video["id"] for video in part["videos"]], part["total"]) == ([ids[1]], 3)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "offset=-1", "offset=99999999999", "limit="])
def test_a_list_query_that_makes_no_sense_is_refused(site: Site, query: str) -> None:
    answer = site.client.get(f"/api/v1/videos?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["error"]["params"]["name"] == query.partition("=")[0]


def test_a_video_can_be_changed(site: Site, video: dict[str, Any]) -> None:
    assert video["started_at"] == "2026-11-21T00:00:00Z"
    change = {
        "name": "../夜.mp4",
        "camera": "yard",
        "started_at": "2026-01-02T03:04:05.250",
        "time_zone": "Europe/Berlin",
    }
    changed = site.client.patch(video["url"], json=change).get_json()
    assert (changed["name"], changed["camera"]["name"]) == ("夜.mp4", "yard")
    assert changed["started_at"] == "2026-01-02T02:04:05.250Z"
    assert site.client.get(video["url"]).get_json() == changed
    emptied = site.client.patch(video["url"], json={"started_at": None}).get_json()
    assert emptied["started_at"] is None
    assert emptied["name"] == "夜.mp4"


@pytest.mark.parametrize(
    ("body", "status"),
    [({"nme": "x"}, 422), ({"name": 7}, 422), ({"name": ""}, 422), ({"camera": "\n"}, 422), ([], 422), ("x", 422)],
)
def test_a_change_that_makes_no_sense_is_refused(site: Site, video: dict[str, Any], body: object, status: int) -> None:
    answer = site.client.patch(video["url"], json=body)
    assert answer.status_code == status
    assert set(answer.get_json()["error"]) == {"code", "message", "params"}
    assert site.client.get(video["url"]).get_json() == video


def test_surrogates_in_json_do_no_harm(site: Site, video: dict[str, Any]) -> None:
    body = b'{"name": "a\\ud800b.mp4", "camera": "c\\u0000d"}'
    changed = site.client.patch(video["url"], data=body, content_type="application/json")
    assert changed.status_code == 200
    assert (changed.get_json()["name"], changed.get_json()["camera"]["name"]) == ("ab.mp4", "cd")


def test_a_deleted_video_is_gone_with_its_files(site: Site, done_video: dict[str, Any]) -> None:
    assert site.client.delete(done_video["url"]).status_code == 204
    assert site.files() == []
    for address in (done_video["url"], done_video["page_url"], done_video["job"]["url"], done_video["poster_url"]):
        assert site.client.get(address).status_code == 404
    assert site.client.delete(done_video["url"]).status_code == 404


def test_the_whole_way_works_on_both_databases(new_site: NewSite, clip: Path, database_url: str) -> None:
    site = new_site(database_url=database_url)
    video = site.upload(clip, camera="门 1", name="夜.mp4").get_json()
    publish_result(site, video)
    shown = site.client.get(video["url"]).get_json()
    assert shown["job"]["state"] == "done"
    assert shown["result"]["track_count"] == 2
    assert [camera["name"] for camera in site.client.get("/api/v1/cameras").get_json()["cameras"]] == ["门 1"]
    assert site.client.patch(video["url"], json={"camera": "c\u0000d"}).get_json()["camera"]["name"] == "cd"
    again = site.client.post(f"{video['url']}/jobs").get_json()
    assert site.client.post(again["cancel_url"]).get_json()["state"] == "cancelled"
    assert site.client.get("/api/v1/health").get_json()["jobs"]["done"] == 1
    assert site.client.delete(video["url"]).status_code == 204

"""Identities through the JSON API and the forms of their pages."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from reid.datasets import read_dataset
from store import identities
from tests.databases import NOON
from tests.web.sites import Site, publish_result
from tests.web.test_openapi import check

JSON = dict[str, Any]
AddVideo = Callable[[str], JSON]


@pytest.fixture
def add_video(site: Site, clip: Path) -> AddVideo:
    """Return a function that adds a video of a camera with the result of `publish_result`: a person and a car."""

    def add(camera: str, started_at: str = "2026-11-20T08:00:00Z") -> JSON:
        video: JSON = site.upload(clip, camera=camera, started_at=started_at).get_json()
        publish_result(site, video)
        shown: JSON = site.client.get(video["url"]).get_json()
        return shown

    return add


def track_ids(site: Site, video: JSON) -> list[int]:
    tracks = site.client.get(f"{video['url']}/tracks").get_json()["tracks"]
    return [track["track_id"] for track in tracks]


@pytest.fixture
def two(site: Site, add_video: AddVideo) -> tuple[int, int]:
    """Return the numbers of two identities, of a person at the gate and one in the hall."""
    made = []
    for camera in ("gate", "hall"):
        person = track_ids(site, add_video(camera))[0]
        answer = site.client.post("/api/v1/identities", json={"tracks": [person]})
        assert answer.status_code == 201
        made.append(answer.get_json()["id"])
    return made[0], made[1]


def do(site: Site, action: str, numbers: list[int], **more: Any) -> JSON:
    answer = site.client.post("/api/v1/identities/actions", json={"action": action, "identities": numbers, **more})
    assert answer.status_code == 200, answer.get_json()
    done: JSON = answer.get_json()
    return done


def test_a_merge_through_the_api_is_undone_and_done_again(site: Site, two: tuple[int, int]) -> None:
    before = [site.client.get(f"/api/v1/identities/{number}").get_json() for number in two]
    done = do(site, "merge", list(two))
    merged = site.client.get(f"/api/v1/identities/{two[0]}").get_json()
    assert merged["cameras"] == ["gate", "hall"]
    assert site.client.get(f"/api/v1/identities/{two[1]}").status_code == 404
    event = f"/api/v1/identities/events/{done['event_id']}"
    assert site.client.post(f"{event}/undo").status_code == 204
    assert [site.client.get(f"/api/v1/identities/{number}").get_json() for number in two] == before
    assert site.client.post(f"{event}/undo").get_json()["error"]["code"] == "identity.undone"
    assert site.client.post(f"{event}/redo").status_code == 204
    assert site.client.get(f"/api/v1/identities/{two[0]}").get_json() == merged


def test_names_are_found_and_lists_are_filtered(site: Site, two: tuple[int, int]) -> None:
    site.client.patch(f"/api/v1/identities/{two[0]}", json={"name": " 阿宝  Bo ", "note": "red\r\ncoat\x00"})
    shown = site.client.get(f"/api/v1/identities/{two[0]}").get_json()
    assert (shown["name"], shown["note"]) == ("阿宝 Bo", "red\ncoat")
    camera = next(one for one in site.client.get("/api/v1/cameras").get_json()["cameras"] if one["name"] == "hall")
    for query, found in (
        ("text=阿宝", [two[0]]),
        ("text=%25", []),
        (f"text=%23{two[1]}", [two[1]]),
        (f"camera_id={camera['id']}", [two[1]]),
        ("certainty=confirmed", [two[1], two[0]]),
        ("certainty=proposed", []),
        ("kind=vehicle", []),
        ("visibility=hidden", []),
    ):
        answer = site.client.get(f"/api/v1/identities?{query}").get_json()
        assert [one["id"] for one in answer["identities"]] == found, query
    do(site, "hide", [two[0]])
    assert site.client.get("/api/v1/identities?visibility=hidden").get_json()["total"] == 1


def test_tracks_show_whose_they_are(site: Site, add_video: AddVideo) -> None:
    video = add_video("gate")
    person, _ = track_ids(site, video)
    number = site.client.post("/api/v1/identities", json={"tracks": [person], "name": "Bo"}).get_json()["id"]
    first, second = site.client.get(f"{video['url']}/tracks").get_json()["tracks"]
    assert first["identity"] == {
        "id": number,
        "name": "Bo",
        "is_confirmed": True,
        "page_url": f"/identities/{number}",
    }
    assert second["identity"] is None
    answer = site.client.post(f"/api/v1/identities/{number}/tracks", json={"action": "reject", "tracks": [person]})
    assert answer.status_code == 200
    assert site.client.get(f"{video['url']}/tracks").get_json()["tracks"][0]["identity"] is None


def test_two_of_one_moment_are_refused_unless_allowed(site: Site, add_video: AddVideo) -> None:
    people = [track_ids(site, add_video("gate"))[0] for _ in range(2)]
    refused = site.client.post("/api/v1/identities", json={"tracks": people})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "identity.together")
    allowed = site.client.post("/api/v1/identities", json={"tracks": people, "allow_together": True})
    assert allowed.status_code == 201


def test_forms_do_the_same_and_lead_back_with_what_to_undo(site: Site, two: tuple[int, int]) -> None:
    form = {"action": "merge", "identity": [str(number) for number in two], "back": "/identities?kind=person"}
    answer = site.client.post("/identities/actions", data=with_token(site, form))
    assert answer.status_code == 303
    location = answer.headers["Location"]
    assert location.startswith("/identities?kind=person&done=")
    page = site.client.get(location).text
    assert "/undo" in page
    event_id = location.rpartition("=")[2]
    undone = site.client.post(f"/identities/events/{event_id}/undo", data=with_token(site, {"back": location}))
    assert undone.headers["Location"] == "/identities?kind=person"
    assert site.client.get(f"/identities/{two[1]}").status_code == 200


def with_token(site: Site, form: JSON) -> JSON:
    """Return a form with its token, as the gallery hands it out."""
    page = site.client.get("/identities").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    return {**form, "csrf_token": token}


def test_a_form_that_is_refused_says_why_and_keeps_the_choice(site: Site, add_video: AddVideo) -> None:
    people = [track_ids(site, add_video("gate"))[0] for _ in range(2)]
    one, two = (site.client.post("/api/v1/identities", json={"tracks": [track]}).get_json()["id"] for track in people)
    form = with_token(site, {"action": "merge", "identity": [str(one), str(two)]})
    refused = site.client.post("/identities/actions", data=form)
    assert refused.status_code == 409
    assert "at the same time" in refused.text
    assert 'name="allow_together" value="1"' in refused.text
    assert refused.text.count(" checked") == 2
    nothing = site.client.post("/identities/actions", data=with_token(site, {"action": "merge"}))
    assert nothing.status_code == 422
    allowed = site.client.post("/identities/actions", data={**form, "allow_together": "1"})
    assert allowed.status_code == 303


def test_the_pages_show_route_pictures_and_history(site: Site, two: tuple[int, int]) -> None:
    do(site, "merge", list(two))
    page = site.client.get(f"/identities/{two[0]}").text
    for part in ("gate", "hall", f"Merged into #{two[0]}", "axis-data", "t=0.000&amp;track=1"):
        assert part in page, part
    assert "2 sightings" in site.client.get("/identities").text
    history = site.client.get("/identities/history").text
    assert history.count('class="event-number"') == 3
    assert site.client.get("/identities/duplicates").status_code == 200
    assert site.client.get("/identities/999").status_code == 404
    assert site.client.get(f"/identities/{two[1]}").headers["Location"] == f"/identities/{two[0]}"


def test_an_identity_leaves_as_a_zip_whose_manifest_is_true(site: Site, two: tuple[int, int]) -> None:
    do(site, "merge", list(two))
    answer = site.client.get(f"/api/v1/identities/{two[0]}/export.zip")
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        names = archive.namelist()
        for file in manifest["files"]:
            content = archive.read(file["name"])
            assert (len(content), sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
        rows = archive.read("sightings.csv").decode().splitlines()
    assert names == ["pictures/0001.jpg", "pictures/0002.jpg", "sightings.csv", "manifest.json"]
    assert (manifest["identity"], manifest["sightings"], manifest["has_clips"]) == (two[0], 2, False)
    assert [row.split(",")[1] for row in rows] == ["camera", "gate", "hall"]


def test_confirmed_identities_leave_as_data_sets(
    site: Site, two: tuple[int, int], add_video: AddVideo, tmp_path: Path
) -> None:
    do(site, "merge", list(two))
    other = [track_ids(site, add_video(camera, "2026-11-21T08:00:00Z"))[0] for camera in ("gate", "hall")]
    second = site.client.post("/api/v1/identities", json={"tracks": other}).get_json()["id"]
    found = {}
    for form in ("market1501", "mot", "coco"):
        answer = site.client.get(f"/api/v1/identities/export/{form}.zip")
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            found[form] = {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}
            archive.extractall(tmp_path / form)
    folders = sorted(name.partition("/")[0] for name in found["market1501"])
    assert folders == [*["bounding_box_test"] * 2, *["bounding_box_train"] * 2, *["query"] * 2]
    read = read_dataset("market1501", tmp_path / "market1501")
    assert ([image.identity for image in read.train], len(read.query)) == ([two[0]] * 2, 2)
    lines = next(text for name, text in found["mot"].items() if name.endswith("gt.txt")).decode().splitlines()
    assert len(lines) == 20
    assert lines[0].split(",")[:2] in (["1", str(two[0])], ["1", str(second)])
    coco = json.loads(found["coco"]["annotations.json"])
    assert len(coco["annotations"]) == 4 * 20
    assert {one["identity_id"] for one in coco["annotations"]} == {two[0], second}
    assert site.client.get("/api/v1/identities/export/zip.zip").status_code == 404


def test_a_film_and_a_judgement_are_queued_and_shown(site: Site, two: tuple[int, int]) -> None:
    answer = site.client.post(f"/api/v1/identities/{two[0]}/film")
    assert (answer.status_code, answer.get_json()["kind"]) == (201, "reel")
    assert answer.get_json()["video_url"] == f"/identities/{two[0]}"
    assert site.client.post(f"/api/v1/identities/{two[0]}/film").status_code == 409
    assert site.client.get(f"/api/v1/identities/{two[0]}/film.mp4").status_code == 404
    judged = site.client.post("/api/v1/identities/evaluations")
    assert judged.get_json()["kind"] == "evaluate"
    assert len(site.client.get("/api/v1/identities/evaluations").get_json()["evaluations"]) == 1
    page = site.client.get("/jobs").text
    assert '<span data-field="kind">Film of an identity</span>' in page
    assert ">Judging a model</a>" in page
    assert site.client.get(f"/identities/{two[0]}").status_code == 200
    assert site.client.get("/identities/models").status_code == 200
    assert len(site.rung) == 4


def test_forgetting_leaves_no_vector_no_picture_and_no_name(site: Site, two: tuple[int, int]) -> None:
    site.client.patch(f"/api/v1/identities/{two[0]}", json={"name": "Bo"})
    pictures = [name for name in site.files() if name.endswith("crops/1.jpg")]
    do(site, "forget", [two[0]])
    assert len([name for name in site.files() if name.endswith("crops/1.jpg")]) == len(pictures) - 1
    assert site.client.get(f"/api/v1/identities/{two[0]}").status_code == 404
    history = site.client.get("/api/v1/identities/events").text
    assert "Bo" not in history
    with site.session() as session, pytest.raises(Exception, match="no such page"):
        identities.rename(session, two[0], "Bo", NOON)


def test_answers_are_as_the_document_says(site: Site, two: tuple[int, int]) -> None:
    spec = site.client.get("/api/v1/openapi.json").get_json()
    prefix = "/api/v1/identities"
    for address, template in (
        (prefix, prefix),
        (f"{prefix}/{two[0]}", f"{prefix}/{{number}}"),
        (f"{prefix}/events", f"{prefix}/events"),
        (f"{prefix}/events?identity_id={two[1]}", f"{prefix}/events"),
        (f"{prefix}/duplicates", f"{prefix}/duplicates"),
        (f"{prefix}/999", f"{prefix}/{{number}}"),
        (f"{prefix}?kind=tree", prefix),
    ):
        check(site, spec, "GET", address, template)
    action = {"action": "merge", "identities": list(two)}
    check(site, spec, "POST", f"{prefix}/actions", f"{prefix}/actions", json=action)
    check(site, spec, "PATCH", f"{prefix}/{two[0]}", f"{prefix}/{{number}}", json={"name": "Bo"})
    check(site, spec, "POST", f"{prefix}/{two[0]}/film", f"{prefix}/{{number}}/film")
    check(site, spec, "POST", f"{prefix}/evaluations", f"{prefix}/evaluations")
    check(site, spec, "GET", f"{prefix}/evaluations", f"{prefix}/evaluations")

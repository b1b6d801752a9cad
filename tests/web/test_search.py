"""Searching over HTTP: answers, pictures, decisions, models and cameras, with and without JavaScript."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy.orm import sessionmaker

from records import FloatArray
from store import identities, queries
from store.queries import FoundPerson
from store.tables import Job, Track
from tests.databases import NOON
from tests.store.identity_scene import Sessions, add_tracks
from tests.web.sites import Site
from tests.web.test_openapi import check
from web.database import db

JSON = dict[str, Any]


def person(number: int, *, away: float = 0.0) -> FloatArray:
    vector = np.zeros(8, np.float32)
    vector[number], vector[-1] = np.cos(away), np.sin(away)
    return vector


@pytest.fixture
def sessions(site: Site) -> Sessions:
    with site.app.app_context():
        return sessionmaker(db.engine, expire_on_commit=False)


@pytest.fixture
def tracks(sessions: Sessions) -> list[int]:
    """Return a track of a person in the north, one alike in the south, and one of somebody else there."""
    mine = add_tracks(sessions, "north", [(0, 2)], vectors=[person(0)])
    later = NOON + timedelta(seconds=60)
    return mine + add_tracks(
        sessions, "south", [(0, 2), (5, 7)], vectors=[person(0, away=0.3), person(1)], began_at=later
    )


@pytest.fixture
def spec(site: Site) -> JSON:
    document: JSON = site.client.get("/api/v1/openapi.json").get_json()
    return document


def ask(site: Site, address: str) -> JSON:
    answer = site.client.get(f"/api/v1/search?{address}")
    assert answer.status_code == 200, answer.text
    found: JSON = answer.get_json()
    return found


def ids(found: JSON) -> list[int]:
    return [answer["track"]["id"] for answer in found["answers"]]


def jpeg(width: int = 40, height: int = 30) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (width, height), (90, 120, 30)).save(stream, "JPEG")
    return stream.getvalue()


def send(site: Site, *files: bytes, address: str = "/api/v1/search/queries") -> Any:
    data = {"file": [(BytesIO(data), f"{place}.jpg") for place, data in enumerate(files)]}
    return site.client.post(address, data=data)


def finish(sessions: Sessions, query_id: str, vector: FloatArray, *, embedder: str = "hsv_stripes") -> None:
    """Do what the worker does."""
    now = datetime.now(timezone.utc)
    with sessions.begin() as session:
        held = queries.claim(session, query_id, "w1", now, 90)
        assert held is not None
        found = FoundPerson(0, "person", 0.9, (0.1, 0.1, 0.5, 0.9), vector)
        queries.finish(session, held, [found], embedder=embedder, now=now)


def test_a_track_is_searched_by_with_filters_and_pages(site: Site, tracks: list[int]) -> None:
    mine, near, far = tracks
    found = ask(site, f"track={mine}")
    assert ids(found) == [near, far]
    assert (found["total"], found["model"], found["calibration"]) == (2, "hsv_stripes", None)
    first = found["answers"][0]["track"]
    assert first["started_at"] == "2024-05-01T12:01:00Z"
    assert first["moment_url"].endswith("?t=0.000&track=1")
    assert ids(ask(site, f"track={mine}&least=0.9")) == [near]
    assert ids(ask(site, f"track={mine}&limit=1&offset=1")) == [far]
    north = found["subject"]["tracks"][0]["camera"]["id"]
    assert ids(ask(site, f"track={mine}&camera={north}")) == []
    assert ids(ask(site, f"track={mine}&since=2024-05-01T20:01:04&time_zone=Asia/Shanghai")) == [far]
    assert ids(ask(site, f"track={mine}&rerank=true&ways=false")) == [near, far]


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("", 409, "search.no_model"),
        ("track=99", 409, "search.no_model"),
        ("track=x", 422, "request.field"),
        ("track=1&least=7", 422, "request.field"),
        ("track=1&since=yesterday", 422, "request.time"),
        (f"person={'0' * 32}-1", 404, "search.query_gone"),
        ("person=nonsense", 404, "request.not_found"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(site: Site, address: str, status: int, code: str) -> None:
    answer = site.client.get(f"/api/v1/search?{address}")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)


def test_answers_of_the_whole_part_are_as_described(site: Site, spec: JSON, tracks: list[int]) -> None:
    prefix = "/api/v1"
    check(site, spec, "GET", f"{prefix}/search?track={tracks[0]}", f"{prefix}/search")
    check(site, spec, "GET", f"{prefix}/search/models", f"{prefix}/search/models")
    check(site, spec, "GET", f"{prefix}/cameras/ways", f"{prefix}/cameras/ways")
    way, body = f"{prefix}/cameras/ways/{{start}}/{{end}}", {"least_s": 5, "most_s": 50}
    check(site, spec, "PUT", f"{prefix}/cameras/ways/1/2", way, json=body)
    check(site, spec, "GET", f"{prefix}/cameras/ways", f"{prefix}/cameras/ways")
    check(site, spec, "PATCH", f"{prefix}/cameras/1", f"{prefix}/cameras/{{number}}", json={"place": "gate"})
    decision = {"track": [tracks[0]], "answer": tracks[1], "decision": "confirm"}
    check(site, spec, "POST", f"{prefix}/search/decisions", f"{prefix}/search/decisions", json=decision)
    check(site, spec, "GET", f"{prefix}/search?track={tracks[0]}", f"{prefix}/search")
    check(site, spec, "POST", f"{prefix}/search/calibration", f"{prefix}/search/calibration")
    query = send(site, jpeg()).get_json()
    check(site, spec, "GET", query["url"], f"{prefix}/search/queries/{{query_id}}")


def test_a_confirmed_answer_joins_and_a_rejected_one_never_comes_back(site: Site, tracks: list[int]) -> None:
    mine, near, far = tracks

    def decide(answer: int, decision: str, **more: Any) -> JSON:
        body = {"track": [mine], "answer": answer, "decision": decision, **more}
        done = site.client.post("/api/v1/search/decisions", json=body)
        assert done.status_code == 200, done.text
        shown: JSON = done.get_json()
        return shown

    rejected = decide(far, "reject")
    assert ids(ask(site, f"track={mine}")) == [near]
    confirmed = decide(near, "confirm", identity=rejected["identity"])
    assert confirmed["identity"] == rejected["identity"]
    found = ask(site, f"track={mine}")
    assert ids(found) == []
    assert [sight["id"] for sight in found["subject"]["confirmed"]] == [near]
    assert site.client.post(confirmed["undo_url"]).status_code < 300
    assert ids(ask(site, f"track={mine}")) == [near]
    assert site.client.post(rejected["undo_url"]).status_code < 300
    assert ids(ask(site, f"track={mine}")) == [near, far]


def test_a_picture_is_received_looked_at_and_searched_by(site: Site, sessions: Sessions, tracks: list[int]) -> None:
    answer = send(site, jpeg(), jpeg())
    assert answer.status_code == 201, answer.text
    query = answer.get_json()
    assert (query["state"], query["people"], site.rung[-1]) == ("queued", [], query["id"])
    folder = site.services.storage.query(query["id"]).folder
    assert sorted(path.name for path in folder.iterdir()) == ["0.picture", "1.picture"]
    finish(sessions, query["id"], person(1, away=0.1))
    (found,) = site.client.get(query["url"]).get_json()["people"]
    answers = ask(site, f"person={found['id']}")
    assert ids(answers)[0] == tracks[2]
    assert answers["subject"]["people"][0]["id"] == found["id"]
    done = site.client.post(
        "/api/v1/search/decisions", json={"person": [found["id"]], "answer": tracks[2], "decision": "confirm"}
    ).get_json()
    assert tracks[2] not in ids(ask(site, f"person={found['id']}&identity={done['identity']}"))
    assert site.client.delete(query["url"]).status_code == 204
    assert not folder.exists()
    assert site.client.get(f"/api/v1/search?person={found['id']}").status_code == 404


def test_pictures_described_by_another_model_are_not_compared(
    site: Site, sessions: Sessions, tracks: list[int]
) -> None:
    query = send(site, jpeg()).get_json()
    finish(sessions, query["id"], person(1), embedder="network@12345678")
    answer = site.client.get(f"/api/v1/search?person={query['id']}-1")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "search.other_model")


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([], 422, "picture.count"),
        ([b"x"] * 9, 422, "picture.count"),
        ([b"GIF89a"], 422, "picture.unreadable"),
        ([jpeg(400, 300)], 422, "picture.too_many_pixels"),
        ([b"x" * 5000], 413, "picture.too_large"),
    ],
)
def test_pictures_beyond_the_limits_leave_nothing(new_site: Any, files: list[bytes], status: int, code: str) -> None:
    site = new_site(max_picture_bytes=4000, max_picture_pixels=10_000)
    answer = send(site, *files)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert not site.services.storage.queries_dir.exists() or not list(site.services.storage.queries_dir.iterdir())


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_pages_work_without_scripts(site: Site, sessions: Sessions, tracks: list[int]) -> None:
    mine, near, far = tracks
    start = site.client.get("/search").text
    assert f"/search?track={mine}" in start
    page = site.client.get(f"/search?track={mine}").text
    assert page.index(f'data-track="{near}"') < page.index(f'data-track="{far}"')
    assert "Not calibrated" in page
    form = {"csrf_token": _token(page), "track": mine, "answer": near, "decision": "confirm"}
    answer = site.client.post("/search/decisions", data=form)
    assert answer.status_code == 303
    after = site.client.get(answer.location).text
    assert f'data-track="{near}"' not in after
    assert "/undo" in after, "it can be taken back"
    sent = site.client.post("/search/pictures", data={"csrf_token": _token(start), "file": (BytesIO(jpeg()), "a.jpg")})
    assert sent.status_code == 303
    assert "Looking for people" in site.client.get(sent.location).text
    query_id = sent.location.rpartition("/")[2]
    finish(sessions, query_id, person(0))
    assert f"person={query_id}-1" in site.client.get(sent.location).text
    gone = site.client.post(f"/search/pictures/{query_id}/delete", data={"csrf_token": _token(page)})
    assert gone.status_code == 303
    assert site.client.get(sent.location).status_code == 404
    refused = site.client.get("/search?track=999")
    assert refused.status_code == 404
    assert "Or begin with" in refused.text


def test_a_picture_of_some_megabytes_passes_the_form_and_the_api(site: Site) -> None:
    token = _token(site.client.get("/search").text)
    edge = "x7f"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n--{edge}\r\n'
    head += 'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = head.encode() + jpeg() + bytes(2 * 1024**2) + f"\r\n--{edge}--\r\n".encode()
    for address, status in (("/search/pictures", 303), ("/api/v1/search/queries", 201)):
        sent = site.client.post(address, data=body, content_type=f"multipart/form-data; boundary={edge}")
        assert sent.status_code == status, sent.text


def test_a_calibrated_model_has_words_and_histograms(site: Site, sessions: Sessions) -> None:
    rng = np.random.default_rng(0)
    for number in range(5):
        people = [person(number, away=float(rng.uniform(0, 0.3))) for _ in range(3)]
        own = add_tracks(sessions, f"camera {number}", [(n, n + 0.5) for n in range(3)], vectors=people)
        with sessions.begin() as session:
            identities.confirm(session, own, None, NOON)
    (asked, alike) = add_tracks(sessions, "yard", [(0, 1), (2, 3)], vectors=[person(6), person(6, away=0.1)])
    page = site.client.get("/search/models").text
    done = site.client.post("/search/calibration", data={"csrf_token": _token(page), "false_match_rate": "0.1"})
    assert done.status_code == 303, done.text
    assert "<svg" in site.client.get("/search/models").text
    found = ask(site, f"track={asked}")
    assert found["calibration"]["same_pairs"] == 15
    words = {answer["track"]["id"]: answer["word"] for answer in found["answers"]}
    assert words[alike] == "probable"
    assert set(words.values()) >= {"probable", "unlikely"}
    assert 'class="histogram"' in site.client.get(f"/search?track={asked}").text


def test_another_model_is_chosen_on_the_page_and_the_work_is_queued(
    site: Site, sessions: Sessions, tracks: list[int]
) -> None:
    page = site.client.get("/search/models").text
    form = {"csrf_token": _token(page), "name": "", "choice": "paddle"}
    assert site.client.post("/search/models/active", data=form).status_code == 303
    with sessions() as session:
        made = session.query(Job).filter_by(kind="embed").all()
        assert {job.settings["embedder"] for job in made} == {"paddle"}
        assert len(made) == 2
        assert made[0].id in site.rung or made[1].id in site.rung
    assert "Describing for the search" in site.client.get("/jobs").text
    back = site.client.post("/api/v1/search/models/active", json={"name": "hsv_stripes"}).get_json()
    assert [model["name"] for model in back["models"] if model["is_active"]] == ["hsv_stripes"]
    assert ids(ask(site, f"track={tracks[0]}")) == tracks[1:]
    assert site.client.post("/api/v1/search/models/active", json={"name": "no"}).status_code == 404


def test_a_camera_s_clock_corrects_every_time_that_is_shown(site: Site, sessions: Sessions, tracks: list[int]) -> None:
    with sessions() as session:
        video_id = session.get_one(Track, tracks[1]).video_id
    south = site.client.get(f"/api/v1/videos/{video_id}").get_json()["camera"]["id"]
    page = site.client.get("/cameras").text
    form = {"csrf_token": _token(page), "name": "south", "place": "yard", "time_zone": "", "clock_offset_s": "-30"}
    assert site.client.post(f"/cameras/{south}", data=form).status_code == 303
    video = site.client.get(f"/api/v1/videos/{video_id}").get_json()
    assert (video["started_at"], video["clock_started_at"]) == ("2024-05-01T12:00:30Z", "2024-05-01T12:01:00Z")
    shown = site.client.get(f"/api/v1/videos/{video_id}/tracks").get_json()["tracks"][0]
    assert (shown["id"], shown["started_at"]) == (tracks[1], "2024-05-01T12:00:30Z")
    assert ask(site, f"track={tracks[0]}")["answers"][0]["track"]["started_at"] == "2024-05-01T12:00:30Z"
    for body, status in (({"name": "north"}, 409), ({"time_zone": "Mars"}, 422), ({"name": " "}, 422)):
        assert site.client.patch(f"/api/v1/cameras/{south}", json=body).status_code == status


def test_ways_are_entered_and_forgotten_on_the_page(site: Site, tracks: list[int]) -> None:
    page = site.client.get("/cameras").text
    form = {
        "csrf_token": _token(page),
        "start": "1",
        "end": "2",
        "least_s": "100",
        "most_s": "200",
        "is_possible": "yes",
    }
    assert site.client.post("/cameras/ways", data=form).status_code == 303
    assert ids(ask(site, f"track={tracks[0]}")) == [], "nobody gets there so soon"
    assert ids(ask(site, f"track={tracks[0]}&ways=false")) == tracks[1:]
    refused = site.client.post("/cameras/ways", data={**form, "most_s": "5"})
    assert refused.status_code == 422
    assert "is no span of time" in refused.text
    assert site.client.post("/cameras/ways", data={**form, "forget": "1"}).status_code == 303
    assert ids(ask(site, f"track={tracks[0]}")) == tracks[1:]

"""The result of a video: tracks, boxes, presence, files and ranges of them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest

from points import PointTable
from tests.web.sites import Site, publish_result, sample_points
from web.downloads import MAX_PIECE_BYTES
from web.tracks import boxes_between, presence


def test_a_done_video_tells_what_ran_and_where_the_files_are(site: Site, done_video: dict[str, Any]) -> None:
    result = done_video["result"]
    assert (result["frame_rate"], result["frame_count"], result["track_count"]) == (25.0, 20, 2)
    assert result["detector"] == {"name": "yolox", "source": "weights/yolox.onnx", "notices": []}
    assert [notice["code"] for notice in result["embedder"]["notices"]] == ["model.descriptor_fallback"]
    assert "colours" in result["embedder"]["notices"][0]["message"]
    assert done_video["job"]["notices"] == result["embedder"]["notices"]
    for address in (result["playback_url"], result["annotated_url"], *result["downloads"].values()):
        assert site.client.get(address).status_code == 200


def test_tracks_come_with_their_wall_clock(site: Site, done_video: dict[str, Any]) -> None:
    found = site.client.get(f"{done_video['url']}/tracks").get_json()["tracks"]
    assert [(track["number"], track["kind"], track["class_name"]) for track in found] == [
        (1, "person", "person"),
        (2, "vehicle", "car"),
    ]
    assert found[0]["started_at"] == "2026-11-21T00:00:00Z"
    assert site.client.get(found[1]["crop_url"]).data == b"\xff\xd8crop\x02"


def test_boxes_of_a_range_are_fractions_of_the_frame(site: Site, done_video: dict[str, Any]) -> None:
    boxes = site.client.get(f"{done_video['url']}/boxes?from_s=0.04&to_s=0.12").get_json()
    assert boxes["frames"] == {"first": 1, "pts_s": [0.04, 0.08]}
    points = boxes["points"]
    assert points["frame"] == [1, 2, 2]
    assert points["track"] == [1, 1, 2]
    assert points["x1"] == [round(1 / 192, 5), round(2 / 192, 5), round(100 / 192, 5)]
    assert points["y2"] == [round(60 / 128, 5), round(60 / 128, 5), round(100 / 128, 5)]
    assert points["score"] == [0.9, 0.9, 0.8]


@pytest.mark.parametrize(
    ("query", "count"), [("", 30), ("from_s=0.4", 15), ("from_s=500", 0), ("from_s=0.2&to_s=0.2", 0), ("to_s=120", 30)]
)
def test_ranges_may_be_open_or_empty(site: Site, done_video: dict[str, Any], query: str, count: int) -> None:
    boxes = site.client.get(f"{done_video['url']}/boxes?{query}").get_json()
    assert {len(column) for column in boxes["points"].values()} == {count}


@pytest.mark.parametrize(
    "query", ["from_s=-1", "from_s=x", "from_s=nan", "to_s=inf", "from_s=5&to_s=4", "from_s=0&to_s=120.1", "to_s=1e30"]
)
def test_ranges_that_make_no_sense_are_refused(site: Site, done_video: dict[str, Any], query: str) -> None:
    answer = site.client.get(f"{done_video['url']}/boxes?{query}")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "request.field")


def test_boxes_are_not_sent_again_while_they_are_the_same(site: Site, done_video: dict[str, Any]) -> None:
    address = f"{done_video['url']}/boxes?from_s=0"
    tag = site.client.get(address).headers["ETag"]
    assert site.client.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert site.client.get(f"{address}.1", headers={"If-None-Match": tag}).status_code == 200
    again = site.client.post(f"{done_video['url']}/jobs").get_json()
    publish_result(site, {"job": again})
    assert site.client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_boxes_agree_with_a_plain_reading_of_the_points() -> None:
    points = sample_points(frame_count=50)
    shown = boxes_between(points, 0.5, 1.5, width=192, height=128)
    plain = [
        (int(frame), int(number), *(round(float(edge) / side, 5) for edge, side in zip(box, (192, 128, 192, 128), strict=True)))
        for frame, number, box in zip(points.frames, points.track_numbers, points.boxes_xyxy, strict=True)
        if 0.5 <= points.frame_pts_s[frame] < 1.5
    ]  # fmt: skip
    columns = [shown["points"][name] for name in ("frame", "track", "x1", "y1", "x2", "y2")]
    assert list(zip(*columns, strict=True)) == plain
    assert shown["frames"]["first"] == 13
    assert len(shown["frames"]["pts_s"]) == 25


def test_presence_counts_people_and_vehicles_apart(site: Site, done_video: dict[str, Any]) -> None:
    shown = site.client.get(f"{done_video['url']}/presence?bins=4").get_json()
    assert shown["bin_s"] == pytest.approx(0.2)
    assert shown["person"] == [1, 1, 1, 1]
    assert shown["vehicle"] == [1, 1, 1, 1]
    fine = site.client.get(f"{done_video['url']}/presence?bins=20").get_json()
    assert fine["vehicle"] == [1, 0] * 10
    assert site.client.get(f"{done_video['url']}/presence?bins=0").status_code == 422


@pytest.mark.parametrize("bins", [1, 7, 200])
@pytest.mark.parametrize("frame_count", [1, 2, 33])
def test_presence_never_has_more_bins_than_asked_for(bins: int, frame_count: int) -> None:
    points = sample_points(frame_count=frame_count)
    shown = presence(points, {1: "person", 2: "vehicle"}, duration_s=0.0, bins=bins)
    assert len(shown["person"]) <= bins
    assert max(shown["person"]) == 1


def test_a_video_without_boxes_is_answered(site: Site, done_video: dict[str, Any]) -> None:
    none = PointTable(
        np.arange(20) / 25, np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    )  # fmt: skip
    folder = next((site.settings.data_dir / "videos" / done_video["id"] / "attempts").iterdir())
    none.save(folder / "points.npz")
    assert site.client.get(f"{done_video['url']}/boxes").get_json()["points"]["x1"] == []
    assert set(site.client.get(f"{done_video['url']}/presence").get_json()["person"]) == {0}
    assert site.client.get(f"{done_video['url']}/result.txt").data == b""


def test_downloads_hold_all_boxes(site: Site, done_video: dict[str, Any]) -> None:
    downloads = done_video["result"]["downloads"]
    mot = site.client.get(downloads["mot"]).text.splitlines()
    assert len(mot) == 30
    assert mot[0] == "1,1,0.00,10.00,20.00,50.00,1,-1,-1,-1"
    rows = list(csv.DictReader(io.StringIO(site.client.get(downloads["csv"]).text)))
    assert len(rows) == 30
    assert rows[1]["class"] == "car"
    whole = json.loads(site.client.get(downloads["json"]).data)
    assert whole["video"]["id"] == done_video["id"]
    assert [len(track["boxes"]) for track in whole["tracks"]] == [20, 10]
    assert whole["tracks"][1]["boxes"][1] == [2, 0.08, 100.0, 20.0, 180.0, 100.0, 0.8]


def test_downloads_are_named_after_the_video_in_any_language(site: Site, done_video: dict[str, Any]) -> None:
    site.client.patch(done_video["url"], json={"name": '夜"; x=🚶.mp4'})
    for address in done_video["result"]["downloads"].values():
        disposition = site.client.get(address).headers["Content-Disposition"]
        assert disposition.startswith("attachment; ")
        assert "filename*=UTF-8''%E5%A4%9C%22%3B%20x%3D%F0%9F%9A%B6" in disposition
        assert disposition.isascii()
        assert "\n" not in disposition


def test_safari_probes_two_bytes_first(site: Site, done_video: dict[str, Any]) -> None:
    answer = site.client.get(done_video["result"]["playback_url"], headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.data) == (206, b"pp")
    assert answer.headers["Content-Range"] == "bytes 0-1/1000"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.mimetype == "video/mp4"


@pytest.mark.parametrize(
    ("wanted", "status", "given"),
    [
        ("bytes=10-19", 206, "bytes 10-19/1000"),
        ("bytes=990-", 206, "bytes 990-999/1000"),
        ("bytes=-5", 206, "bytes 995-999/1000"),
        ("bytes=0-999999", 206, "bytes 0-999/1000"),
        ("bytes=2000-", 416, "bytes */1000"),
        ("items=0-1", 200, None),
        ("bytes=x", 200, None),
        ("bytes=0-1,5-6", 200, None),
        ("bytes=5-1", 200, None),
    ],
)
def test_ranges(site: Site, done_video: dict[str, Any], wanted: str, status: int, given: str | None) -> None:
    answer = site.client.get(done_video["result"]["playback_url"], headers={"Range": wanted})
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, given)


def test_a_long_range_is_answered_in_part_so_that_no_thread_is_held(site: Site, video: dict[str, Any]) -> None:
    publish_result(site, video, playback=bytes(range(256)) * (MAX_PIECE_BYTES // 256 + 100))
    address, size = f"{video['url']}/playback.mp4", MAX_PIECE_BYTES + 100 * 256
    answer = site.client.get(address, headers={"Range": "bytes=0-"})
    assert answer.headers["Content-Range"] == f"bytes 0-{MAX_PIECE_BYTES - 1}/{size}"
    assert len(answer.data) == MAX_PIECE_BYTES
    rest = site.client.get(address, headers={"Range": f"bytes={MAX_PIECE_BYTES}-"})
    assert rest.headers["Content-Range"] == f"bytes {MAX_PIECE_BYTES}-{size - 1}/{size}"
    assert len(site.client.get(address).data) == size


def test_files_are_revalidated_by_their_tag(site: Site, done_video: dict[str, Any]) -> None:
    for address in (done_video["poster_url"], done_video["result"]["playback_url"]):
        tag = site.client.get(address).headers["ETag"]
        assert site.client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_a_video_without_a_result_says_so(site: Site, video: dict[str, Any]) -> None:
    for name in ("boxes", "presence", "playback.mp4", "annotated.mp4", "result.txt", "tracks.csv", "tracks.json"):
        answer = site.client.get(f"{video['url']}/{name}")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "request.no_result")
    assert site.client.get(f"{video['url']}/tracks").get_json() == {"tracks": []}


def test_a_crop_that_is_not_there_is_not_found(site: Site, done_video: dict[str, Any]) -> None:
    for number in ("3", "0", "-1", "x", "99999999999999999999", "1/../../points.npz"):
        assert site.client.get(f"{done_video['url']}/tracks/{number}/crop.jpg").status_code == 404

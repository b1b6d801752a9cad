"""Files of a video: its poster, the playback and annotated MP4, crops, and the tables of boxes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from flask import Response, request, send_file

from errors import RequestError
from points import PointTable, csv_lines, mot_lines
from web import present
from web.blueprints import api
from web.names import attachment, stem
from web.openapi import describe
from web.services import services
from web.tracks import open_points, open_result, rows_of
from web.videos import shown_video

MAX_PIECE_BYTES = 8 * 1024**2
"""Most bytes that one ranged answer of a video carries. A player that asks for "the rest" and then reads
as fast as it plays would hold a thread for as long as the film; RFC 9110, 15.3.7 allows to send less."""

_LINES_A_PIECE = 2000
_RANGE = {"name": "Range", "in": "header", "required": False, "schema": {"type": "string"}}


@api.get("/videos/<id:video_id>/poster.jpg")
@describe("Videos", "Fetch a picture of the video.", errors=(404,), files={"image/jpeg": "A JPEG picture."})
def poster(video_id: str) -> Response:
    return send(services().storage.poster_path(video_id), "image/jpeg")


@api.get("/videos/<id:video_id>/playback.mp4")
@describe(
    "Results",
    "Fetch the video as the browser plays it.",
    "H.264, constant frame rate. Takes ranges; a long one is answered in part.",
    errors=(404, 416),
    files={"video/mp4": "An MP4 file, or with 206 a part of it."},
    parameters=[_RANGE],
)
def playback(video_id: str) -> Response:
    _, files = open_result(services(), video_id)
    tidy_range()
    return send(files.playback, "video/mp4")


@api.get("/videos/<id:video_id>/annotated.mp4")
@describe(
    "Results",
    "Fetch the video with its boxes drawn in.",
    "With `download=1` it comes under a name to save it by. After tracking again it has to be made anew.",
    errors=(404, 416),
    files={"video/mp4": "An MP4 file, or with 206 a part of it."},
    parameters=[_RANGE, {"name": "download", "in": "query", "required": False, "schema": {"type": "integer"}}],
)
def annotated(video_id: str) -> Response:
    row, files = open_result(services(), video_id)
    if not files.annotated.is_file():
        raise RequestError("request.no_annotated", status=404)
    if request.args.get("download"):
        return send(files.annotated, "video/mp4", f"{stem(row.name)}-tracks.mp4")
    tidy_range()
    return send(files.annotated, "video/mp4")


@api.get("/videos/<id:video_id>/tracks/<int:number>/crop.jpg")
@describe("Results", "Fetch the best picture of a track.", errors=(404,), files={"image/jpeg": "A JPEG picture."})
def crop(video_id: str, number: int) -> Response:
    _, files = open_result(services(), video_id)
    return send(files.crop(number), "image/jpeg")


@api.get("/videos/<id:video_id>/result.txt")
@describe(
    "Results",
    "Download all boxes in the MOTChallenge format.",
    errors=(404,),
    files={"text/plain": "A line a box: frame from 1, track, left, top, width, height, 1, -1, -1, -1."},
)
def result_txt(video_id: str) -> Response:
    row, files = open_result(services(), video_id)
    return _stream(mot_lines(open_points(files)), "text/plain", f"{stem(row.name)}-result.txt")


@api.get("/videos/<id:video_id>/tracks.csv")
@describe(
    "Results",
    "Download all boxes as CSV.",
    errors=(404,),
    files={"text/csv": "A header, then a line a box: frame from 0, seconds, track, class, edges in pixels, score."},
)
def tracks_csv(video_id: str) -> Response:
    bundle = services()
    row, files = open_result(bundle, video_id)
    points = open_points(files)
    names = {track.number: track.class_name for track in rows_of(bundle, video_id)}
    return _stream(csv_lines(points, names), "text/csv", f"{stem(row.name)}-tracks.csv")


@api.get("/videos/<id:video_id>/tracks.json")
@describe(
    "Results",
    "Download all tracks with their boxes as JSON.",
    errors=(404,),
    files={"application/json": "`video`, and `tracks` with `boxes`: frame from 0, seconds, edges in pixels, score."},
)
def tracks_json(video_id: str) -> Response:
    bundle = services()
    row, files = open_result(bundle, video_id)
    points = open_points(files)
    shown = [present.track(track, row) for track in rows_of(bundle, video_id)]
    about = shown_video(bundle, video_id)
    return _stream(_json_pieces(about, shown, points), "application/json", f"{stem(row.name)}-tracks.json")


def _json_pieces(about: dict[str, Any], tracks: list[dict[str, Any]], points: PointTable) -> Iterator[str]:
    order = np.argsort(points.track_numbers, kind="stable")
    numbers = points.track_numbers[order]
    yield f'{{"video": {json.dumps(about, ensure_ascii=False)}, "tracks": ['
    for position, track in enumerate(tracks):
        first, last = np.searchsorted(numbers, [track["number"], track["number"] + 1])
        rows = order[first:last]
        columns = (points.frames[rows], points.boxes_xyxy[rows], points.scores[rows])
        boxes = [
            [
                int(frame),
                round(float(points.frame_pts_s[frame]), 6),
                *(round(float(edge), 2) for edge in box),
                round(float(score), 3),
            ]
            for frame, box, score in zip(*columns, strict=True)
        ]
        yield ("" if position == 0 else ",") + "\n" + json.dumps({**track, "boxes": boxes}, ensure_ascii=False)
    yield "\n]}\n"


def tidy_range() -> None:
    """Make the range that the browser asked for at most `MAX_PIECE_BYTES` long, and drop one that is none.

    A range of other units, and several at once, may be ignored; Werkzeug would refuse them.
    """
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        request.environ.pop("HTTP_RANGE", None)
        return
    first, end = wanted.ranges[0]
    if first >= 0 and (end is None or end - first > MAX_PIECE_BYTES):
        request.environ["HTTP_RANGE"] = f"bytes={first}-{first + MAX_PIECE_BYTES - 1}"


def send(path: Path, media_type: str, download_name: str | None = None) -> Response:
    """Answer with a file, or the range of it that was asked for.

    Raises
    ------
    RequestError
        when it is not there.
    """
    try:
        response = send_file(
            path,
            mimetype=media_type,
            as_attachment=download_name is not None,
            download_name=download_name,
            conditional=True,
        )
    except FileNotFoundError as error:
        raise RequestError("request.not_found", status=404) from error
    response.headers["Cache-Control"] = "no-cache, private"
    return response


def _stream(lines: Iterable[str], media_type: str, download_name: str) -> Response:
    response = Response(_pieces(lines), mimetype=media_type)
    response.headers["Content-Disposition"] = attachment(download_name)
    return response


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        if len(kept) >= _LINES_A_PIECE:
            yield "".join(kept)
            kept.clear()
    yield "".join(kept)

"""Tracks, boxes and presence of a video's result, for the player and for programs."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from flask import Response, json, request
from numpy.typing import NDArray

from errors import RequestError
from points import PointTable
from records import Kind
from store import tracks, videos
from store.files import AttemptFiles
from store.tables import Track, Video
from web import present, schemas
from web.blueprints import api
from web.openapi import describe
from web.services import Services, services

Shown = dict[str, Any]
_DIGITS = 5
_EDGES = ("x1", "y1", "x2", "y2")


def open_result(bundle: Services, video_id: str) -> tuple[Video, AttemptFiles]:
    """Return a video and the files of its result.

    Raises
    ------
    RequestError
        when there is no such video, or it has no result yet.
    """
    with bundle.session() as session:
        row = videos.get(session, video_id)
    files = present.result_files(row, bundle.storage)
    if files is None:
        raise RequestError("request.no_result", status=404)
    return row, files


def open_points(files: AttemptFiles) -> PointTable:
    """Return the table of boxes of a result.

    Raises
    ------
    RequestError
        when a newer result replaced it, or the video was deleted, this very moment.
    """
    try:
        return PointTable.load(files.points)
    except FileNotFoundError as error:
        raise RequestError("request.no_result", status=404) from error


def rows_of(bundle: Services, video_id: str) -> list[Track]:
    """Return the tracks of a video by number."""
    with bundle.session() as session:
        return list(tracks.of_video(session, video_id))


def boxes_between(points: PointTable, from_s: float, to_s: float, *, width: int, height: int) -> Shown:
    """Return the boxes with ``from_s <= time < to_s`` in columns, edges as fractions of the frame."""
    frames, rows = points.between(from_s, to_s)
    scale = np.array([width, height, width, height], np.float64)
    edges = np.round(points.boxes_xyxy[rows].astype(np.float64) / scale, _DIGITS)
    return {
        "from_s": from_s,
        "to_s": to_s,
        "frames": {"first": frames.start, "pts_s": np.round(points.frame_pts_s[frames], 6).tolist()},
        "points": {
            "frame": points.frames[rows].tolist(),
            "track": points.track_numbers[rows].tolist(),
            **{name: edges[:, column].tolist() for column, name in enumerate(_EDGES)},
            "score": np.round(points.scores[rows].astype(np.float64), 3).tolist(),
        },
    }


def presence(points: PointTable, kinds: dict[int, str], *, duration_s: float, bins: int) -> Shown:
    """Return the most people and vehicles that one frame of each bin shows.

    Parameters
    ----------
    kinds : ``person`` or ``vehicle`` by track number.
    """
    last_s = float(points.frame_pts_s[-1]) if len(points.frame_pts_s) else 0.0
    # The last frame lies in the last bin, not at the start of one more.
    bin_s = max(duration_s, last_s * (1 + 1e-9), 1e-3) / bins
    shown: Shown = {"bin_s": bin_s}
    for kind in Kind:
        numbers = [number for number, found in kinds.items() if found == kind.value]
        mask: NDArray[np.bool_] = np.isin(points.track_numbers, numbers)
        shown[kind.value] = points.presence(bin_s, mask).tolist()[:bins]
    return shown


@api.get("/videos/<id:video_id>/tracks")
@describe("Results", "List the tracks of the result; empty before there is one.", errors=(404,), answer=schemas.Tracks)
def list_tracks(video_id: str) -> Shown:
    bundle = services()
    with bundle.session() as session:
        row = videos.get(session, video_id)
        return {"tracks": [present.track(track, row) for track in tracks.of_video(session, video_id)]}


@api.get("/videos/<id:video_id>/boxes")
@api.input(schemas.BoxesQuery, location="query")
@describe(
    "Results", "Read the boxes of a range of time, at most 120 seconds of it.", errors=(404, 422), answer=schemas.Boxes
)
def get_boxes(video_id: str, query_data: Shown) -> Response:
    from_s = query_data["from_s"]
    to_s = from_s + schemas.MAX_RANGE_S if query_data["to_s"] is None else query_data["to_s"]
    if not 0 <= to_s - from_s <= schemas.MAX_RANGE_S:
        detail = f"must be 0 to {schemas.MAX_RANGE_S:g} seconds after from_s"
        raise RequestError("request.field", status=422, name="to_s", detail=detail)
    row, files = open_result(services(), video_id)
    if (known := _unchanged(files)) is not None:
        return known
    boxes = boxes_between(open_points(files), from_s, to_s, width=row.width, height=row.height)
    return _answer(boxes, files)


@api.get("/videos/<id:video_id>/presence")
@api.input(schemas.PresenceQuery, location="query")
@describe(
    "Results", "Read how many people and vehicles were there over time.", errors=(404, 422), answer=schemas.Presence
)
def get_presence(video_id: str, query_data: Shown) -> Response:
    bundle = services()
    row, files = open_result(bundle, video_id)
    if (known := _unchanged(files)) is not None:
        return known
    kinds = {track.number: track.kind for track in rows_of(bundle, video_id)}
    shown = presence(open_points(files), kinds, duration_s=row.duration_s, bins=query_data["bins"])
    return _answer(shown, files)


def _tag(files: AttemptFiles) -> str:
    # An attempt's files never change, so its name and the question are all that the answer depends on.
    return hashlib.sha256(f"{files.folder.name} {request.full_path}".encode()).hexdigest()[:32]


def _unchanged(files: AttemptFiles) -> Response | None:
    if not request.if_none_match.contains(_tag(files)):
        return None
    response = Response(status=304)
    response.set_etag(_tag(files))
    return response


def _answer(shown: Shown, files: AttemptFiles) -> Response:
    response = Response(json.dumps(shown, separators=(",", ":")), mimetype="application/json")
    response.set_etag(_tag(files))
    return response

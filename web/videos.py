"""Videos through the JSON API: upload, list, read, change, delete."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from errors import MediaError, RequestError
from search.scrub import erase_gone
from store import forgetting, videos
from store.tables import Video
from web import partial, present, schemas
from web.admit import VideoForm, admit, camera_name, start_of
from web.blueprints import api
from web.names import display_name
from web.openapi import describe
from web.parsing import load
from web.receive import received_files
from web.services import Services, services

Shown = dict[str, Any]


def shown_video(bundle: Services, video_id: str) -> Shown:
    """Return a video as it is shown.

    Raises
    ------
    RequestError
        when there is none.
    """
    with bundle.session() as session:
        return present.video(videos.get(session, video_id), bundle.storage)


def shown_videos(bundle: Services, *, limit: int, offset: int) -> tuple[list[Shown], int]:
    """Return a part of the list of videos as it is shown, and how many there are in all."""
    with bundle.session() as session:
        rows, total = videos.page(session, limit=limit, offset=offset)
        return [present.video(row, bundle.storage) for row in rows], total


def shown_cameras(bundle: Services) -> list[Shown]:
    """Return all cameras as they are shown."""
    with bundle.session() as session:
        return [present.camera(row) for row in videos.cameras(session)]


def remove_video(bundle: Services, video_id: str) -> None:
    """Delete a video with all that belongs to it.

    Raises
    ------
    RequestError
        when there is none.
    """
    with bundle.session() as session:
        reels = forgetting.reels_of_video(session, video_id)
        videos.delete(session, video_id)
        session.commit()
        bundle.storage.remove_video(video_id)
        for job_id in reels:
            bundle.storage.reel(job_id).remove()
        erase_gone(session, bundle.storage.search_dir)


@api.post("/videos")
@describe(
    "Videos",
    "Add a video and queue its job.",
    "Send the file in a multipart form, or the id of a finished resumable upload as JSON.",
    errors=(403, 404, 409, 413, 415, 422, 423, 507),
    body={
        "multipart/form-data": {"schema": schemas.VideoFile},
        "application/json": {"schema": schemas.VideoFromUpload},
    },
    answer=schemas.Video,
    status=201,
)
def add_video() -> tuple[Shown, int]:
    bundle = services()
    video_id = _add_upload(bundle) if request.is_json else _add_file(bundle)
    return shown_video(bundle, video_id), 201


def _add_file(bundle: Services) -> str:
    fields = load(schemas.VideoDetails(unknown="exclude"), request.form)
    files = received_files("file")
    if len(files) != 1:
        raise RequestError("request.one_file", status=422, count=len(files))
    return admit(bundle, files[0], VideoForm.from_fields(fields))


def _add_upload(bundle: Services) -> str:
    fields = load(schemas.VideoFromUpload(), request.get_json())
    settings = bundle.settings
    upload = partial.find(bundle.storage, fields["upload_id"], expiry_s=settings.upload_expiry_s, now=bundle.now())
    with partial.locked(upload):
        try:
            video_id = admit(bundle, upload.received(), VideoForm.from_fields(fields))
        except MediaError:
            partial.remove(bundle.storage, upload.upload_id)
            raise
        partial.remove(bundle.storage, upload.upload_id)
    return video_id


@api.get("/videos")
@api.input(schemas.PageQuery, location="query")
@describe("Videos", "List the videos, newest first.", errors=(422,), answer=schemas.Videos)
def list_videos(query_data: Shown) -> Shown:
    shown, total = shown_videos(services(), **query_data)
    return {"videos": shown, "total": total}


@api.get("/videos/<id:video_id>")
@describe("Videos", "Read a video with its latest job and its result.", errors=(404,), answer=schemas.Video)
def get_video(video_id: str) -> Shown:
    return shown_video(services(), video_id)


@api.patch("/videos/<id:video_id>")
@api.input(schemas.VideoChange)
@describe("Videos", "Change a video's name, camera or start.", errors=(403, 404, 415, 422), answer=schemas.Video)
def change_video(video_id: str, json_data: Shown) -> Shown:
    bundle = services()
    with bundle.session() as session:
        row = videos.get(session, video_id)
        if "camera" in json_data:
            row.camera = videos.camera_named(session, camera_name(json_data["camera"]))
        _change_details(row, json_data)
        session.commit()
        return present.video(row, bundle.storage)


def _change_details(row: Video, fields: Shown) -> None:
    if "name" in fields:
        row.name = display_name(fields["name"])
    if "started_at" in fields:
        row.started_at = start_of(fields["started_at"], fields.get("time_zone"), row.camera)


@api.delete("/videos/<id:video_id>")
@describe("Videos", "Delete a video, its jobs and its results.", errors=(403, 404), responses={204: "It is gone."})
def delete_video(video_id: str) -> Response:
    remove_video(services(), video_id)
    return Response(status=204)

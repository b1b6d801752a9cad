"""Rows as the dictionaries that the JSON API answers with and the pages show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import url_for

from store.files import AttemptFiles, Storage
from store.tables import LIVE_STATES, RENDER, Camera, Job, Track, Video
from web.languages import sentence
from web.times import format_time

Shown = dict[str, Any]


def message(code: str, params: Mapping[str, Any]) -> Shown:
    """Return a message code with its sentence in the reader's language."""
    return {"code": code, "message": sentence(code, params)}


def camera(row: Camera) -> Shown:
    """Return a camera."""
    return {
        "id": row.id,
        "name": row.name,
        "place": row.place,
        "time_zone": row.time_zone,
        "clock_offset_s": row.clock_offset_s,
    }


def job(row: Job, storage: Storage) -> Shown:
    """Return a job; its video or identity must be loaded or loadable."""
    name, page_url, poster_url = _subject_of(row, storage)
    return {
        "id": row.id,
        "url": url_for("api.get_job", job_id=row.id),
        "cancel_url": url_for("api.cancel_job", job_id=row.id),
        "retry_url": url_for("api.retry_job", job_id=row.id),
        "video_id": row.video_id,
        "video_name": name,
        "video_url": page_url,
        "poster_url": poster_url,
        "kind": row.kind,
        "state": row.state,
        "stage": row.stage or "",
        "progress": row.progress,
        "fps": row.fps,
        "eta_s": row.eta_s,
        "attempt": row.attempt,
        "max_attempts": row.max_attempts,
        "cancel_requested": row.cancel_requested,
        "error": message(row.error_code, row.error_params) if row.error_code else None,
        "notices": [message(notice["code"], notice["params"]) for notice in row.notices],
        "created_at": format_time(row.created_at),
        "started_at": format_time(row.started_at),
        "finished_at": format_time(row.finished_at),
        "can_cancel": row.can_cancel,
        "can_retry": row.can_retry,
    }


def _subject_of(row: Job, storage: Storage) -> tuple[str, str, str | None]:
    """Return what a job is about: its name, its page, and a picture of it."""
    if row.video is not None:
        return row.video.name, url_for("pages.video", video_id=row.video.id), _poster_url(row.video.id, storage)
    if row.identity is not None:
        return row.identity.name or f"#{row.identity.id}", url_for("pages.identity", number=row.identity.id), None
    return str(row.settings.get("model") or ""), url_for("pages.identity_models"), None


def video(row: Video, storage: Storage) -> Shown:
    """Return a video with its live or latest job and its result."""
    latest = row.latest_job
    return {
        "id": row.id,
        "url": url_for("api.get_video", video_id=row.id),
        "name": row.name,
        "camera": camera(row.camera),
        "started_at": format_time(row.began_at),
        "clock_started_at": format_time(row.started_at),
        "created_at": format_time(row.created_at),
        "duration_s": row.duration_s,
        "width": row.width,
        "height": row.height,
        "frame_rate": row.frame_rate,
        "codec": row.codec,
        "bytes": row.bytes,
        "sha256": row.sha256,
        "poster_url": _poster_url(row.id, storage),
        "page_url": url_for("pages.video", video_id=row.id),
        "job": job(latest, storage) if latest is not None else None,
        "result": _result(row, row.result_job, storage) if row.result_job is not None else None,
    }


def track(row: Track, of: Video) -> Shown:
    """Return a track of the video ``of``; its identity must be loaded or loadable."""
    began = None if of.began_at is None else of.began_at + timedelta(seconds=row.first_s)
    return {
        "id": row.id,
        "number": row.number,
        "kind": row.kind,
        "class_name": row.class_name,
        "first_frame": row.first_frame,
        "last_frame": row.last_frame,
        "first_s": row.first_s,
        "last_s": row.last_s,
        "point_count": row.point_count,
        "mean_score": row.mean_score,
        "crop_url": url_for("api.crop", video_id=row.video_id, number=row.number),
        "search_url": url_for("pages.search", track=row.id),
        "started_at": format_time(began),
        "track_id": row.id,
        "identity": _owner(row),
    }


def _owner(row: Track) -> Shown | None:
    """Return whose a track is."""
    if row.identity is None:
        return None
    number = row.identity.id
    return {
        "id": number,
        "name": row.identity.name,
        "is_confirmed": row.is_confirmed,
        "page_url": url_for("pages.identity", number=number),
    }


def result_files(row: Video, storage: Storage) -> AttemptFiles | None:
    """Return the files of a video's published result, None where there is none."""
    done = row.result_job
    return None if done is None else storage.attempt(row.id, done.id, done.claim_count)


def _result(row: Video, done: Job, storage: Storage) -> Shown:
    video_id = row.id
    files = storage.attempt(video_id, done.id, done.claim_count)
    is_drawn = files.annotated.is_file()
    annotated_url = url_for("api.annotated", video_id=video_id) if is_drawn else None
    return {
        "job_id": done.id,
        "playback_url": url_for("api.playback", video_id=video_id),
        "annotated_url": annotated_url,
        "annotated": {"state": "ready" if is_drawn else _drawing_state(row.latest_job), "url": annotated_url},
        "frame_rate": done.playback_frame_rate,
        "frame_count": done.frame_count,
        "track_count": done.track_count,
        "preset": done.preset or "",
        "tracker": done.tracker or "",
        "detected_boxes": done.detected_boxes,
        "embedded_boxes": done.embedded_boxes,
        "stage_seconds": done.stage_seconds,
        "can_retrack": files.detections.is_file(),
        "detector": _model(done.detector),
        "embedder": _model(done.embedder),
        "downloads": {
            "annotated": url_for("api.annotated", video_id=video_id, download=1) if is_drawn else None,
            "mot": url_for("api.result_txt", video_id=video_id),
            "csv": url_for("api.tracks_csv", video_id=video_id),
            "json": url_for("api.tracks_json", video_id=video_id),
        },
    }


def _drawing_state(latest: Job | None) -> str:
    is_rendering = latest is not None and latest.kind == RENDER and latest.state in LIVE_STATES
    return "rendering" if is_rendering else "missing"


def _model(info: Mapping[str, Any] | None) -> Shown:
    found = info or {"name": "", "source": "", "notices": []}
    return {
        "name": found["name"],
        "source": found["source"],
        "notices": [message(notice["code"], notice["params"]) for notice in found["notices"]],
    }


def _poster_url(video_id: str, storage: Storage) -> str | None:
    return url_for("api.poster", video_id=video_id) if storage.poster_path(video_id).is_file() else None

"""The pages, and the forms that work without JavaScript."""

from __future__ import annotations

from typing import Any

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from errors import MediaError, RequestError
from store.tables import STATES
from web import jobs, schemas, videos
from web.admit import VideoForm, admit
from web.blueprints import pages
from web.filters import FILTERS
from web.languages import HTML_LANGUAGES, LANGUAGES, language, sentence
from web.names import display_name
from web.parsing import load
from web.preset_figures import PRESET_FIGURES
from web.receive import ReceivedFile, received_files
from web.reference import operations, schema_tables
from web.services import services
from web.site import document, is_worker_alive

Shown = dict[str, Any]
PAGE_SIZE = 24
_FORM_FIELDS = ("camera", "started_at", "preset", "detector", "tracker")


@pages.get("/")
def home() -> AnyResponse:
    return redirect(url_for("pages.videos"))


@pages.get("/videos", endpoint="videos")
def show_videos() -> str:
    return _videos_page(errors=[], form={})


@pages.post("/videos")
def add_video() -> AnyResponse | tuple[str, int]:
    files = received_files("file")
    fields = {name: text for name, text in request.form.items() if name not in ("csrf_token", "file")}
    if not files:
        nothing = {"name": "", "message": sentence("request.one_file", {"count": 0})}
        return _videos_page(errors=[nothing], form=fields), 422
    errors = [error for file in files if (error := _refusal(file, fields)) is not None]
    if errors:
        return _videos_page(errors=errors, form=fields), 422
    return redirect(url_for("pages.videos"), 303)


def _refusal(file: ReceivedFile, fields: Shown) -> Shown | None:
    try:
        form = VideoForm.from_fields(load(schemas.VideoDetails(unknown="exclude"), fields))
        admit(services(), file, form)
    except (MediaError, RequestError) as error:
        return {"name": display_name(file.name), "message": sentence(error.code, error.params)}
    return None


@pages.get("/videos/<id:video_id>")
def video(video_id: str) -> str:
    shown = videos.shown_video(services(), video_id)
    urls = {
        "video": shown["url"],
        "tracks": url_for("api.list_tracks", video_id=video_id),
        "boxes": url_for("api.get_boxes", video_id=video_id),
        "presence": url_for("api.get_presence", video_id=video_id),
        "job": shown["job"]["url"] if shown["job"] else None,
        "run": url_for("api.run_video", video_id=video_id),
        "annotated": url_for("api.annotated", video_id=video_id, download=1),
    }
    return render_template("video.html", video=shown, urls=urls, active="videos", **_choices())


@pages.post("/videos/<id:video_id>/run")
def run_video(video_id: str) -> AnyResponse:
    settings = load(schemas.RunSettings(unknown="exclude"), request.form)
    jobs.run_again(services(), video_id, settings)
    return redirect(url_for("pages.video", video_id=video_id), 303)


@pages.post("/videos/<id:video_id>/delete")
def delete_video(video_id: str) -> AnyResponse:
    videos.remove_video(services(), video_id)
    return redirect(url_for("pages.videos"), 303)


@pages.get("/jobs", endpoint="jobs")
def show_jobs() -> str:
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    number = page_number()
    shown, total = jobs.shown_jobs(services(), limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE, state=state or None)
    return render_template(
        "jobs.html",
        jobs=shown,
        total=total,
        page=page_links(number, total, PAGE_SIZE, "pages.jobs", **({"state": state} if state else {})),
        state=state,
        states=list(STATES),
        is_worker_alive=is_worker_alive(services()),
        urls={"jobs": url_for("api.list_jobs")},
        active="jobs",
    )


@pages.post("/jobs/<id:job_id>/cancel")
def cancel_job(job_id: str) -> AnyResponse:
    jobs.cancel(services(), job_id)
    return redirect(url_for("pages.jobs"), 303)


@pages.post("/jobs/<id:job_id>/retry")
def retry_job(job_id: str) -> AnyResponse:
    jobs.retry(services(), job_id)
    return redirect(url_for("pages.jobs"), 303)


@pages.get("/api", endpoint="api")
def show_api() -> str:
    spec = document()
    return render_template(
        "api.html",
        spec=spec,
        spec_url=url_for("api.openapi"),
        operations=operations(spec),
        schemas=schema_tables(spec),
        active="api",
    )


def _videos_page(*, errors: list[Shown], form: Shown) -> str:
    bundle = services()
    number = page_number()
    shown, total = videos.shown_videos(bundle, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    settings = bundle.settings
    return render_template(
        "videos.html",
        videos=shown,
        total=total,
        page=page_links(number, total, PAGE_SIZE, "pages.videos"),
        errors=errors,
        form={name: str(form.get(name) or "") for name in _FORM_FIELDS},
        limits={
            "max_upload_bytes": settings.max_upload_bytes,
            "max_duration_s": settings.max_duration_s,
            "max_pixels": settings.max_pixels,
        },
        cameras=videos.shown_cameras(bundle),
        urls={
            "uploads": url_for("api.create_upload"),
            "videos": url_for("api.list_videos"),
            "jobs": url_for("api.list_jobs"),
        },
        active="videos",
        **_choices(),
    )


def _choices() -> Shown:
    bundle = services()
    return {
        "detectors": [{"value": name} for name in schemas.DETECTORS],
        "default_detector": bundle.settings.detector,
        "embedders": [{"value": name} for name in schemas.EMBEDDERS],
        "default_embedder": bundle.settings.embedder,
        "presets": schemas.PRESETS,
        "preset_figures": PRESET_FIGURES,
        "default_preset": bundle.settings.preset,
        "trackers": schemas.TRACKERS,
        "default_tracker": bundle.settings.tracker,
        "is_worker_alive": is_worker_alive(bundle),
    }


def page_number() -> int:
    """Return which page of a list is asked for."""
    return max(1, min(request.args.get("page", 1, type=int), 10**6))


def page_links(number: int, total: int, size: int, endpoint: str, **arguments: Any) -> Shown:
    """Return where the pages before and after one of a list are."""
    count = max(1, -(-total // size))
    return {
        "number": number,
        "count": count,
        "size": size,
        "previous_url": url_for(endpoint, page=min(number - 1, count), **arguments) if number > 1 else None,
        "next_url": url_for(endpoint, page=number + 1, **arguments) if number < count else None,
    }


def _shared_variables() -> Shown:
    current = language()
    return {
        "language": current,
        "html_lang": HTML_LANGUAGES[current],
        "languages": [{"code": code, "name": name, "is_current": code == current} for code, name in LANGUAGES.items()],
        "current_path": request.full_path.rstrip("?") if request.method == "GET" else "/",
    }


def init_pages(app: Flask) -> None:
    """Hand all templates the language and the filters."""
    app.context_processor(_shared_variables)
    app.jinja_env.filters.update(FILTERS)

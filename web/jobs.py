"""Jobs through the JSON API: run again, list, poll, cancel, retry."""

from __future__ import annotations

from typing import Any

from store import jobs
from web import admit, present, schemas
from web.blueprints import api
from web.openapi import describe
from web.parsing import load_optional_json
from web.services import Services, services

Shown = dict[str, Any]


def shown_jobs(bundle: Services, *, limit: int, offset: int, state: str | None) -> tuple[list[Shown], int]:
    """Return a part of the list of jobs as it is shown, and how many there are in all."""
    with bundle.session() as session:
        rows, total = jobs.page(session, limit=limit, offset=offset, state=state)
        return [present.job(row, bundle.storage) for row in rows], total


def shown_job(bundle: Services, job_id: str) -> Shown:
    """Return a job as it is shown.

    Raises
    ------
    RequestError
        when there is none.
    """
    with bundle.session() as session:
        return present.job(jobs.get(session, job_id), bundle.storage)


def run_again(bundle: Services, video_id: str, settings: Shown) -> Shown:
    """Queue another job for a video and return it as it is shown.

    Raises
    ------
    RequestError
        as `web.admit.run_again` does.
    """
    with bundle.session() as session:
        job_id = admit.run_again(bundle, session, video_id, settings)
    return shown_job(bundle, job_id)


def cancel(bundle: Services, job_id: str) -> Shown:
    """Cancel a job, or ask its worker to, and return it as it is shown.

    Raises
    ------
    RequestError
        when there is none, or it has ended.
    """
    with bundle.session() as session:
        jobs.cancel(session, job_id, bundle.now())
        session.commit()
    return shown_job(bundle, job_id)


def retry(bundle: Services, job_id: str) -> Shown:
    """Queue a failed or cancelled job again and return it as it is shown.

    Raises
    ------
    RequestError
        when there is none, or it has not ended so.
    """
    with bundle.session() as session:
        jobs.retry(session, job_id)
        session.commit()
    admit.ring(bundle, job_id)
    return shown_job(bundle, job_id)


@api.post("/videos/<id:video_id>/jobs")
@describe(
    "Jobs",
    "Work on a video again, or on its result.",
    "Everything anew, perhaps with other models; or only the tracker, on what was detected before; or only the "
    "annotated video. The earlier result stays until the new one is done. A video has one live job at a time. "
    "The body may be empty.",
    errors=(403, 404, 409, 415, 422),
    body={"application/json": {"schema": schemas.RunSettings}},
    is_body_required=False,
    answer=schemas.Job,
    status=201,
)
def run_video(video_id: str) -> tuple[Shown, int]:
    return run_again(services(), video_id, load_optional_json(schemas.RunSettings())), 201


@api.get("/jobs")
@api.input(schemas.JobsQuery, location="query")
@describe("Jobs", "List the jobs, newest first.", errors=(422,), answer=schemas.Jobs)
def list_jobs(query_data: Shown) -> Shown:
    shown, total = shown_jobs(services(), **query_data)
    return {"jobs": shown, "total": total}


@api.get("/jobs/<id:job_id>")
@describe("Jobs", "Read a job; poll this until its state is final.", errors=(404,), answer=schemas.Job)
def get_job(job_id: str) -> Shown:
    return shown_job(services(), job_id)


@api.post("/jobs/<id:job_id>/cancel")
@describe(
    "Jobs", "Cancel a waiting job at once, a running one at its next frame.", errors=(403, 404, 409), answer=schemas.Job
)
def cancel_job(job_id: str) -> Shown:
    return cancel(services(), job_id)


@api.post("/jobs/<id:job_id>/retry")
@describe("Jobs", "Queue a failed or cancelled job again.", errors=(403, 404, 409), answer=schemas.Job)
def retry_job(job_id: str) -> Shown:
    return retry(services(), job_id)

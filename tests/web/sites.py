"""A real site in a folder of its own, and videos with results, for the tests of the web room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app, migrate_database
from config import Settings
from points import PointTable
from records import Kind, ModelInfo, Notice, Progress, TrackSummary
from store import jobs, results
from store.files import AttemptFiles
from web.database import db
from web.services import EXTENSION, Services

JSON = {"Accept": "application/json"}


class ReadingClient(FlaskClient):
    """A client that reads and closes each answer, as a browser does."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return super().open(*args, **{"buffered": True, **kwargs})


@dataclass
class Site:
    """An application with its database and folder; `rung` are the jobs that a worker was told of."""

    settings: Settings
    app: APIFlask
    client: FlaskClient
    rung: list[str] = field(default_factory=list)

    @property
    def services(self) -> Services:
        bundle = self.app.extensions[EXTENSION]
        assert isinstance(bundle, Services)
        return bundle

    def exchange_services(self, **changes: Any) -> None:
        """Give the application another clock or disk."""
        self.app.extensions[EXTENSION] = replace(self.services, **changes)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a database session as a request would."""
        with self.app.app_context(), self.services.session() as session:
            yield session

    def close(self) -> None:
        """Close the connections to the database."""
        with self.app.app_context():
            db.engine.dispose()

    def upload(self, video: Path, *, name: str | None = None, camera: str = "gate", **fields: str) -> TestResponse:
        """Send a video as a multipart form to the API."""
        with video.open("rb") as file:
            data = {"camera": camera, **fields, "file": (file, name or video.name)}
            return self.client.post("/api/v1/videos", data=data)

    def send(self, content: bytes, *, name: str = "clip.mp4", **fields: str) -> TestResponse:
        """Send any bytes as a multipart form to the API."""
        return self.client.post("/api/v1/videos", data={"camera": "gate", **fields, "file": (BytesIO(content), name)})

    def files(self) -> list[str]:
        """Return all uploaded and half-uploaded files."""
        folders = (self.settings.data_dir / "incoming", self.settings.data_dir / "videos")
        return sorted(str(path.relative_to(self.settings.data_dir)) for folder in folders for path in folder.rglob("*"))


def make_site(data_dir: Path, *, ring: Callable[[str], object] | None = None, **settings: Any) -> Site:
    """Return a migrated site in ``data_dir``."""
    chosen = Settings(data_dir=data_dir, **settings)
    migrate_database(chosen)
    rung: list[str] = []

    def note(job_id: str) -> bool:
        rung.append(job_id)
        return True

    app = create_app(chosen, ring=ring or note, ring_query=note)
    app.test_client_class = ReadingClient
    return Site(chosen, app, app.test_client(), rung)


def begin_job(site: Site, job_id: str, *, progress: float = 0.25) -> jobs.Claim:
    """Let a worker claim a job and report some progress."""
    now = datetime.now(timezone.utc)
    with site.session() as session:
        held = jobs.claim(session, job_id, "tester", now, 90.0)
        assert held is not None
        report = Progress("analyse", progress, 5, 20, 12.5, 3.0)
        jobs.renew(session, held, report, now, 90.0)
        session.commit()
    return held


def sample_points(frame_count: int = 20, frame_rate: float = 25.0) -> PointTable:
    """Return the boxes of a person in every frame and of a car in every second one."""
    rows = []
    for index in range(frame_count):
        rows.append((index, 1, (index, 10, index + 20, 60), 0.9))
        if index % 2 == 0:
            rows.append((index, 2, (100, 20, 180, 100), 0.8))
    frames, numbers, boxes, scores = zip(*rows, strict=True)
    return PointTable(
        np.arange(frame_count) / frame_rate,
        np.array(frames, np.int32),
        np.array(numbers, np.int32),
        np.array(boxes, np.float32),
        np.array(scores, np.float32),
    )


def sample_tracks(frame_count: int = 20, frame_rate: float = 25.0) -> list[TrackSummary]:
    """Return the summaries of the tracks of `sample_points`."""
    last = frame_count - 1
    shared: Mapping[str, Any] = {"first_frame": 0, "first_s": 0.0, "embedding": None, "crop_jpeg": b"", "crop_frame": 0}
    even = last - last % 2
    person = TrackSummary(
        number=1, kind=Kind.PERSON, class_name="person", last_frame=last, last_s=last / frame_rate,
        point_count=frame_count, mean_score=0.9, **shared,
    )  # fmt: skip
    car = TrackSummary(
        number=2, kind=Kind.VEHICLE, class_name="car", last_frame=even, last_s=even / frame_rate,
        point_count=even // 2 + 1, mean_score=0.8, **shared,
    )  # fmt: skip
    return [person, car]


def publish_result(
    site: Site, video: Mapping[str, Any], *, playback: bytes = b"p" * 1000, has_detections: bool = True
) -> None:
    """Let a worker finish the latest job of a video with the tracks of `sample_tracks`."""
    held = begin_job(site, video["job"]["id"])
    files = site.services.storage.attempt(held.video_id, held.job_id, held.number)
    files.create()
    files.playback.write_bytes(playback)
    files.annotated.write_bytes(b"annotated" * 100)
    if has_detections:
        files.detections.write_bytes(b"detections")
    sample_points().save(files.points)
    for number in (1, 2):
        files.crop(number).write_bytes(b"\xff\xd8crop" + bytes([number]))
    fallback = Notice("model.descriptor_fallback")
    result = results.JobResult(
        tracks=sample_tracks(),
        detector=ModelInfo("yolox", "weights/yolox.onnx"),
        embedder=ModelInfo("hsv_stripes", notices=(fallback,)),
        frame_count=20,
        playback_frame_rate=25.0,
        stage_seconds={"decode": 1.0, "detect": 3.0},
        preset="accurate",
        tracker="recorded",
        detected_boxes=40,
        embedded_boxes=8,
    )
    with site.session() as session:
        results.publish(session, held, result, datetime.now(timezone.utc))
        session.commit()


def publish_retrack(site: Site, job: Mapping[str, Any]) -> None:
    """Let a worker finish a job of the kind `retrack`: one track fewer, no annotated video."""
    held = begin_job(site, job["id"])
    files = site.services.storage.attempt(held.video_id, held.job_id, held.number)
    files.create()
    files.adopt(_base_files(site, held))
    sample_points().save(files.points)
    result = results.JobResult(
        tracks=sample_tracks()[:1],
        detector=ModelInfo("yolox", "weights/yolox.onnx"),
        embedder=ModelInfo("hsv_stripes"),
        frame_count=20,
        playback_frame_rate=25.0,
        stage_seconds={"track": 0.5},
        tracker=str(held.settings["tracker"]),
    )
    with site.session() as session:
        results.publish(session, held, result, datetime.now(timezone.utc))
        session.commit()
    site.services.storage.remove_other_attempts(files)


def publish_render(site: Site, job: Mapping[str, Any], *, content: bytes = b"drawn") -> None:
    """Let a worker finish a job of the kind `render`."""
    held = begin_job(site, job["id"])
    files = site.services.storage.attempt(held.video_id, held.job_id, held.number)
    files.create()
    files.annotated.write_bytes(content)
    with site.session() as session:
        now = datetime.now(timezone.utc)
        results.publish_annotated(session, held, now, give=lambda: files.give_annotated(_base_files(site, held)))
        session.commit()
    files.remove()


def _base_files(site: Site, held: jobs.Claim) -> AttemptFiles:
    assert held.base is not None
    return site.services.storage.attempt(held.video_id, held.base.job_id, held.base.number)

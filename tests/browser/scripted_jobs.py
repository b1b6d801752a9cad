"""Jobs done by hand, step by step, so that a test decides when each begins, moves on and ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config import Settings
from records import ModelInfo, Progress
from store import jobs, results
from store.database import make_engine, session_factory
from store.files import AttemptFiles, Storage
from tests.browser.running_site import RunningSite
from tests.web.sites import sample_points, sample_tracks

STAGE_SECONDS = {"decode": 4.0, "detect": 30.0, "embed": 6.0, "track": 3.0, "draw": 2.0, "encode": 5.0}


class ScriptedWorker:
    """Claims and ends the jobs of a running site."""

    def __init__(self, site: RunningSite, playback: Path) -> None:
        settings = Settings(data_dir=site.data_dir)
        self._engine: Engine = make_engine(settings.resolved_database_url())
        self._sessions = session_factory(self._engine)
        self._storage = Storage(site.data_dir)
        self._playback = playback.read_bytes()

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def claim(self, job: dict[str, Any]) -> jobs.Claim:
        """Begin a job."""
        with self._session() as session:
            held = jobs.claim(session, job["id"], "by hand", _now(), 300)
        assert held is not None
        return held

    def report(self, held: jobs.Claim, stage: str, fraction: float) -> None:
        """Note how far it is."""
        with self._session() as session:
            jobs.renew(session, held, Progress(stage, fraction, 1, 2, 20.0, 3.0), _now(), 300)

    def fail(self, held: jobs.Claim, code: str) -> None:
        """End it with an error."""
        with self._session() as session:
            jobs.fail(session, held, code, {}, _now())

    def finish_track(self, held: jobs.Claim, *, has_detections: bool = True) -> None:
        """End it with the result of a whole run."""
        files = self._begin_files(held)
        files.playback.write_bytes(self._playback)
        files.annotated.write_bytes(self._playback)
        if has_detections:
            files.detections.write_bytes(b"detections")
        facts = {"preset": "balanced", "tracker": "recorded", "detected_boxes": 12345, "embedded_boxes": 67}
        self._publish(held, files, track_count=2, stage_seconds=STAGE_SECONDS, **facts)

    def finish_retrack(self, held: jobs.Claim, *, tracker: str) -> None:
        """End it with one track, by another tracker."""
        files = self._begin_files(held)
        files.adopt(self._base(held))
        self._publish(held, files, track_count=1, stage_seconds={"track": 1.0, "crops": 0.5}, tracker=tracker)

    def finish_render(self, held: jobs.Claim) -> None:
        """End it with an annotated video."""
        files = self._begin_files(held)
        files.annotated.write_bytes(self._playback)
        with self._session() as session:
            results.publish_annotated(session, held, _now(), give=lambda: files.give_annotated(self._base(held)))
        files.remove()

    def _begin_files(self, held: jobs.Claim) -> AttemptFiles:
        files = self._storage.attempt(held.video_id, held.job_id, held.number)
        files.create()
        return files

    def _base(self, held: jobs.Claim) -> AttemptFiles:
        assert held.base is not None
        return self._storage.attempt(held.video_id, held.base.job_id, held.base.number)

    def _publish(self, held: jobs.Claim, files: AttemptFiles, *, track_count: int, **facts: Any) -> None:
        sample_points().save(files.points)
        for number in range(1, track_count + 1):
            files.crop(number).write_bytes(self._storage.poster_path(held.video_id).read_bytes())
        result = results.JobResult(
            tracks=sample_tracks()[:track_count],
            detector=ModelInfo("yolox", "weights/yolox_nano.onnx"),
            embedder=ModelInfo("resnet101_vd", "weights/embedding"),
            frame_count=20,
            playback_frame_rate=10.0,
            **facts,
        )
        with self._session() as session:
            results.publish(session, held, result, _now())
        self._storage.remove_other_attempts(files)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._sessions.begin() as session:
            yield session


def _now() -> datetime:
    return datetime.now(timezone.utc)

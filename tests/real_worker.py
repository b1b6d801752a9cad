"""A data folder, a database and real Celery workers on it, for tests that kill them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import redis

import tasks
from config import Settings
from records import MediaFacts
from store import jobs, videos
from store.database import make_engine, session_factory
from store.files import Storage
from store.migrate import upgrade
from store.tables import CANCELLED, DONE, FAILED, Job, new_id
from tests.databases import NOON

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0


class Site:
    """What a web site would do with the database, and the workers beside it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.storage = Storage(settings.data_dir)
        self.engine = make_engine(settings.resolved_database_url())
        upgrade(self.engine)
        self.sessions = session_factory(self.engine)
        self.ring = tasks.make_ring(settings)
        self._workers: list[subprocess.Popen[bytes]] = []

    def add_job(self, write: Callable[[Path], MediaFacts], *, max_attempts: int = 3) -> str:
        """Upload a video that ``write`` makes and let it wait for a worker, unheard; return the job's id."""
        video_id, path = new_id(), self.settings.data_dir / "upload.avi"
        new = videos.NewVideo(video_id=video_id, name="a.avi", camera="Gate", facts=write(path), sha256="0" * 64)
        self.storage.take_source(video_id, path, "a.avi")
        with self.sessions.begin() as session:
            videos.add(session, new, NOON)
            return jobs.enqueue(session, video_id, {}, NOON, max_attempts=max_attempts).id

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker process; its log goes to the data folder."""
        environ = dict(os.environ)
        for item in fields(self.settings):
            value = getattr(self.settings, item.name)
            environ[item.metadata["variable"]] = ",".join(value) if isinstance(value, tuple) else str(value or "")
        with (self.settings.data_dir / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                tasks.worker_command(self.settings), env=environ, cwd=ROOT, stdout=log, stderr=log
            )
        self._workers.append(worker)
        return worker

    def read(self, job_id: str) -> Job:
        """Return a job as it is in the database."""
        with self.sessions() as session:
            return jobs.get(session, job_id)

    def wait(self, job_id: str, is_there: Callable[[Job], bool]) -> Job:
        """Wait until a job is as wanted, and return it; fail at once where it has ended and will not be."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_there(job := self.read(job_id)):
            if time.monotonic() > deadline or job.state in (DONE, FAILED, CANCELLED):
                log = (self.settings.data_dir / "worker.log").read_text("utf-8", "replace")
                pytest.fail(f"job is {job.state} at {job.progress}, attempt {job.attempt}; log:\n{log[-4000:]}")
            time.sleep(0.1)
        return job

    def attempt_files(self, job: Job) -> list[str]:
        """Return the files of all attempts at the video of a job, by folder and name."""
        folder = self.storage.video_dir(job.video_id) / "attempts"
        found = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
        return sorted(str(path.relative_to(folder)) for path in found)

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self._workers:
            for pid in [*children(worker.pid), worker.pid]:
                if worker.poll() is None:
                    os.kill(pid, signal.SIGKILL)
            worker.wait()
        self.engine.dispose()


class RedisServer:
    """A Redis of our own on a free port, that may be killed."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("redis-server") is None:
            pytest.skip("no redis-server on the PATH")
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                with redis.Redis(port=self._port, socket_timeout=1) as client:
                    client.ping()
                return
            except redis.ConnectionError:  # noqa: PERF203  # tries again until it answers
                time.sleep(0.1)
        pytest.fail("redis-server does not answer")

    def flush(self) -> None:
        """Lose all messages."""
        with redis.Redis(port=self._port) as client:
            client.flushall()

    def kill(self) -> None:
        """Kill the server and all its messages."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def children(pid: int) -> list[int]:
    """Return the ids of the processes that ``pid`` has forked and that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(entry.parent.name))
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody waited for does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

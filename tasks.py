"""The workers: two Celery apps, each with one task: to work on one job, or to look at the pictures of one search.

The database is the truth and the queue a bell: a message carries a job's id,
and may get lost or come twice. Importing this loads no networks and no codecs,
so that the web site may import it to ring; the child that works loads them.

Processes: a worker's parent consumes messages and, in a thread, looks for
abandoned and forgotten rows; one forked child works. Searches by picture have a
queue and a worker of their own, so that none waits for a long video.
"""

from __future__ import annotations

import logging
import mmap
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, signals
from kombu.entity import Queue
from kombu.exceptions import OperationalError as BrokerError

from config import Settings
from store.database import make_engine, session_factory
from store.files import Storage
from worker import watch as watches
from worker.watch import Ring, Watch

_log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent
JOBS = "jobs"
QUERIES = "queries"
TASKS = {JOBS: "resight.run_job", QUERIES: "resight.run_query"}
APPS = {JOBS: "celery_app", QUERIES: "query_app"}
DUTIES = {JOBS: watches.JOBS, QUERIES: watches.QUERIES}
QUERY_TIME_LIMIT_S = 120
RING_TIMEOUT_S = 1.0
TAKEN_KEPT_S = 60.0


class _Shutdown:
    """Tells the working child that its worker ends, gracefully or not.

    One byte of memory shared over the fork: unlike a multiprocessing.Event, it
    has no lock that a child could hold when it is killed.
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)
        self._owner_pid = os.getpid()

    def begin(self) -> None:
        """Let every child stop at its next frame."""
        self._byte[0] = 1

    def has_begun(self) -> bool:
        """Return whether to stop; also true in a child whose parent was killed."""
        is_orphan = os.getpid() != self._owner_pid and os.getppid() != self._owner_pid
        return self._byte[0] != 0 or is_orphan


def configuration(settings: Settings, queue: str = JOBS) -> dict[str, Any]:
    """Return Celery's configuration."""
    is_jobs = queue == JOBS
    return {
        **_broker(settings, queue),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_default_queue": queue,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "worker_prefetch_multiplier": 1,
        # The attempt ends itself at the limit, with a sentence; this ends one that hangs.
        "task_time_limit": settings.job_time_limit_s + 300 if is_jobs else QUERY_TIME_LIMIT_S,
        "worker_max_tasks_per_child": 16 if is_jobs else 500,  # a search keeps its models loaded
        "worker_proc_alive_timeout": 30.0,
        "worker_lost_wait": 2.0,
        "worker_enable_remote_control": False,
        "worker_redirect_stdouts": False,
        "worker_log_format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        "worker_task_log_format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
    }


def _broker(settings: Settings, queue: str) -> dict[str, Any]:
    if settings.redis_url:
        scheme, separator, _ = settings.redis_url.partition("://")
        if not separator or scheme not in ("redis", "rediss", "redis+socket", "sentinel"):
            raise ValueError("REDIS_URL must look like redis://localhost:6379/0; correct it or leave it unset")
        return {
            "broker_url": settings.redis_url,
            # No acknowledgements: one that fails since Redis restarts would take the worker's only slot for good.
            "task_queues": [Queue(queue, no_ack=True)],  # type: ignore[no-untyped-call]  # Kombu is partly typed
            "worker_disable_prefetch": True,
            "broker_transport_options": {
                "socket_connect_timeout": 5.0,
                "socket_keepalive": True,
                "health_check_interval": 25,
            },
        }
    return {
        "broker_url": "filesystem://localhost//",  # without a host name Kombu warns at every start
        "broker_transport_options": _queue_folders(settings),
        # Late, so that a busy worker holds no second message back from an idle one.
        "task_acks_late": True,
    }


def _queue_folders(settings: Settings) -> dict[str, Any]:
    folder = (settings.data_dir / "queue").absolute()
    return {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "processed_folder": str(folder / "taken"),
        "control_folder": str(folder / "control"),
        # The default moves each message through the system's folder for temporary files, which may be another disk.
        "store_processed": True,
    }


def make_ring(settings: Settings, queue: str = JOBS) -> Ring:
    """Return a function that wakes a worker for a row of a queue; the web site's side of it.

    It takes two seconds at most, and returns whether the message was sent. A
    message that could not be sent is no harm: workers look for forgotten rows.
    """
    app = Celery("resight", set_as_current=False)
    app.conf.update(configuration(settings, queue))
    options = {
        **app.conf.broker_transport_options,
        "socket_connect_timeout": RING_TIMEOUT_S,
        "socket_timeout": RING_TIMEOUT_S,
        "max_retries": 0,
    }

    def send(row_id: str) -> bool:
        try:
            _make_queue_folders(settings)
            with app.connection_for_write(transport_options=options) as connection:
                app.send_task(TASKS[queue], args=[row_id], connection=connection, retry=False, queue=queue)
        except (BrokerError, OSError) as error:
            _log.warning("not rung, a worker will find it by itself queue=%s id=%s error=%s", queue, row_id, error)
            return False
        return True

    return send


def worker_command(settings: Settings, queue: str = JOBS) -> list[str]:
    """Return the command line of a worker, to be started with the environment that made ``settings``."""
    options = ["--pool=prefork", "--concurrency=1", f"--queues={queue}", f"--loglevel={settings.log_level}"]
    options.append(f"--hostname={queue}@%h")  # tells them apart in logs
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        sys.executable,
        "-m",
        "celery",
        "--quiet",
        "--workdir",
        str(ROOT),
        f"--app=tasks:{APPS[queue]}",
        "worker",
        *options,
        *quiet,
    ]


def make_worker_app(settings: Settings, queue: str = JOBS) -> Celery:
    """Return the Celery app of a queue's worker, with its task and what happens when it starts and ends."""
    app = Celery("resight", set_as_current=queue == JOBS)
    app.conf.update(configuration(settings, queue))
    shutdown = _Shutdown()
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
    watch = Watch(
        settings,
        name,
        make_ring(settings, queue),
        duty=DUTIES[queue],
        clean=lambda: _remove_taken_messages(settings),
        give_up=lambda: os.kill(os.getpid(), signal.SIGTERM),
    )

    @app.task(name=TASKS[queue])  # type: ignore[untyped-decorator]  # Celery has no types
    def run(row_id: str) -> None:
        if queue == QUERIES:
            _run_query(row_id, settings, name)
        else:
            _run_job(row_id, settings, name, shutdown)

    # Signals are the process's: each app looks at its own worker's alone.
    def on_init(sender: Any, **_: object) -> None:
        if sender.app is app:
            _make_queue_folders(settings)

    def on_ready(sender: Any, **_: object) -> None:
        if sender.app is app:
            watch.start()

    def on_shutting_down(**_: object) -> None:
        shutdown.begin()
        watch.end()

    def on_shutdown(**_: object) -> None:
        if watch.is_alive():
            watch.join(timeout=5)

    def on_failure(sender: Any, exception: BaseException, args: list[Any], **_: object) -> None:
        if sender.app is app and isinstance(exception, WorkerLostError | TimeLimitExceeded):
            watch.report_death(args[0])

    signals.worker_init.connect(on_init, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.worker_shutting_down.connect(on_shutting_down, weak=False)
    signals.worker_shutdown.connect(on_shutdown, weak=False)
    signals.task_failure.connect(on_failure, weak=False)
    return app


def _run_job(job_id: str, settings: Settings, worker: str, shutdown: _Shutdown) -> None:
    from worker.attempt import Workplace, run_attempt
    from worker.kinds import models_of_job

    engine = make_engine(settings.resolved_database_url())
    try:
        place = Workplace(
            settings=settings,
            sessions=session_factory(engine),
            storage=Storage(settings.data_dir),
            worker=worker,
            is_stopping=shutdown.has_begun,
            build_models=models_of_job,
        )
        run_attempt(job_id, place)
    finally:
        engine.dispose()


def _run_query(query_id: str, settings: Settings, worker: str) -> None:
    from worker.kinds import models_of_job
    from worker.queries import QueryPlace, run_query

    engine = make_engine(settings.resolved_database_url())
    try:
        place = QueryPlace(
            settings=settings,
            sessions=session_factory(engine),
            storage=Storage(settings.data_dir),
            worker=worker,
            build_models=models_of_job,
        )
        run_query(query_id, place)
    finally:
        engine.dispose()


def _make_queue_folders(settings: Settings) -> None:
    if not settings.redis_url:
        options = _queue_folders(settings)
        for name in ("data_folder_in", "processed_folder", "control_folder"):
            Path(options[name]).mkdir(parents=True, exist_ok=True)


def _remove_taken_messages(settings: Settings) -> None:
    """Delete what the filesystem transport keeps of messages that were taken some time ago."""
    if settings.redis_url:
        return
    for path in Path(_queue_folders(settings)["processed_folder"]).glob("*.msg"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > TAKEN_KEPT_S:
                path.unlink()


_settings = Settings.from_env()
celery_app = make_worker_app(_settings)
query_app = make_worker_app(_settings, QUERIES)
ring: Ring = make_ring(_settings)
"""Rings as the environment says; see `make_ring`."""

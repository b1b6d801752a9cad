"""Run the web server and the workers as child processes: start, watch, restart, stop."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config import Settings

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent

THREADS = 8
_GRACE_S = 13.0
_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 30.0
_STEADY_S = 60.0
_TICK_S = 0.2
_ORDERLY_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class PortInUseError(Exception):
    """Another program listens where the site should."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return (
            f"Port {self.port} on {self.host} is in use by another program. "
            f"Stop that one, or choose another port: RESIGHT_PORT={self.port + 1} make run"
        )


def web_command(settings: Settings) -> list[str]:
    """Return the command of the web server: one process, so that uploads and limits are in one place."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return [
        *(sys.executable, "-m", "gunicorn", "app:wsgi()"),
        *("--bind", f"{host}:{settings.port}"),
        *("--workers", "1", "--worker-class", "gthread", "--threads", str(THREADS)),
        "--no-control-socket",  # it would be one file in the user's home for all servers
        *("--graceful-timeout", "5", "--keep-alive", "5", "--timeout", "120"),
        *("--log-level", settings.log_level.lower() if settings.log_level.upper() != "INFO" else "warning"),
        # Heartbeats on a slow disk stop the server; memory does not stall.
        *(("--worker-tmp-dir", "/dev/shm") if Path("/dev/shm").is_dir() else ()),  # noqa: S108  # gunicorn's documented place
    ]


def worker_command(settings: Settings, queue: str = "jobs") -> list[str]:
    """Return the command of a background worker: of the jobs, or of the searches by picture, ``queries``."""
    from tasks import worker_command as command  # reads the environment when imported

    return command(settings, queue)


def run_alone(part: str, settings: Settings) -> int:
    """Become the web server or a worker; returns only where that cannot be started."""
    warn_of_open_host(settings)
    queue = {"worker": "jobs", "search-worker": "queries"}.get(part)
    command = web_command(settings) if queue is None else worker_command(settings, queue)
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606  # our own interpreter


@dataclass
class Child:
    """A process that should run: starts it, and again when it dies, each time after a longer wait."""

    name: str
    command: Sequence[str]
    clock: Callable[[], float] = time.monotonic
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _started_s: float = field(default=0.0, init=False)
    _restart_s: float | None = field(default=None, init=False)
    _delay_s: float = field(default=_FIRST_DELAY_S, init=False)

    def start(self) -> None:
        """Start the process in a group of its own, which Ctrl-C in the terminal does not reach."""
        self._started_s = self.clock()
        self._restart_s = None
        self.process = subprocess.Popen(  # noqa: S603  # our own command
            list(self.command), cwd=ROOT, start_new_session=True, preexec_fn=_die_with_parent
        )

    def watch(self) -> None:
        """Start the process again where it has died; call this often."""
        now = self.clock()
        if self._restart_s is not None:
            if now >= self._restart_s:
                self.start()
            return
        if self.process is None or (status := self.process.poll()) is None:
            return
        _kill_group(self.process.pid)
        if now - self._started_s > _STEADY_S:
            self._delay_s = _FIRST_DELAY_S
        LOG.error("the %s ended with status %s; it starts again in %.0f s", self.name, status, self._delay_s)
        self._restart_s = now + self._delay_s
        self._delay_s = min(2 * self._delay_s, _LONGEST_DELAY_S)

    def is_running(self) -> bool:
        """Tell whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        """Ask the process to end in good order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """End whatever is left of the process and its children."""
        if self.process is not None:
            _kill_group(self.process.pid)
            self.process.wait()


def run_both(settings: Settings) -> int:
    """Run the web server and the workers until SIGINT or SIGTERM; return the exit status.

    Call `check_port` first: a server that cannot have its port would be started again and again.
    """
    warn_of_open_host(settings)
    stop = _StopSignal()
    children = [
        Child("web server", web_command(settings)),
        Child("worker", worker_command(settings)),
        Child("search worker", worker_command(settings, "queries")),
    ]
    try:
        for child in children:
            child.start()
        is_announced = False
        while not stop.is_set:
            for child in children:
                child.watch()
            if not is_announced and answers(settings.host, settings.port):
                _say(f"Resight is ready: {address(settings)}  (Ctrl-C stops it)")
                is_announced = True
            time.sleep(_TICK_S)
        _say("Stopping; a running job goes back to the queue.")
    finally:
        stop_all(children)
    return 0


def stop_all(children: Sequence[Child]) -> None:
    """Ask all to end, wait a while, and end by force what is left."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline and any(child.is_running() for child in children):
        time.sleep(_TICK_S / 2)
    for child in children:
        if child.is_running():
            LOG.warning("the %s did not end within %.0f s and is ended by force", child.name, _GRACE_S)
        child.end()


def check_port(host: str, port: int) -> None:
    """Make sure that nothing else listens at the address.

    Raises
    ------
    PortInUseError
        when something does.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise PortInUseError(host, port) from error


def answers(host: str, port: int) -> bool:
    """Tell whether something accepts connections at the address."""
    try:
        with socket.create_connection((_reachable(host), port), timeout=0.5):
            return True
    except OSError:
        return False


def address(settings: Settings) -> str:
    """Return the URL to open in a browser on this machine."""
    host = _reachable(settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on is reachable from this machine only."""
    return host == "localhost" or host.startswith("127.") or host.strip("[]") == "::1"


class _StopSignal:
    """Set by SIGINT or SIGTERM."""

    def __init__(self) -> None:
        self.is_set = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.is_set = True


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host).strip("[]")  # noqa: S104  # compared


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the command line's own output


def warn_of_open_host(settings: Settings) -> None:
    """Warn in the log when other machines reach the site."""
    if not is_loopback(settings.host):
        LOG.warning(
            "the site listens on %s and has no accounts: whoever reaches it sees all videos. "
            "Keep it behind a proxy with a login, or unset RESIGHT_HOST.",
            settings.host,
        )


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _die_with_parent() -> None:
    """Ask Linux to end this child in good order when the supervisor is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_ORDERLY_DEATH_SIGNAL, signal.SIGTERM)

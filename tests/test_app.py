"""`python app.py` as a user runs it: one command, a URL, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

import supervise
from app import create_app, main
from config import Settings
from store import migrate
from store.database import make_engine
from supervise import Child, PortInUseError, check_port

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environ_of(data_dir: Path, port: int) -> dict[str, str]:
    own = {"RESIGHT_DATA_DIR": str(data_dir), "RESIGHT_PORT": str(port), "DATABASE_URL": "", "REDIS_URL": ""}
    return {**os.environ, **own, "RESIGHT_HOST": "127.0.0.1", "RESIGHT_SWEEP_S": "1", "PYTHONUNBUFFERED": "1"}


def wait_until(condition: Callable[[], object], timeout_s: float = 90.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def processes_of(data_dir: Path) -> dict[int, str]:
    """Return the command lines of living processes that were started with this data folder."""
    found = {int(folder.name): _command(folder, data_dir) for folder in Path("/proc").glob("[0-9]*")}
    return {number: command for number, command in found.items() if command}


def _command(folder: Path, data_dir: Path) -> str:
    with suppress(OSError):
        if f"RESIGHT_DATA_DIR={data_dir}".encode() in (folder / "environ").read_bytes().split(b"\0"):
            return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def leader_of(data_dir: Path, what: str) -> int:
    """Return the process that leads the group of ``what``."""
    return next(
        number for number, command in processes_of(data_dir).items() if what in command and os.getpgid(number) == number
    )


def fetch(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@contextmanager
def running(data_dir: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run `python app.py` until it says that it is ready."""
    log = data_dir.parent / "log"
    with log.open("wb") as file:
        command = [sys.executable, "app.py"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ_of(data_dir, port), stdout=file, stderr=file)
        try:
            wait_until(lambda: b"is ready" in log.read_bytes() or process.poll() is not None)
            yield process, log
        finally:
            process.terminate()
            process.wait(timeout=30)
            for number in processes_of(data_dir):
                os.kill(number, signal.SIGKILL)


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes through /proc")


@needs_proc
@pytest.mark.slow
def test_one_command_serves_restarts_and_stops_cleanly(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    with running(data_dir, port) as (process, log):
        assert f"Resight is ready: http://127.0.0.1:{port}" in log.read_text()
        wait_until(lambda: '"status":"ok"' in fetch(port, "/api/v1/health"))
        assert "</html>" in fetch(port, "/videos")

        second = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=environ_of(data_dir, port),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 1
        assert f"Port {port} on 127.0.0.1 is in use" in second.stderr
        assert "Traceback" not in second.stderr

        for what in ("gunicorn", "--queues=jobs", "--queues=queries"):
            leader = leader_of(data_dir, what)
            os.kill(leader, signal.SIGKILL)
            wait_until(lambda leader=leader: leader not in processes_of(data_dir))
        wait_until(lambda: '"status":"ok"' in fetch(port, "/api/v1/health"))
        for name, what in (
            ("web server", "gunicorn"),
            ("worker", "--queues=jobs"),
            ("search worker", "--queues=queries"),
        ):
            said = f"the {name} ended with status -9; it starts again"
            wait_until(lambda said=said: said in log.read_text())
            wait_until(lambda what=what: any(what in command for command in processes_of(data_dir).values()))

        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - began < 15
        wait_until(lambda: processes_of(data_dir) == {}, timeout_s=5)
        assert "Stopping" in log.read_text()
        assert "KeyboardInterrupt" not in log.read_text()


@needs_proc
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    with running(data_dir, port) as (process, _):
        wait_until(lambda: '"status":"ok"' in fetch(port, "/api/v1/health"))
        process.kill()
        process.wait()
        wait_until(lambda: processes_of(data_dir) == {}, timeout_s=30)
    check_port("127.0.0.1", port)


def test_migrate_brings_the_database_up_to_date(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    command = [sys.executable, "app.py", "migrate"]
    for _ in range(2):
        done = subprocess.run(
            command, cwd=ROOT, env=environ_of(data_dir, 1), capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    engine = make_engine(f"sqlite:///{data_dir / 'resight.db'}")
    assert migrate.is_current(engine)
    engine.dispose()


def test_a_bad_setting_is_a_sentence(tmp_path: Path) -> None:
    environ = {**environ_of(tmp_path, 1), "RESIGHT_PORT": "eighty"}
    done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("RESIGHT_PORT is “eighty”, but a whole number is wanted")


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["everything"])
    assert "invalid choice" in capsys.readouterr().err


def test_a_used_port_is_named_with_the_way_out() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"RESIGHT_PORT={port + 1}"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


class Clock:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_child_that_keeps_dying_is_started_after_ever_longer_waits() -> None:
    clock = Clock()
    child = Child("brief process", [sys.executable, "-c", "raise SystemExit(3)"], clock)
    child.start()
    waits = []
    for _ in range(7):
        assert child.process is not None
        child.process.wait()
        child.watch()
        died_s = clock.now_s
        dead = child.process
        while child.process is dead:
            clock.now_s += 0.5
            child.watch()
        waits.append(clock.now_s - died_s)
    child.end()
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_ran_well_is_started_again_soon() -> None:
    clock = Clock()
    child = Child("brief process", [sys.executable, "-c", ""], clock)
    child.start()
    for _ in range(3):
        assert child.process is not None
        dead = child.process
        dead.wait()
        clock.now_s += 100
        child.watch()
        clock.now_s += 1
        child.watch()
        assert child.process is not dead
    child.end()


@needs_proc
def test_ending_a_child_ends_its_own_children_too(tmp_path: Path) -> None:
    mark = tmp_path / "grandchild"
    code = (
        "import subprocess, sys, time, pathlib\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(mark)!r}).write_text(str(p.pid))\n"
        "time.sleep(60)\n"
    )
    child = Child("parent", [sys.executable, "-c", code])
    child.start()
    wait_until(lambda: mark.exists() and mark.read_text())
    assert child.is_running()
    child.end()
    assert not child.is_running()
    status = Path(f"/proc/{mark.read_text()}/stat")
    wait_until(lambda: not status.exists() or ") Z " in status.read_text(), timeout_s=5)


@pytest.mark.parametrize(
    ("host", "url", "is_own"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("0.0.0.0", "http://127.0.0.1:8000", False),  # noqa: S104  # nothing is bound
        ("::1", "http://[::1]:8000", True),
        ("::", "http://[::1]:8000", False),
        ("10.0.0.5", "http://10.0.0.5:8000", False),
        ("localhost", "http://localhost:8000", True),
    ],
)
def test_the_address_to_open(host: str, url: str, is_own: bool, caplog: pytest.LogCaptureFixture) -> None:
    assert supervise.address(Settings(host=host)) == url
    assert supervise.is_loopback(host) is is_own
    supervise.warn_of_open_host(Settings(host=host))
    assert ("no accounts" in caplog.text) is not is_own


def test_the_server_listens_where_the_settings_say() -> None:
    command = supervise.web_command(Settings(host="::1", port=81))
    assert command[command.index("--bind") + 1] == "[::1]:81"
    assert command[command.index("--threads") + 1] == "8"


def test_the_key_of_the_sessions_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="sqlite://")
    keys = {create_app(settings, ring=bool).config["SECRET_KEY"] for _ in range(2)}
    assert len(keys) == 1
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0

"""The real site as a process of its own, on a free port and in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
_START_S = 60
_STOP_S = 30


@dataclass(frozen=True)
class RunningSite:
    """Where a site answers and where it keeps its data."""

    url: str
    data_dir: Path

    def get(self, path: str) -> Any:
        """Return the JSON that the API answers."""
        with urllib.request.urlopen(f"{self.url}/api/v1{path}", timeout=30) as answer:  # noqa: S310  # our own address
            return json.load(answer)

    def post(self, path: str, body: Any) -> Any:
        """Send JSON to the API and return what it answers."""
        request = urllib.request.Request(  # noqa: S310  # our own address
            f"{self.url}/api/v1{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def delete_videos(self) -> None:
        """Delete what other tests uploaded to the site they share."""
        for video in self.get("/videos")["videos"]:
            request = urllib.request.Request(f"{self.url}/api/v1/videos/{video['id']}", method="DELETE")  # noqa: S310
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310  # our own address

    def upload(self, path: Path, **fields: str) -> dict[str, Any]:
        """Add a video through the API and return what it answers."""
        edge = uuid4().hex
        texts = {"camera": "North gate", **fields}
        parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in texts.items()]
        head = f'Content-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
        body = "".join(f"--{edge}\r\n{part}\r\n" for part in parts).encode()
        body += f"--{edge}\r\n{head}".encode() + path.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        request = urllib.request.Request(  # noqa: S310  # our own address
            f"{self.url}/api/v1/videos", body, {"Content-Type": f"multipart/form-data; boundary={edge}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            video: dict[str, Any] = json.load(answer)
            return video


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_site(data_dir: Path, *parts: str, **environ: str) -> Iterator[RunningSite]:
    """Run ``python app.py`` with ``parts`` until the block ends.

    Parameters
    ----------
    parts : ``web`` for a site without a worker; none for both.
    environ : settings, by the names of their variables.
    """
    port = _free_port()
    settings = _clean(os.environ) | {"RESIGHT_DATA_DIR": str(data_dir), "RESIGHT_PORT": str(port), **environ}
    if parts:
        subprocess.run([sys.executable, "app.py", "migrate"], cwd=ROOT, env=settings, check=True, timeout=_START_S)
    log = data_dir.parent / f"site-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", *parts], cwd=ROOT, env=settings, stdout=output, stderr=subprocess.STDOUT
        )
        site = RunningSite(f"http://127.0.0.1:{port}", data_dir)
        try:
            _wait_until_it_answers(site, process, log)
            yield site
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the settings of another site."""
    ours = ("RESIGHT_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    return {name: value for name, value in environ.items() if not name.startswith(ours)}


def _wait_until_it_answers(site: RunningSite, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            site.get("/health")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the site did not start: {log.read_text(errors='replace')[-2000:]}")

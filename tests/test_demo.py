"""`python demo.py`: two rendered recordings on a running site."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import demo
from demo import DemoError, is_site_there, render_world, upload
from tests.test_app import environ_of, free_port, processes_of, wait_until

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with a demo of a second."""
    data = tmp_path_factory.mktemp("data")
    render_world(data / "demo" / f"{demo.SEED}-0.6s", duration_s=0.6)
    return data


def test_a_world_is_rendered_once(rendered: Path) -> None:
    folder = rendered / "demo" / f"{demo.SEED}-0.6s"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    world = render_world(folder, duration_s=0.6)
    assert [camera["video"] for camera in world["cameras"]] == [f"camera-{n}/camera-{n}.mp4" for n in (1, 2)]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_the_demo_starts_a_site_uploads_both_recordings_and_leaves_with_ctrl_c(rendered: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(ROOT / "demo.py"), "--duration_s", "0.6"]
    with (rendered / "said.txt").open("w") as said:
        running = subprocess.Popen(
            command, cwd=ROOT, env=environ_of(rendered, port), stdout=said, stderr=said, start_new_session=True
        )
    try:
        wait_until(lambda: "Ctrl-C to stop" in (rendered / "said.txt").read_text() or running.poll() is not None)
        videos = demo._ask(f"{address}/api/v1/videos")["videos"]
        assert sorted(video["camera"]["name"] for video in videos) == ["Demo camera-1", "Demo camera-2"]
        assert all(video["started_at"].startswith("2026-01-05T08:00:0") for video in videos)
        assert all(f"{address}{video['page_url']}" in (rendered / "said.txt").read_text() for video in videos)
        folder = rendered / "demo" / f"{demo.SEED}-0.6s"
        again = {upload(address, folder, camera) for camera in render_world(folder, duration_s=0.6)["cameras"]}
        assert again == {f"{address}{video['page_url']}" for video in videos}, "nothing is uploaded twice"
        assert demo._ask(f"{address}/api/v1/videos")["total"] == 2
    finally:
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        running.wait(timeout=60)
    wait_until(lambda: not processes_of(rendered))


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"hello": "I am not Resight"}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Stranger)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_program_at_the_address_is_no_site(stranger: str) -> None:
    with pytest.raises(DemoError, match="Another program answers"):
        is_site_there(stranger)


def test_nobody_at_the_address_is_no_site() -> None:
    assert not is_site_there(f"http://127.0.0.1:{free_port()}")

"""What only a real server shows: bodies that stream, break off or have no length, and ranges over a socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.make_videos import make_video
from tests.web.sites import Site, make_site, publish_result

ROOT = Path(__file__).resolve().parent.parent.parent
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
MAX_UPLOAD_BYTES = 5_000_000


class Server:
    """A gunicorn on a port of its own, with a site that shares its folder."""

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.port = port

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, bytes]:
        """Send a request; return status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def start_upload(self, length: int) -> str:
        status, headers, _ = self.ask("POST", "/api/v1/uploads", headers={**TUS, "Upload-Length": str(length)})
        assert status == 201
        return str(headers["Location"])

    def offset(self, address: str) -> int:
        return int(self.ask("HEAD", address, headers=TUS)[1]["Upload-Offset"])

    def open_socket(self, *lines: str) -> socket.socket:
        """Open a connection and send the head of a request."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall("\r\n".join([*lines, "Host: localhost", "", ""]).encode())
        return connection


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir, port = tmp_path_factory.mktemp("server"), free_port()
    site = make_site(data_dir, max_upload_bytes=MAX_UPLOAD_BYTES)
    environ = {
        **os.environ,
        "RESIGHT_DATA_DIR": str(data_dir),
        "RESIGHT_PORT": str(port),
        "RESIGHT_MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES),
        "DATABASE_URL": "",
        "REDIS_URL": "",
    }
    with (data_dir / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "app.py", "web"], cwd=ROOT, env=environ, stderr=log)
        try:
            found = Server(site, port)
            wait_until(lambda: answers(found))
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
            site.close()
    assert "Traceback" not in (data_dir / "log").read_text()


def answers(server: Server) -> bool:
    try:
        return server.ask("GET", "/api/v1/health")[0] == 200
    except OSError:
        return False


def wait_until(condition: Any, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_an_upload_goes_on_where_its_connection_broke(server: Server, tmp_path: Path) -> None:
    content = make_video(tmp_path / "a.avi", codec="mjpeg", width=640, height=480, frame_count=60).read_bytes()
    assert len(content) > 200_000
    address = server.start_upload(len(content))
    half = len(content) // 2
    head = [f"{name}: {value}" for name, value in PIECE.items()]
    broken = server.open_socket(
        f"PATCH {address} HTTP/1.1", *head, "Upload-Offset: 0", f"Content-Length: {len(content)}"
    )
    with broken:
        broken.sendall(content[:half])
        wait_until(lambda: server.offset(address) > 0)
        assert server.ask("PATCH", address, b"x", {**PIECE, "Upload-Offset": str(half)})[0] == 423
    wait_until(lambda: server.ask("PATCH", address, b"", {**PIECE, "Upload-Offset": str(half)})[0] == 204)
    status, headers, _ = server.ask("PATCH", address, content[half:], {**PIECE, "Upload-Offset": str(half)})
    assert (status, headers["Upload-Offset"]) == (204, str(len(content)))
    body = json.dumps({"upload_id": address.rpartition("/")[2], "camera": "gate"})
    status, _, answer = server.ask("POST", "/api/v1/videos", body, {"Content-Type": "application/json"})
    assert status == 201
    video = json.loads(answer)
    assert server.site.services.storage.source_path(video["id"]).read_bytes() == content


def test_pieces_without_a_length_are_taken_up_to_the_announced_one(server: Server) -> None:
    address = server.start_upload(10)
    status, headers, _ = server.ask("PATCH", address, iter([b"012", b"3456"]), {**PIECE, "Upload-Offset": "0"})
    assert (status, headers["Upload-Offset"]) == (204, "7")
    status, _, answer = server.ask("PATCH", address, iter([b"789", b"too much"]), {**PIECE, "Upload-Offset": "7"})
    assert (status, json.loads(answer)["error"]["code"]) == (413, "upload.too_long")
    assert server.offset(address) <= 10


def form(content: bytes, boundary: str = "----b") -> tuple[bytes, dict[str, str]]:
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="camera"\r\n\r\ngate\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="夜 🚶.mp4"\r\n'
        "Content-Type: video/mp4\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def pieces(body: bytes) -> Iterator[bytes]:
    yield from (body[start : start + 65536] for start in range(0, len(body), 65536))


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_form_streams_with_and_without_a_length(server: Server, clip: Path, is_chunked: bool) -> None:
    body, headers = form(clip.read_bytes())
    status, _, answer = server.ask("POST", "/api/v1/videos", pieces(body) if is_chunked else body, headers)
    assert status == 201
    assert json.loads(answer)["name"] == "夜 🚶.mp4"


def test_a_form_without_a_length_is_cut_off_at_the_limit(server: Server) -> None:
    before = server.site.files()
    body, headers = form(b"x" * (MAX_UPLOAD_BYTES + 2_000_000))
    try:
        status, _, answer = server.ask("POST", "/api/v1/videos", pieces(body), headers)
        assert (status, json.loads(answer)["error"]["code"]) == (413, "media.too_large")
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server need not read what it refuses
    wait_until(lambda: server.site.files() == before)


def test_a_form_that_breaks_off_leaves_nothing(server: Server) -> None:
    before = server.site.files()
    body, headers = form(b"x" * 1_000_000)
    head = [f"{name}: {value}" for name, value in headers.items()]
    broken = server.open_socket("POST /api/v1/videos HTTP/1.1", *head, f"Content-Length: {len(body)}")
    broken.sendall(body[:700_000])
    wait_until(lambda: server.site.files() != before)
    broken.close()
    wait_until(lambda: server.site.files() == before)


def test_ranges_and_names_reach_the_socket(server: Server, clip: Path) -> None:
    body, headers = form(clip.read_bytes())
    video = json.loads(server.ask("POST", "/api/v1/videos", body, headers)[2])
    publish_result(server.site, video)
    status, found, answer = server.ask("GET", f"{video['url']}/playback.mp4", headers={"Range": "bytes=0-1"})
    assert (status, found["Content-Range"], answer) == (206, "bytes 0-1/1000", b"pp")
    assert server.ask("HEAD", f"{video['url']}/playback.mp4")[1]["Content-Length"] == "1000"
    status, found, answer = server.ask("GET", f"{video['url']}/tracks.csv")
    assert status == 200
    assert "filename*=UTF-8''%E5%A4%9C%20%F0%9F%9A%B6-tracks.csv" in found["Content-Disposition"]
    assert answer.count(b"\n") == 31


def test_stalled_uploads_hold_no_more_than_their_own_threads(server: Server) -> None:
    stalled = []
    for _ in range(4):
        address = server.start_upload(1000)
        head = [f"{name}: {value}" for name, value in PIECE.items()]
        stalled.append(
            server.open_socket(f"PATCH {address} HTTP/1.1", *head, "Upload-Offset: 0", "Content-Length: 1000")
        )
    assert server.ask("GET", "/jobs")[0] == 200
    for connection in stalled:
        connection.close()
    assert server.ask("GET", "/jobs")[0] == 200


def test_an_unknown_host_is_refused_by_the_running_server(server: Server) -> None:
    assert server.ask("GET", "/videos", headers={"Host": "evil.example"})[0] == 400

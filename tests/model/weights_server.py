"""A local HTTP server that hands out files, honestly or not."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class WeightsServer:
    """What it serves and how it behaves; change it between requests.

    Attributes
    ----------
    files : content by path.
    break_after : bytes after which each answer's connection is cut, one entry an answer.
    faults : HTTP statuses to answer with first, one an answer.
    redirects : address by path.
    honours_ranges : whether it sends parts.
    tells_length : whether it says how long an answer is.
    tag : ETag of everything.
    ranges : the Range header of each request for a file, None where it had none.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    honours_ranges: bool = True
    tells_length: bool = True
    tag: str = '"1"'
    ranges: list[str | None] = field(default_factory=list)


@contextmanager
def running_server() -> Iterator[WeightsServer]:
    """Serve on a free port of this machine within the block."""
    served = WeightsServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            _answer(self, served)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, served: WeightsServer) -> None:
    if request.path in served.redirects:
        request.send_response(302)
        request.send_header("Location", served.redirects[request.path])
        request.end_headers()
        return
    wanted = request.headers.get("Range")
    served.ranges.append(wanted)
    if served.faults:
        request.send_error(served.faults.pop(0))
        return
    if request.path not in served.files:
        request.send_error(404)
        return
    content = served.files[request.path]
    start = 0
    match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
    if match and served.honours_ranges and request.headers.get("If-Range") == served.tag:
        start = int(match[1])
        if start >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    else:
        request.send_response(200)
    request.send_header("ETag", served.tag)
    if served.tells_length:
        request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    end = start + served.break_after.pop(0) if served.break_after else len(content)
    request.wfile.write(content[start:end])

"""Show the product on a rendered world: two cameras, people who walk from one to the other, nobody real.

``python demo.py`` renders the two recordings once (into the data folder), starts the site where none runs, uploads
them as a user would, and prints the address.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config import Settings
from supervise import PortInUseError, check_port

ROOT = Path(__file__).resolve().parent
SEED = 14
FRAME_RATE = 10
WIDTH, HEIGHT = 960, 540
_TIMEOUT_S = 30.0
_START_S = 60.0


class DemoError(Exception):
    """What the user can mend."""


def render_world(folder: Path, *, duration_s: float) -> Mapping[str, Any]:
    """Return the description of the demo's world, rendered where it is not there yet; see `synth.videos`."""
    from synth.videos import WORLD_FILE, write_world
    from synth.worlds import sample_world

    described = folder / WORLD_FILE
    if not described.exists():
        _say("Rendering two cameras of a street, about a minute …")
        world = sample_world(SEED, duration_s=duration_s, frame_rate=FRAME_RATE, width=WIDTH, height=HEIGHT)
        write_world(folder, world, jobs=min(2, os.cpu_count() or 1))
    world_read: Mapping[str, Any] = json.loads(described.read_text("utf-8"))
    return world_read


def is_site_there(address: str) -> bool:
    """Tell whether Resight answers at the address.

    Raises
    ------
    DemoError
        where another program answers.
    """
    try:
        health = _ask(f"{address}/api/v1/health")
    except (OSError, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError | ValueError):
            raise DemoError(f"Another program answers at {address}. Stop it, or set RESIGHT_PORT.") from error
        return False
    if "workers" not in health:
        raise DemoError(f"Another program answers at {address}. Stop it, or set RESIGHT_PORT.")
    return True


def start_site(address: str) -> subprocess.Popen[bytes]:
    """Start web server and worker, and wait until they answer.

    Raises
    ------
    DemoError
        where they do not.
    """
    site = subprocess.Popen([sys.executable, str(ROOT / "app.py")], cwd=ROOT)  # noqa: S603  # our own interpreter
    until = time.monotonic() + _START_S
    while not is_site_there(address):
        if site.poll() is not None or time.monotonic() > until:
            site.terminate()
            raise DemoError("The site did not start; see what it wrote above.")
        time.sleep(0.3)
    return site


def upload(address: str, folder: Path, camera: Mapping[str, Any]) -> str:
    """Send one recording through the API, unless it is there; return the address of its page."""
    path = folder / camera["video"]
    name = f"Demo {camera['name']}"
    for video in _ask(f"{address}/api/v1/videos?limit=100")["videos"]:
        if (video["name"], video["camera"]["name"], video["bytes"]) == (path.name, name, path.stat().st_size):
            return f"{address}{video['page_url']}"
    fields = {"camera": name, "started_at": camera["started_at"], "time_zone": "UTC"}
    body, content_type = _multipart(fields, path)
    request = urllib.request.Request(  # noqa: S310  # our own site's address
        f"{address}/api/v1/videos", body, {"Content-Type": content_type, "Accept": "application/json"}
    )
    return f"{address}{_ask(request)['page_url']}"


def _ask(request: str | urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # our own site's address
        read: dict[str, Any] = json.loads(answer.read())
        return read


def _multipart(fields: Mapping[str, str], file: Path) -> tuple[bytes, str]:
    """Return a form with one file, and its content type."""
    border = uuid.uuid4().hex
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
    parts += [f"{head}Content-Type: video/mp4\r\n\r\n".encode(), file.read_bytes(), f"\r\n--{border}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={border}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the command line's own output


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python demo.py", description=__doc__)
    parser.add_argument("--duration_s", type=float, default=30.0, help="of each recording (30)")
    options = parser.parse_args(arguments)
    site: subprocess.Popen[bytes] | None = None
    try:
        settings = Settings.from_env()
        folder = settings.data_dir / "demo" / f"{SEED}-{options.duration_s:g}s"
        world = render_world(folder, duration_s=options.duration_s)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host if host not in ('0.0.0.0', '[::]', '') else '127.0.0.1'}:{settings.port}"  # noqa: S104  # compared
        if not is_site_there(address):
            check_port(settings.host, settings.port)
            site = start_site(address)
        pages = [upload(address, folder, camera) for camera in world["cameras"]]
        _say("The demo's recordings are on the site:\n" + "\n".join(f"  {page}" for page in pages))
        if site is not None:
            _say("Press Ctrl-C to stop the site.")
            return site.wait()
    except (DemoError, PortInUseError, ValueError, OSError) as error:
        print(f"{error}", file=sys.stderr)  # noqa: T201  # the command line's own output
        if site is not None:
            site.terminate()
            site.wait()
        return 1
    except KeyboardInterrupt:
        return site.wait() if site is not None else 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Examine an uploaded file: is it a video, of what size and length, does its first picture decode?

`probe_isolated` does so in a process of its own with limits on memory and time, so that a hostile file can harm
nothing. This module loads no OpenCV: the web site imports it.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from errors import MediaError
from messages import MESSAGES
from records import MediaFacts
from video.container import DamageCount, choose_video_stream, decode_stream, open_container, prepare_decoder
from video.facts import read_facts
from video.picture import orientation_of, to_bgr, turn_upright
from video.poster import write_jpeg

logger = logging.getLogger(__name__)

POSTER_MAX_SIDE = 640
_POSTER_POSITION = 0.1
DEFAULT_MAX_MEMORY_BYTES = 4 * 1024**3
_MAX_WRITTEN_BYTES = 16 * 1024**2
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Limits:
    """What a video may have at most: pixels of a picture, and seconds."""

    max_pixels: int
    max_duration_s: float


def probe(path: Path, limits: Limits, *, name: str) -> MediaFacts:
    """Return the facts of a video file after decoding its first picture.

    Parameters
    ----------
    name : what the user calls the file, for messages.

    Raises
    ------
    MediaError
        as `open_container` and `choose_video_stream`; ``media.truncated`` where no picture can be decoded;
        ``media.too_many_pixels``; ``media.too_long``.
    """
    return _examine(path, limits, name=name, poster=None)


def probe_isolated(
    path: Path,
    limits: Limits,
    *,
    name: str,
    timeout_s: float,
    poster: Path | None = None,
    max_memory_bytes: int = DEFAULT_MAX_MEMORY_BYTES,
) -> MediaFacts:
    """Do what `probe` does in a process of its own, and write a poster picture.

    Parameters
    ----------
    timeout_s : after which the process is killed.
    poster : where a JPEG from about a tenth into the video goes, at most 640 pixels wide or high.
    max_memory_bytes : that the process may map beyond what it needs to start, where the platform can hold it to that.

    Raises
    ------
    MediaError
        as `probe`; ``media.probe_timeout``; ``media.not_video`` for a file that made the process die.
    """
    part = None if poster is None else poster.with_name(f".{poster.name}.part")
    request = {
        "path": str(path.absolute()),
        "max_pixels": limits.max_pixels,
        "max_duration_s": limits.max_duration_s,
        "name": name,
        "poster": None if part is None else str(part.absolute()),
        "cpu_s": int(timeout_s) + 1,
        "memory_bytes": max_memory_bytes,
    }
    try:
        answer = _ask_process(request, name=name, timeout_s=timeout_s)
        if "error" in answer:
            raise MediaError(answer["error"], **answer["params"])
        if part is not None and poster is not None:
            part.replace(poster)
        return MediaFacts(**answer["facts"])
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _ask_process(request: Mapping[str, Any], *, name: str, timeout_s: float) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "video.probe"],
            input=json.dumps(request).encode("ascii"),
            capture_output=True,
            timeout=timeout_s,
            cwd=_ROOT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError("media.probe_timeout", name=name, limit_s=int(timeout_s)) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        logger.error("probe died name=%s status=%s stderr=%s", name, done.returncode, done.stderr[-2000:])
        raise MediaError("media.not_video", name=name) from error
    if not isinstance(answer, dict) or answer.get("error", "media.empty") not in MESSAGES:
        raise MediaError("media.not_video", name=name)
    return answer


def _examine(path: Path, limits: Limits, *, name: str, poster: Path | None) -> MediaFacts:
    with open_container(path, name=name) as container:
        stream = choose_video_stream(container, name=name)
        context = stream.codec_context
        _check_pixels(context.width, context.height, limits, name=name)
        prepare_decoder(stream, threads=1)
        first = next(decode_stream(container, stream, DamageCount()), None)
        if first is None:
            raise MediaError("media.truncated", name=name)
        _check_pixels(first.width, first.height, limits, name=name)
        facts = read_facts(container, stream, first, path=path, name=name)
        if facts.duration_s > limits.max_duration_s:
            raise MediaError(
                "media.too_long", name=name, duration_s=round(facts.duration_s), limit_s=int(limits.max_duration_s)
            )
        if poster is not None:
            picture = _poster_picture(container, stream, facts) or first
            image = turn_upright(to_bgr(picture, width=picture.width, height=picture.height), orientation_of(picture))
            write_jpeg(image, poster, max_side=POSTER_MAX_SIDE, sample_aspect=facts.sample_aspect)
    return facts


def _check_pixels(width: int, height: int, limits: Limits, *, name: str) -> None:
    if width * height > limits.max_pixels:
        raise MediaError("media.too_many_pixels", name=name, width=width, height=height, limit=limits.max_pixels)


def _poster_picture(container: InputContainer, stream: VideoStream, facts: MediaFacts) -> av.VideoFrame | None:
    """Return the key frame at about a tenth of the video; None where the file cannot be searched."""
    if not stream.time_base:
        return None
    start = stream.start_time or 0
    try:
        container.seek(start + int(facts.duration_s * _POSTER_POSITION / stream.time_base), stream=stream)
    except (av.FFmpegError, OSError, OverflowError):
        return None
    picture = next(decode_stream(container, stream, DamageCount()), None)
    return picture if picture is not None and picture.width * picture.height == facts.width * facts.height else None


def _limit_this_process(*, cpu_s: int, memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on this platform; the parent's timeout remains
        return
    statm = Path("/proc/self/statm")
    mapped = int(statm.read_text("ascii").split()[0]) * resource.getpagesize() if statm.exists() else 0
    for limit, value in (
        (resource.RLIMIT_AS, mapped + memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, _MAX_WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        with suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main() -> None:
    """Answer one request, JSON on standard input, with JSON on standard output."""
    request = json.load(sys.stdin)
    _limit_this_process(cpu_s=request["cpu_s"], memory_bytes=request["memory_bytes"])
    poster = None if request["poster"] is None else Path(request["poster"])
    limits = Limits(request["max_pixels"], request["max_duration_s"])
    try:
        facts = _examine(Path(request["path"]), limits, name=request["name"], poster=poster)
        answer: dict[str, Any] = {"facts": asdict(facts)}
    except MediaError as error:
        answer = {"error": error.code, "params": error.params}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()

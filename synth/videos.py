"""Recordings of a rendered world as files: H.264 videos, MOT truth, calibration, identities over cameras.

::

    OUT/world.json                   seed, frame rate, clock, and which camera saw which identity when
    OUT/<camera>/<camera>.mp4        the recording
    OUT/<camera>/gt/gt.txt           MOT16's nine columns; ids are the world's identities
    OUT/<camera>/seqinfo.ini         length, rate and size
    OUT/<camera>/calibration.json    position, angles, lens and matrices
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from records import CLASS_KINDS, CLASS_NAMES, Kind
from synth.filming import FilmedFrame, film
from synth.weather import KINDS, Weather
from synth.worlds import World, sample_world
from video.encode import VideoWriter

_LOG = logging.getLogger(__name__)

CLOCK_ZERO = datetime(2026, 1, 5, 8, 0, tzinfo=timezone.utc)
"""Wall clock at second 0 of every world."""

WORLD_FILE = "world.json"
_MOT_CLASSES = {"person": 1, "bicycle": 4, "car": 3, "motorcycle": 5, "bus": 6, "truck": 6}
"""MOT16's numbers: pedestrian, car, bicycle, motorbike, non-motorised or other vehicle."""


@dataclass(frozen=True)
class Seen:
    """When one camera saw one identity: frames, 0 the first, both included."""

    identity: int
    class_name: str
    first_frame: int
    last_frame: int


def write_world(
    out: Path, world: World, *, jobs: int = 1, on_camera: Callable[[str], None] = lambda name: None
) -> list[Path]:
    """Render all recordings of a world into ``out``; return the videos in the order of its cameras.

    Parameters
    ----------
    jobs : processes, one camera each.
    on_camera : told the name of each camera that is finished.
    """
    out.mkdir(parents=True, exist_ok=True)
    numbers = range(len(world.recordings))
    if jobs > 1:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            waiting = [pool.submit(_write_recording, out, world, number) for number in numbers]
            seen = [future.result() for future in waiting]
    else:
        seen = [_write_recording(out, world, number) for number in numbers]
    cameras: list[dict[str, Any]] = []
    for recording, rows in zip(world.recordings, seen, strict=True):
        name = recording.camera.name
        on_camera(name)
        cameras.append(
            {
                "name": name,
                "video": f"{name}/{name}.mp4",
                "start_s": recording.start_s,
                "started_at": (CLOCK_ZERO + timedelta(seconds=recording.start_s)).isoformat(),
                "seen": [vars(row) for row in rows],
            }
        )
    described: dict[str, Any] = {
        "seed": world.seed,
        "frame_rate": world.frame_rate,
        "duration_s": world.duration_s,
        "cameras": cameras,
    }
    (out / WORLD_FILE).write_text(json.dumps(described, indent=1), "utf-8")
    return [out / camera["video"] for camera in cameras]


def _write_recording(out: Path, world: World, number: int) -> list[Seen]:
    """Write one camera's folder; return what it saw."""
    recording = world.recordings[number]
    camera = recording.camera
    folder = out / camera.name
    (folder / "gt").mkdir(parents=True, exist_ok=True)
    rows: list[str] = []
    seen: dict[int, Seen] = {}
    rate = Fraction(world.frame_rate)
    path = folder / f"{camera.name}.mp4"
    length = 0
    with VideoWriter(path, width=camera.width, height=camera.height, frame_rate=rate, crf=20, threads=1) as writer:
        for frame in film(world, recording):
            writer.write(frame.image_bgr, frame.index / world.frame_rate)
            rows += mot_rows(frame)
            length += 1
            for identity, class_id in zip(frame.identities.tolist(), frame.class_ids.tolist(), strict=True):
                first = seen[identity].first_frame if identity in seen else frame.index
                seen[identity] = Seen(identity, CLASS_NAMES[class_id], first, frame.index)
    (folder / "gt" / "gt.txt").write_text("".join(rows), "ascii")
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={camera.name}\nframeRate={world.frame_rate}\nseqLength={length}\n"
        f"imWidth={camera.width}\nimHeight={camera.height}\n",
        "ascii",
    )
    (folder / "calibration.json").write_text(json.dumps(camera.to_json(), indent=1), "utf-8")
    return [seen[identity] for identity in sorted(seen)]


def mot_rows(frame: FilmedFrame) -> list[str]:
    """Return a frame's lines of MOT truth: frame, id, left, top, width, height, counts, class, visibility.

    As in MOT16, only people count; vehicles are written with 0 and a class of their own.
    """
    rows = []
    for box, identity, class_id, visibility in zip(
        frame.boxes_xyxy, frame.identities, frame.class_ids, frame.visibility, strict=True
    ):
        left, top, right, bottom = (float(side) for side in box)
        counts = int(CLASS_KINDS[class_id] is Kind.PERSON)
        rows.append(
            f"{frame.index + 1},{identity},{left:.1f},{top:.1f},{right - left:.1f},{bottom - top:.1f},"
            f"{counts},{_MOT_CLASSES[CLASS_NAMES[class_id]]},{visibility:.3f}\n"
        )
    return rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of ``python -m synth world`` and ``video``."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the folders are made")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same world (0)")
    parser.add_argument("--cameras", type=int, default=None, metavar="N", help="2 in a world, 1 for a video")
    parser.add_argument("--duration_s", type=float, default=30.0, help="of each recording (30)")
    parser.add_argument("--frame_rate", type=int, default=12, help="pictures a second (12)")
    parser.add_argument("--people", type=int, default=14, metavar="N", help="who walk by (14)")
    parser.add_argument("--vehicles", type=int, default=6, metavar="N", help="that drive by or stand there (6)")
    parser.add_argument("--size", type=int, nargs=2, default=(768, 432), metavar=("W", "H"), help="pixels (768 432)")
    parser.add_argument("--weather", choices=KINDS, default="clear", help="what is in the air (clear)")
    parser.add_argument("--strength", type=float, default=0.5, help="of the weather, 0 to 1 (0.5)")
    parser.add_argument("--night", action="store_true", help="under lamps")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (1)")


def run(options: argparse.Namespace) -> None:
    """Render what the flags ask for."""
    world = sample_world(
        options.seed,
        cameras=options.cameras or (1 if options.command == "video" else 2),
        duration_s=options.duration_s,
        frame_rate=options.frame_rate,
        people=options.people,
        vehicles=options.vehicles,
        width=options.size[0],
        height=options.size[1],
        weather=Weather(options.weather, options.strength),
        is_night=options.night,
    )
    began = time.perf_counter()
    videos = write_world(options.out, world, jobs=options.jobs)
    _LOG.info("videos=%d seconds=%.1f out=%s", len(videos), time.perf_counter() - began, options.out)

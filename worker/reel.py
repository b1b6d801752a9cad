"""The film of an identity: its sightings in the order of time, each under the name of its camera and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from errors import ResightError
from points import PointTable
from records import Image, Progress
from store.files import AttemptFiles, ReelFiles, Storage
from store.sightings import Sighting
from video.caption import caption_band, chinese_font
from video.encode import VideoWriter
from video.join import join_copies
from video.moments import read_moments

WIDTH, HEIGHT, BAND = 1280, 720, 48
FRAME_RATE = 12
RATE = Fraction(FRAME_RATE)
BEFORE_S, AFTER_S = 1.0, 1.0
LONGEST_CLIP_S = 20.0
MOST_CLIPS = 120
"""A film of more is half an hour and longer; the first ones are shown and the number of others is said."""

_BOX_BGR = (0, 212, 255)
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class _Clip:
    """A sighting and the times that are shown of it, seconds of its video."""

    sighting: Sighting
    files: AttemptFiles
    frame_rate: float
    times_s: Sequence[float]


def make_reel(
    sightings: Sequence[Sighting], storage: Storage, reel: ReelFiles, on_progress: OnProgress
) -> dict[str, Any]:
    """Write a clip of each sighting, and all of them as one film; return what to say of it.

    Parameters
    ----------
    sightings : in the order to show them; a sighting's video must have its result loaded.

    Returns
    -------
    ``tracks``, the ids of those that are shown, ``clips``, their number, ``left_out`` beyond `MOST_CLIPS` or without a
    playback copy, ``duration_s``, and ``has_font``, whether Chinese letters could be written.

    Raises
    ------
    ResightError
        ``identity.no_clips`` where nothing can be shown.
    """
    numbered = [(number, _clip(one, storage)) for number, one in enumerate(sightings[:MOST_CLIPS], start=1)]
    clips = [(number, clip) for number, clip in numbered if clip is not None]
    if not clips:
        raise ResightError("identity.no_clips")
    total = sum(len(clip.times_s) for _, clip in clips)
    reel.remove()
    reel.folder.mkdir(parents=True)
    done = 0
    for number, clip in clips:
        with VideoWriter(reel.clip(number), width=WIDTH, height=HEIGHT, frame_rate=RATE, preset="veryfast") as writer:
            for place, picture in enumerate(_pictures(clip)):
                writer.write(picture, place / FRAME_RATE)
                done += 1
                on_progress(Progress("render", min(1.0, done / total), done, total, None, None))
    join_copies([reel.clip(number) for number, _ in clips], reel.film)
    return {
        "tracks": [clip.sighting.track.id for _, clip in clips],
        "clips": len(clips),
        "left_out": len(sightings) - len(clips),
        "duration_s": done / FRAME_RATE,
        "has_font": chinese_font() is not None,
    }


def _clip(sighting: Sighting, storage: Storage) -> _Clip | None:
    video, track = sighting.video, sighting.track
    done = video.result_job
    if done is None or done.playback_frame_rate is None:
        return None
    files = storage.attempt(video.id, done.id, done.claim_count)
    if not files.playback.is_file():
        return None
    start = max(0.0, track.first_s - BEFORE_S)
    end = min(track.last_s + AFTER_S, start + LONGEST_CLIP_S, max(video.duration_s, track.last_s))
    count = max(1, round((end - start) * FRAME_RATE))
    return _Clip(sighting, files, done.playback_frame_rate, [start + step / FRAME_RATE for step in range(count)])


def _pictures(clip: _Clip) -> Iterator[Image]:
    """Yield the finished pictures of a clip, one a time."""
    boxes = _boxes(clip)
    bands: dict[str, Image] = {}
    pictures = read_moments(clip.files.playback, clip.times_s, frame_rate=clip.frame_rate)
    for time_s, picture in zip(clip.times_s, pictures, strict=False):
        text = _caption(clip.sighting, time_s)
        if text not in bands:
            bands[text] = caption_band(text, WIDTH, BAND)
        yield _compose(picture, boxes(time_s), bands[text], clip.sighting)


def _compose(picture: Image, box: Sequence[float] | None, band: Image, sighting: Sighting) -> Image:
    """Return the picture, scaled to fit above its caption, with the box of the track."""
    height, width = picture.shape[:2]
    scale = min(WIDTH / width, (HEIGHT - BAND) / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if box is not None:
        across, down = size[0] / sighting.video.width, size[1] / sighting.video.height
        corners = [round(edge * by) for edge, by in zip(box, (across, down, across, down), strict=True)]
        cv2.rectangle(small, (corners[0], corners[1]), (corners[2], corners[3]), _BOX_BGR, 2, cv2.LINE_AA)
    whole: Image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - BAND - size[1]) // 2
    whole[top : top + size[1], left : left + size[0]] = small
    whole[HEIGHT - BAND :] = band
    return whole


def _boxes(clip: _Clip) -> Callable[[float], Sequence[float] | None]:
    """Return what gives the track's box at a time of its video; None where it has none then."""
    points = PointTable.load(clip.files.points)
    mine = points.track_numbers == clip.sighting.track.number
    frames, boxes = points.frames[mine], points.boxes_xyxy[mine]

    def at(time_s: float) -> Sequence[float] | None:
        frame = int(np.searchsorted(points.frame_pts_s, time_s + 0.5 / clip.frame_rate)) - 1
        row = int(np.searchsorted(frames, frame))
        return boxes[row].tolist() if row < len(frames) and frames[row] == frame else None

    return at


def _caption(sighting: Sighting, time_s: float) -> str:
    camera = sighting.camera
    if sighting.began_at is None:
        moment = f"{int(time_s) // 60}:{int(time_s) % 60:02d}"
    else:
        zone = ZoneInfo(camera.time_zone or "UTC")
        true = sighting.began_at + timedelta(seconds=time_s - sighting.track.first_s)
        moment = true.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    return "   ".join(part for part in (camera.name, camera.place, moment) if part)

"""Single pictures out of a playback copy, by seeking: it has a key frame every second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av

from records import Image
from video.container import DamageCount, choose_video_stream, decode_stream, open_container
from video.picture import to_bgr

_GOP_S = 1.0


def read_moments(path: Path, times_s: Iterable[float], *, frame_rate: float) -> Iterator[Image]:
    """Yield the picture that a copy written by `video.encode.VideoWriter` shows for each source time.

    Parameters
    ----------
    times_s : seconds from the start, not falling.
    frame_rate : of the copy.

    Yields
    ------
    (H, W, 3) uint8 BGR; the last picture for times beyond the end.

    Raises
    ------
    MediaError
        as `video.decode.open_video`.
    """
    with open_container(path, name=path.name) as container:
        stream = choose_video_stream(container, name=path.name)
        pictures = decode_stream(container, stream, DamageCount())
        shown: av.VideoFrame | None = next(pictures, None)
        for time_s in times_s:
            slot_s = int(time_s * frame_rate + 0.5) / frame_rate
            if shown is not None and slot_s > float(shown.time or 0.0) + _GOP_S and stream.time_base is not None:
                container.seek(int(slot_s / stream.time_base), stream=stream)
                pictures = decode_stream(container, stream, DamageCount())
                shown = next(pictures, shown)
            while shown is not None and float(shown.time or 0.0) < slot_s - 0.5 / frame_rate:
                later = next(pictures, None)
                if later is None:
                    break
                shown = later
            if shown is None:
                return
            yield to_bgr(shown, width=shown.width, height=shown.height)

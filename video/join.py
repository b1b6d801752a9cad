"""Films that were written alike, one after the other, without coding their pictures again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av


def join_copies(parts: Sequence[Path], path: Path) -> None:
    """Write files of `video.encode.VideoWriter`, of one size, rate and preset, as one; index first.

    Nothing is at ``path`` before all of it is.

    Raises
    ------
    ValueError
        where there are no parts.
    """
    if not parts:
        raise ValueError("no film can be made of no parts")
    part_path = path.with_name(f".{path.name}.part")
    try:
        with av.open(str(part_path.absolute()), "w", format="mp4", options={"movflags": "+faststart"}) as target:
            stream = None
            shift = 0
            for part in parts:
                with av.open(str(part)) as source:
                    given = source.streams.video[0]
                    if stream is None:
                        stream = target.add_stream_from_template(given)
                        stream.time_base = given.time_base
                    end = 0
                    for packet in source.demux(given):
                        if packet.pts is None or packet.dts is None:
                            continue
                        end = max(end, packet.pts + (packet.duration or 0))
                        packet.pts += shift
                        packet.dts += shift
                        packet.stream = stream
                        target.mux(packet)
                    shift += end
        part_path.replace(path)
    except BaseException:
        part_path.unlink(missing_ok=True)
        raise

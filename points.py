"""The boxes of all tracks of one video, in columns, and the formats they leave in.

One uncompressed ``.npz`` an attempt (28 bytes a point), written once and read
by column. Points are ordered by frame, then by track number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from records import FloatArray

FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class PointTable:
    """Boxes of tracks, a row each.

    Attributes
    ----------
    frame_pts_s : (F,) float64 seconds, the time of every frame of the video, also of those without boxes.
    frames : (P,) int32 frame indices, not falling; P may be 0.
    track_numbers : (P,) int32.
    boxes_xyxy : (P, 4) float32 pixels.
    scores : (P,) float32 detection scores.

    Raises
    ------
    ValueError
        when the columns' lengths disagree or the frames are out of order.
    """

    frame_pts_s: NDArray[np.float64]
    frames: NDArray[np.int32]
    track_numbers: NDArray[np.int32]
    boxes_xyxy: FloatArray
    scores: FloatArray

    def __post_init__(self) -> None:
        count = len(self.frames)
        shapes = (self.track_numbers.shape, self.boxes_xyxy.shape, self.scores.shape)
        if shapes != ((count,), (count, 4), (count,)):
            raise ValueError(f"columns of {count} points wanted, got {shapes}")
        if count and (
            np.any(np.diff(self.frames) < 0) or self.frames[0] < 0 or self.frames[-1] >= len(self.frame_pts_s)
        ):
            raise ValueError(f"frames must not fall and must lie in 0 to {len(self.frame_pts_s) - 1}")

    def __len__(self) -> int:
        return len(self.frames)

    def save(self, path: Path) -> None:
        """Write the table to ``path``."""
        with path.open("wb") as file:
            np.savez(
                file,
                version=np.array(FORMAT_VERSION),
                frame_pts_s=self.frame_pts_s,
                frames=self.frames,
                track_numbers=self.track_numbers,
                boxes_xyxy=self.boxes_xyxy,
                scores=self.scores,
            )

    @classmethod
    def load(cls, path: Path) -> PointTable:
        """Read a table that `save` wrote.

        Raises
        ------
        ValueError
            for another version of the format.
        """
        with np.load(path, allow_pickle=False) as columns:
            if int(columns["version"]) != FORMAT_VERSION:
                raise ValueError(f"{path.name} has format version {columns['version']}, {FORMAT_VERSION} is read")
            return cls(
                columns["frame_pts_s"],
                columns["frames"],
                columns["track_numbers"],
                columns["boxes_xyxy"],
                columns["scores"],
            )

    def between(self, from_s: float, to_s: float) -> tuple[slice, slice]:
        """Return the slices of frames and of points with ``from_s <= time < to_s``."""
        first, last = np.searchsorted(self.frame_pts_s, [from_s, to_s])
        start, stop = np.searchsorted(self.frames, [first, last])
        return slice(int(first), int(last)), slice(int(start), int(stop))

    def presence(self, bin_s: float, mask: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Return the most points that a frame of each ``bin_s`` seconds has; bins without frames are as the one before.

        Parameters
        ----------
        mask : (P,) the points to count; all by default.
        """
        if not len(self.frame_pts_s):
            return np.zeros(0, np.int64)
        frames = self.frames if mask is None else self.frames[mask]
        per_frame = np.bincount(frames, minlength=len(self.frame_pts_s))
        bins = np.floor(self.frame_pts_s / bin_s).astype(np.int64)
        most = np.zeros(int(bins[-1]) + 1, np.int64)
        np.maximum.at(most, bins, per_frame)
        latest = np.zeros(len(most), np.int64)
        latest[bins] = bins
        filled: NDArray[np.int64] = most[np.maximum.accumulate(latest)]
        return filled


def mot_lines(points: PointTable) -> Iterator[str]:
    """Yield MOTChallenge lines, ``frame,id,left,top,width,height,1,-1,-1,-1``, frames from 1."""
    for frame, number, (left, top, right, bottom) in zip(
        points.frames, points.track_numbers, points.boxes_xyxy, strict=True
    ):
        yield f"{frame + 1},{number},{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f},1,-1,-1,-1\n"


def csv_lines(points: PointTable, class_names: Mapping[int, str]) -> Iterator[str]:
    """Yield a CSV header and a line a point; ``class_names`` is by track number."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["frame", "time_s", "track", "class", "left", "top", "right", "bottom", "score"])
    for frame, number, box, score in zip(
        points.frames, points.track_numbers, points.boxes_xyxy, points.scores, strict=True
    ):
        writer.writerow(
            [frame, f"{points.frame_pts_s[frame]:.3f}", number, class_names[int(number)]]
            + [f"{side:.2f}" for side in box]
            + [f"{score:.3f}"]
        )
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()

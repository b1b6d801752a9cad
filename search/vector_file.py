"""The vectors of one model in a file that is mapped into memory, with a small record of each row.

Rows are appended and never changed. The manifest, replaced as a whole, says
which runs of rows count: what a crash left behind it is overwritten. A file in
which too much does not count any more is written anew.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records import FloatArray

ROW = np.dtype([("track_id", "<i8"), ("kind", "u1"), ("first_s", "<f8"), ("last_s", "<f8")])
"""What is kept of a row besides its vector: 25 bytes."""

_MANIFEST = "manifest.json"
_COPY_ROWS = 16_384


@dataclass(frozen=True)
class Segment:
    """The rows of one video, in the state that `version` names."""

    video_id: str
    version: str
    start: int
    count: int


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file held at one moment; stays as it is while others write.

    Attributes
    ----------
    segments : the runs of rows that count, in no order.
    rows, vectors : (N,) records of the type `ROW` and (N, D) float32, those that do not count included.
    """

    segments: tuple[Segment, ...]
    rows: NDArray[Any]
    vectors: FloatArray


class VectorFile:
    """A folder with the vectors of one model.

    Parameters
    ----------
    folder : made where it is not there.
    dimension : of the vectors.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self.folder = folder
        self.dimension = dimension
        self.contents = Contents((), np.zeros(0, ROW), np.zeros((0, dimension), np.float32))
        self._generation = 0
        self._stamp: tuple[int, int] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.refresh()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing, and see what they wrote before."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.refresh()
            yield

    def refresh(self) -> None:
        """See what another process wrote; cheap where nothing was."""
        path = self.folder / _MANIFEST
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return
            manifest = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return
        if manifest["dimension"] != self.dimension:
            return
        self._generation, self._stamp = manifest["generation"], stamp
        self._map([Segment(*entry) for entry in manifest["segments"]], manifest["rows"])

    def write(self, kept: Sequence[Segment], new: Sequence[tuple[str, str, NDArray[Any], FloatArray]]) -> None:
        """Let ``kept`` and ``new`` be all that counts; call it inside `locked`.

        Parameters
        ----------
        kept : some of the present segments.
        new : video id, version, (N,) rows of the type `ROW` and (N, D) float32 vectors of each further video.
        """
        segments, count = list(kept), len(self.contents.rows)
        with self._path("rows").open("ab") as rows_file, self._path("vectors").open("ab") as vectors_file:
            rows_file.truncate(count * ROW.itemsize)
            vectors_file.truncate(count * self.dimension * 4)
            for video_id, version, rows, vectors in new:
                rows_file.write(np.ascontiguousarray(rows, ROW).tobytes())
                vectors_file.write(np.ascontiguousarray(vectors, "<f4").tobytes())
                segments.append(Segment(video_id, version, count, len(rows)))
                count += len(rows)
            rows_file.flush()
            vectors_file.flush()
        self._publish(segments, count)

    def compact(self) -> None:
        """Write the rows that count to new files, in order; call it inside `locked`."""
        old, old_paths = self.contents, (self._path("rows"), self._path("vectors"))
        self._generation += 1
        segments, count = [], 0
        with self._path("rows").open("wb") as rows_file, self._path("vectors").open("wb") as vectors_file:
            for segment in old.segments:
                end = segment.start + segment.count
                rows_file.write(old.rows[segment.start : end].tobytes())
                for start in range(segment.start, end, _COPY_ROWS):
                    vectors_file.write(old.vectors[start : min(start + _COPY_ROWS, end)].tobytes())
                segments.append(Segment(segment.video_id, segment.version, count, segment.count))
                count += segment.count
        self._publish(segments, count)
        for path in old_paths:
            path.unlink(missing_ok=True)

    def erase_gaps(self) -> None:
        """Overwrite the rows that do not count with zeros, where they lie; call it inside `locked`."""
        gaps, end = [], 0
        for segment in sorted(self.contents.segments, key=lambda each: each.start):
            gaps.append((end, segment.start))
            end = segment.start + segment.count
        gaps.append((end, len(self.contents.rows)))
        for name, row_bytes in (("rows", ROW.itemsize), ("vectors", 4 * self.dimension)):
            path = self._path(name)
            if not path.is_file():
                continue
            with path.open("r+b") as file:
                for start, stop in gaps:
                    file.seek(start * row_bytes)
                    for at in range(start, stop, _COPY_ROWS):
                        file.write(bytes(row_bytes * (min(at + _COPY_ROWS, stop) - at)))

    def _publish(self, segments: Sequence[Segment], count: int) -> None:
        manifest = {
            "dimension": self.dimension,
            "generation": self._generation,
            "rows": count,
            "segments": [[each.video_id, each.version, each.start, each.count] for each in segments],
        }
        path = self.folder / _MANIFEST
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(manifest, separators=(",", ":")), "utf-8")
        draft.replace(path)
        status = path.stat()
        self._stamp = (status.st_mtime_ns, status.st_ino)
        self._map(segments, count)

    def _map(self, segments: Sequence[Segment], count: int) -> None:
        rows, vectors = np.zeros(0, ROW), np.zeros((0, self.dimension), np.float32)
        if count:
            rows = np.fromfile(self._path("rows"), ROW, count)
            vectors = np.memmap(self._path("vectors"), "<f4", "r", shape=(count, self.dimension))
        self.contents = Contents(tuple(segments), rows, vectors)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}-{self._generation}.bin"

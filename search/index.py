"""Exact search among all tracks that one model has described.

The database is the truth. Before each search the index compares, video by
video, the name of the attempt that last changed its vectors; what differs is
dropped and read again. So an answer never shows what was deleted before the
question, and never lacks what was published before it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from records import FloatArray, IntArray, Kind
from search.vector_file import ROW, Contents, VectorFile
from store import vectors
from store.vectors import SearchableVideo

BLOCK_ROWS = 16_384
"""Rows that are compared at a time: 8 MB of 128 numbers each."""
MIN_WASTE_ROWS = 20_000
_VIDEOS_A_WRITE = 400
_KINDS = tuple(kind.value for kind in Kind)


@dataclass(frozen=True, eq=False)
class View:
    """The index at one moment, in columns; rows that do not count any more have ``videos`` -1.

    Attributes
    ----------
    known : the videos, as the database has them.
    track_ids, kinds, first_s, last_s, videos : (N,) of each row; ``videos`` are indices into ``known``.
    camera_ids, began_s : (V,) of each video.
    vectors : (N, D) float32 of unit length.
    """

    known: tuple[SearchableVideo, ...]
    track_ids: IntArray
    kinds: NDArray[np.uint8]
    first_s: NDArray[np.float64]
    last_s: NDArray[np.float64]
    videos: NDArray[np.int32]
    camera_ids: IntArray
    began_s: NDArray[np.float64]
    vectors: FloatArray

    @property
    def track_count(self) -> int:
        """How many rows count."""
        return int((self.videos >= 0).sum())


@dataclass(frozen=True, eq=False)
class Block:
    """Some successive rows, with what filters look at.

    Attributes
    ----------
    begin_s, end_s : true moments of the first and last box, seconds since 1970; NaN where unknown.
    """

    track_ids: IntArray
    kinds: NDArray[np.uint8]
    videos: NDArray[np.int32]
    camera_ids: IntArray
    first_s: NDArray[np.float64]
    last_s: NDArray[np.float64]
    begin_s: NDArray[np.float64]
    end_s: NDArray[np.float64]


Judge = Callable[[Block], tuple[NDArray[np.bool_], FloatArray | None]]
"""Tells which rows of a block may be answers, and what is added to their scores, if anything."""


@dataclass(frozen=True, eq=False)
class Found:
    """The best rows of a search, best first.

    Attributes
    ----------
    rows : (K,) of the view.
    similarities : (K,) float32 cosines; what is added by the judge is in ``scores`` only.
    total : how many rows might have been answers.
    """

    rows: IntArray
    similarities: FloatArray
    scores: FloatArray
    total: int


class Index:
    """The tracks that one model has described.

    Parameters
    ----------
    folder : of the vector files of all models.
    model : the model's name, as in `store.tables.Track.embedder`.
    """

    def __init__(self, folder: Path, model: str, dimension: int) -> None:
        self.model = model
        self._file = VectorFile(folder / folder_name(model), dimension)
        self._lock = threading.Lock()
        self._shown: Contents | None = None
        self._view: View | None = None

    def view(self, session: Session) -> View:
        """Return the index as the database is now."""
        wanted = vectors.searchable_videos(session)
        with self._lock:
            if self._differs(wanted):
                self._follow(session, wanted)
            return self._view_of(wanted)

    def erase_gone(self, session: Session) -> None:
        """Leave no number of a vector on the disk that the database does not have any more."""
        self.view(session)
        with self._lock, self._file.locked():
            self._file.erase_gaps()

    def _differs(self, wanted: Iterable[SearchableVideo]) -> bool:
        self._file.refresh()
        held = {(segment.video_id, segment.version) for segment in self._file.contents.segments}
        return held != {(video.video_id, video.vectors) for video in wanted}

    def _follow(self, session: Session, wanted: Iterable[SearchableVideo]) -> None:
        """Drop what is gone or has changed, and read what is new, some videos at a time."""
        versions = {video.video_id: video.vectors for video in wanted}
        with self._file.locked():
            kept = [part for part in self._file.contents.segments if versions.get(part.video_id) == part.version]
            held = {part.video_id for part in kept}
            missing = sorted(versions.keys() - held)
            for start in range(0, max(len(missing), 1), _VIDEOS_A_WRITE):
                part = missing[start : start + _VIDEOS_A_WRITE]
                self._file.write(kept, list(self._read(session, part, versions)))
                kept = list(self._file.contents.segments)
            wasted = len(self._file.contents.rows) - sum(part.count for part in kept)
            if wasted > max(MIN_WASTE_ROWS, len(self._file.contents.rows) // 3):
                self._file.compact()

    def _read(
        self, session: Session, video_ids: list[str], versions: dict[str, str]
    ) -> Iterator[tuple[str, str, NDArray[Any], FloatArray]]:
        found = set()
        dimension = self._file.dimension
        for video_id, group in groupby(vectors.of_videos(session, video_ids, self.model), key=lambda row: row[0]):
            rows, parts = [], []
            for _, track_id, kind, first_s, last_s, vector in group:
                if len(vector) == 4 * dimension:
                    rows.append((track_id, _KINDS.index(kind), first_s, last_s))
                    parts.append(np.frombuffer(vector, "<f4"))
            found.add(video_id)
            stacked = np.stack(parts) if parts else np.zeros((0, dimension), np.float32)
            yield video_id, versions[video_id], np.array(rows, ROW), stacked
        for video_id in video_ids:
            if video_id not in found:
                yield video_id, versions[video_id], np.zeros(0, ROW), np.zeros((0, dimension), np.float32)

    def _view_of(self, wanted: list[SearchableVideo]) -> View:
        contents = self._file.contents
        known = {video.video_id: video for video in wanted}
        if self._shown is not contents or self._view is None:
            self._view = _columns(contents, known)
            self._shown = contents
        elif any(known[video.video_id] is not video and known[video.video_id] != video for video in self._view.known):
            self._view = _columns(contents, known)
        return self._view


def best_rows(view: View, queries: FloatArray, judge: Judge, *, count: int) -> Found:
    """Return the ``count`` best rows for one or several vectors of the same person, exactly.

    A row's similarity is the mean of its cosines with all query vectors.

    Parameters
    ----------
    queries : (Q, D) float32 of unit length.
    """
    mean = np.ascontiguousarray(queries.mean(axis=0, dtype=np.float64), np.float32)
    rows, similarities, scores = np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32)
    total = 0
    for start in range(0, len(view.track_ids), BLOCK_ROWS):
        is_allowed, bonus = judge(_block(view, slice(start, start + BLOCK_ROWS)))
        allowed = np.flatnonzero(is_allowed)
        total += len(allowed)
        if not len(allowed):
            continue
        cosines = np.asarray(view.vectors[start : start + BLOCK_ROWS] @ mean)[allowed]
        ranked = cosines if bonus is None else cosines + bonus[allowed]
        if len(scores) == count:
            better = np.flatnonzero(ranked > scores[-1])
            if not len(better):
                continue
            allowed, cosines, ranked = allowed[better], cosines[better], ranked[better]
        rows = np.concatenate([rows, allowed + start])
        similarities = np.concatenate([similarities, cosines])
        scores = np.concatenate([scores, ranked])
        order = _first(scores, rows, count)
        rows, similarities, scores = rows[order], similarities[order], scores[order]
    return Found(rows, similarities, scores, total)


def folder_name(model: str) -> str:
    """Return the name of a model's folder: readable, and different for every model."""
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in model)[:40]
    return f"{plain}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def _first(scores: FloatArray, rows: IntArray, count: int) -> IntArray:
    """Return the places of the ``count`` highest scores, highest first; equal ones by their row."""
    kept = np.argpartition(-scores, count - 1)[:count] if len(scores) > count else np.arange(len(scores))
    return kept[np.lexsort((rows[kept], -scores[kept]))]


def _columns(contents: Contents, known: dict[str, SearchableVideo]) -> View:
    videos = np.full(len(contents.rows), -1, np.int32)
    shown: list[SearchableVideo] = []
    for segment in contents.segments:
        if segment.video_id in known:
            videos[segment.start : segment.start + segment.count] = len(shown)
            shown.append(known[segment.video_id])
    rows = contents.rows
    return View(
        known=tuple(shown),
        track_ids=np.ascontiguousarray(rows["track_id"]),
        kinds=np.ascontiguousarray(rows["kind"]),
        first_s=np.ascontiguousarray(rows["first_s"]),
        last_s=np.ascontiguousarray(rows["last_s"]),
        videos=videos,
        camera_ids=np.array([video.camera_id for video in shown], np.int64),
        began_s=np.array([np.nan if video.began_s is None else video.began_s for video in shown], np.float64),
        vectors=contents.vectors,
    )


def _block(view: View, part: slice) -> Block:
    videos = view.videos[part]
    if len(view.known):
        camera_ids, began_s = view.camera_ids[videos], view.began_s[videos]
    else:
        camera_ids, began_s = np.zeros(len(videos), np.int64), np.full(len(videos), np.nan)
    first_s, last_s = view.first_s[part], view.last_s[part]
    return Block(
        track_ids=view.track_ids[part],
        kinds=view.kinds[part],
        videos=videos,
        camera_ids=camera_ids,
        first_s=first_s,
        last_s=last_s,
        begin_s=began_s + first_s,
        end_s=began_s + last_s,
    )

"""Keep the best crops of each piece of a track, and let a network embed only those.

A piece is closed when its track was not seen for a while. Then its best crop
goes to a file as JPEG, and its few best crops wait for the network, until there
are enough of them for a batch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType

from pipeline.best_crops import CropSlots, RatedCrop, encode_jpeg
from pipeline.follow import Followed
from records import FloatArray, Frame, Image, IntArray

MIN_BOXES = 2
"""A piece of fewer boxes is not worth the network's time: most of them are no tracks in the end."""

EmbedCrops = Callable[[Sequence[RatedCrop]], None]


@dataclass(frozen=True)
class KeptJpeg:
    """Where the best crop of a piece lies."""

    quality: float
    frame: int
    start: int
    size: int


@dataclass(eq=False)
class _OpenPiece:
    slots: CropSlots
    last_s: float
    box_count: int = 0


class PieceCrops:
    """The crops of all pieces of a video; use it as a context manager.

    Parameters
    ----------
    count : crops a piece that are kept for the network, at least 1.
    max_gap_s : a piece that was not seen for longer is closed.
    embed : gets the best crops of closed pieces, ``batch`` of them or more at once, fewer at the end.
    """

    def __init__(self, *, count: int, max_gap_s: float, embed: EmbedCrops, batch: int) -> None:
        self._count = count
        self._max_gap_s = max_gap_s
        self._embed = embed
        self._batch = batch
        self._open: dict[int, _OpenPiece] = {}
        self._waiting: list[RatedCrop] = []
        self._jpegs: dict[int, KeptJpeg] = {}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)

    def __enter__(self) -> PieceCrops:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, frame: Frame, followed: Followed, crops_bgr: Sequence[Image], ratings: FloatArray) -> None:
        """Take in the boxes of one analysed frame.

        Parameters
        ----------
        crops_bgr, ratings : one a track of the frame.
        """
        rows = followed.tracks.detection_indices
        for piece, row, crop, rating in zip(
            followed.pieces.tolist(), rows.tolist(), crops_bgr, ratings.tolist(), strict=True
        ):
            opened = self._open.get(piece)
            if opened is None:
                opened = self._open[piece] = _OpenPiece(CropSlots(self._count, frame.pts_s), frame.pts_s)
            opened.last_s = frame.pts_s
            opened.box_count += 1
            detection = followed.first_detection + row
            opened.slots.offer(crop, rating, frame.pts_s, frame=frame.index, detection=detection)
        oldest_s = frame.pts_s - self._max_gap_s
        self._close([piece for piece, opened in self._open.items() if opened.last_s < oldest_s])
        if len(self._waiting) >= self._batch:
            self._embed_waiting()

    def finish(self) -> None:
        """Close all pieces: the video is over."""
        self._close(list(self._open))
        self._embed_waiting()

    def best(self, pieces: IntArray) -> tuple[bytes, int]:
        """Return the best crop of some pieces as JPEG, and the index of its frame."""
        kept = max((self._jpegs[piece] for piece in pieces.tolist()), key=lambda jpeg: jpeg.quality)
        self._file.seek(kept.start)
        return self._file.read(kept.size), kept.frame

    def _close(self, pieces: Iterable[int]) -> None:
        for piece in pieces:
            closed = self._open.pop(piece)
            crops = closed.slots.crops()
            best = max(crops, key=lambda crop: crop.quality)
            data = encode_jpeg(best.image_bgr)
            self._jpegs[piece] = KeptJpeg(best.quality, best.frame, self._file.seek(0, 2), len(data))
            self._file.write(data)
            if closed.box_count >= MIN_BOXES:
                self._waiting += crops

    def _embed_waiting(self) -> None:
        if self._waiting:
            self._embed(self._waiting)
        self._waiting = []

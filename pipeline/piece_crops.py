"""Keep the best crops of each piece of a track on disk, until it is known which of them matter.

A piece is closed when its track was not seen for a while, and its crops go to
a file. When the video is over and its tracks are known, the best one of each
track is published, and a network looks at a few: nothing of a ghost, little of
a person who was seen in one long piece.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType

import cv2
import numpy as np

from pipeline.best_crops import CropSlots, encode_jpeg
from pipeline.follow import Followed
from records import FloatArray, Frame, Image, IntArray


@dataclass(frozen=True)
class KeptCrop:
    """Where a crop lies in the file, and what it shows.

    Attributes
    ----------
    frame : index of its frame. detection : row of its box in all detections of the video.
    """

    quality: float
    frame: int
    detection: int
    start: int
    size: int


@dataclass(eq=False)
class _OpenPiece:
    slots: CropSlots
    last_s: float


class PieceCrops:
    """The crops of all pieces of a video; use it as a context manager.

    Parameters
    ----------
    count : crops a piece that are kept at most, at least 1.
    max_gap_s : a piece that was not seen for longer is closed.
    """

    def __init__(self, *, count: int, max_gap_s: float) -> None:
        self._count = count
        self._max_gap_s = max_gap_s
        self._open: dict[int, _OpenPiece] = {}
        self._kept: dict[int, tuple[KeptCrop, ...]] = {}
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
            detection = followed.first_detection + row
            opened.slots.offer(crop, rating, frame.pts_s, frame=frame.index, detection=detection)
        oldest_s = frame.pts_s - self._max_gap_s
        self._close([piece for piece, opened in self._open.items() if opened.last_s < oldest_s])

    def finish(self) -> None:
        """Close all pieces: the video is over."""
        self._close(list(self._open))

    def ranked(self, pieces: IntArray) -> list[KeptCrop]:
        """Return all crops of some pieces, the best first."""
        crops = (crop for piece in pieces.tolist() for crop in self._kept[piece])
        return sorted(crops, key=_quality, reverse=True)

    def chosen(self, pieces: IntArray, count: int) -> list[KeptCrop]:
        """Return the crops of some pieces that tell most: the best one of each, and the best others up to ``count``."""
        first, others = [], []
        for piece in pieces.tolist():
            best, *rest = sorted(self._kept[piece], key=_quality, reverse=True)
            first.append(best)
            others += rest
        return first + sorted(others, key=_quality, reverse=True)[: max(count - len(first), 0)]

    def jpeg(self, crop: KeptCrop) -> bytes:
        """Return a crop as JPEG."""
        self._file.seek(crop.start)
        return self._file.read(crop.size)

    def image(self, crop: KeptCrop) -> Image:
        """Return a crop, (H, W, 3) uint8."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.jpeg(crop), np.uint8), cv2.IMREAD_COLOR), np.uint8)

    def _close(self, pieces: Iterable[int]) -> None:
        for piece in pieces:
            kept = []
            for crop in self._open.pop(piece).slots.crops():
                data = encode_jpeg(crop.image_bgr)
                start = self._file.seek(0, 2)
                self._file.write(data)
                kept.append(KeptCrop(crop.quality, crop.frame, crop.detection, start, len(data)))
            self._kept[piece] = tuple(kept)


def _quality(crop: KeptCrop) -> float:
    return crop.quality

"""What the detector and the descriptors saw, kept so that a video can be tracked again without them.

``detections.npz`` holds the same columns as any ``.npz``, but in chunks named
``<column>.<number>``, so that it can be written while the video is read and
read while it is tracked again. Descriptors are kept as small integers.
"""

from __future__ import annotations

import json
import zipfile
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records import Detections, DistanceScale, FloatArray, IntArray, MediaFacts, ModelInfo, Notice

FORMAT_VERSION = 1
LEVELS = 15
"""A descriptor's largest number becomes this; more levels take more room and change no track."""
_CHUNK_BOXES = 2048
_DEFLATE_LEVEL = 6

Codes = NDArray[np.int8]
Affine = NDArray[np.float64]


def quantise(descriptors: FloatArray) -> Codes:
    """Return (N, D) rows as whole numbers, each scaled so that its largest is `LEVELS`; zero rows stay zero."""
    rows = np.nan_to_num(descriptors)
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    codes: Codes = np.rint(rows * (LEVELS / np.where(largest > 0, largest, 1.0))).astype(np.int8)
    return codes


def restore(codes: Codes) -> FloatArray:
    """Return the (N, D) descriptors of unit length that ``codes`` stand for; zero rows stay zero."""
    rows = codes.astype(np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    unit: FloatArray = rows / np.where(lengths > 0, lengths, np.float32(1))[:, None]
    return unit


@dataclass(frozen=True, eq=False)
class FoundBoxes:
    """One analysed frame, as trackers get it.

    Attributes
    ----------
    descriptors : (N, D) float32 unit rows; zero for boxes that were not described.
    camera_affine : (2, 3) float64 that carries points of the analysed frame before to this one; None where the
        camera rests.
    """

    detections: Detections
    descriptors: FloatArray
    camera_affine: Affine | None = None


@dataclass(frozen=True, kw_only=True)
class DetectionHead:
    """What a table says of all its frames.

    Attributes
    ----------
    stride : every so manieth frame was analysed, the first among them.
    described_boxes : how many boxes have a descriptor.
    descriptor_gate : cosine distance that suits the descriptors as DeepSORT's gate.
    descriptor_distances : of the descriptors; None where they were not measured.
    has_network : whether a network embedded boxes; without one the descriptors stand for the tracks.
    linking_embeddings : how many of the embedded boxes, the first ones, had a say in linking.
    """

    facts: MediaFacts
    stride: int
    detector: ModelInfo
    embedder: ModelInfo
    described_boxes: int
    descriptor_gate: float
    descriptor_distances: DistanceScale | None = None
    has_network: bool = False
    linking_embeddings: int = 0

    def to_json(self) -> str:
        """Return the head as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DetectionHead:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        values["facts"] = MediaFacts(**values["facts"])
        for name in ("detector", "embedder"):
            values[name] = _model_info(values[name])
        values["descriptor_distances"] = _distances(values.get("descriptor_distances"))
        return cls(**values)


def _model_info(values: Mapping[str, Any]) -> ModelInfo:
    notices = tuple(Notice(**notice) for notice in values["notices"])
    return ModelInfo(**{**values, "notices": notices, "distances": _distances(values.get("distances"))})


def _distances(values: Mapping[str, float] | None) -> DistanceScale | None:
    return None if values is None else DistanceScale(**values)


class DetectionWriter:
    """Writes a table frame by frame; nothing is at ``path`` before `finish`. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._file = zipfile.ZipFile(self._part, "w", zipfile.ZIP_DEFLATED, compresslevel=_DEFLATE_LEVEL)
        self._chunks: dict[str, int] = {}
        self._pending: list[tuple[Detections, Codes]] = []
        self._pending_boxes = 0
        self._frame_pts_s = array("d")
        self._box_counts = array("i")
        self._affine_frames = array("i")
        self._affines = array("d")

    def __enter__(self) -> DetectionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def add_time(self, pts_s: float) -> None:
        """Add the time of a frame, analysed or not."""
        self._frame_pts_s.append(pts_s)

    def add(self, detections: Detections, codes: Codes, camera_affine: Affine | None) -> None:
        """Add an analysed frame; ``codes`` are its quantised descriptors."""
        if camera_affine is not None:
            self._affine_frames.append(len(self._box_counts))
            self._affines.extend(camera_affine.ravel().tolist())
        self._box_counts.append(len(detections))
        self._pending.append((detections, codes))
        self._pending_boxes += len(detections)
        if self._pending_boxes >= _CHUNK_BOXES:
            self._flush()

    def add_embeddings(self, rows: IntArray, embeddings: FloatArray) -> None:
        """Add what a network made of the boxes ``rows`` of the table; float16."""
        self._write("embedded_rows", rows.astype(np.int32))
        self._write("embeddings", embeddings.astype(np.float16))

    def finish(self, head: DetectionHead) -> None:
        """Write what is left and put the file in its place."""
        self._flush()
        self._write("frame_pts_s", np.array(self._frame_pts_s))
        self._write("box_counts", np.array(self._box_counts, np.int32))
        self._write("affine_frames", np.array(self._affine_frames, np.int32))
        self._write("affines", np.array(self._affines).reshape(-1, 2, 3))
        self._write("version", np.array(FORMAT_VERSION))
        self._write("head", np.array(head.to_json()))
        self._file.close()
        self._part.replace(self._path)

    def _flush(self) -> None:
        if self._pending_boxes:
            boxes, scores, classes = (
                np.concatenate([getattr(found, name) for found, _ in self._pending])
                for name in ("boxes_xyxy", "scores", "class_ids")
            )
            self._write("boxes_xyxy", boxes.astype(np.float32))
            self._write("scores", scores.astype(np.float32))
            self._write("class_ids", classes.astype(np.int8))
            self._write("descriptors", np.concatenate([codes for _, codes in self._pending if len(codes)]))
        self._pending, self._pending_boxes = [], 0

    def _write(self, column: str, values: NDArray[Any]) -> None:
        number = self._chunks.get(column, 0)
        self._chunks[column] = number + 1
        with self._file.open(f"{column}.{number}.npy", "w") as member:
            np.lib.format.write_array(member, values, allow_pickle=False)


class DetectionTable:
    """A table on disk; small columns in memory, descriptors read chunk by chunk.

    Attributes
    ----------
    frame_pts_s : (F,) float64 times of all frames.
    boxes_xyxy, scores, class_ids : of all boxes, in order of frame.
    embedded_rows, embeddings : (E,) int64 rows of boxes that a network embedded, and (E, D) float16.

    Raises
    ------
    ValueError
        for another version of the format.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with np.load(path, allow_pickle=False) as columns:
            names = set(columns.files)
            if int(columns["version.0"]) != FORMAT_VERSION:
                raise ValueError(f"{path.name} has format version {columns['version.0']}, {FORMAT_VERSION} is read")
            self.head = DetectionHead.from_json(str(columns["head.0"]))

            def joined(column: str, empty: NDArray[Any]) -> NDArray[Any]:
                parts = [columns[f"{column}.{k}"] for k in range(_count(names, column))]
                return np.concatenate(parts) if parts else empty

            self.frame_pts_s: NDArray[np.float64] = columns["frame_pts_s.0"]
            self._box_counts = columns["box_counts.0"]
            self._affines = dict(zip(columns["affine_frames.0"].tolist(), columns["affines.0"], strict=True))
            self.boxes_xyxy: FloatArray = joined("boxes_xyxy", np.zeros((0, 4), np.float32))
            self.scores: FloatArray = joined("scores", np.zeros(0, np.float32))
            self.class_ids: IntArray = joined("class_ids", np.zeros(0, np.int8)).astype(np.int64)
            self.embedded_rows: IntArray = joined("embedded_rows", np.zeros(0, np.int32)).astype(np.int64)
            self.embeddings: NDArray[np.float16] = joined("embeddings", np.zeros((0, 0), np.float16))
            self._descriptor_chunks = _count(names, "descriptors")

    def __len__(self) -> int:
        """How many boxes the table has."""
        return len(self.scores)

    @property
    def analysed_count(self) -> int:
        """How many frames were analysed."""
        return len(self._box_counts)

    def frame_rows(self) -> Iterator[slice]:
        """Yield the rows of each analysed frame."""
        start = 0
        for count in self._box_counts.tolist():
            yield slice(start, start + count)
            start += count

    def frames(self) -> Iterator[FoundBoxes]:
        """Yield the analysed frames in order."""
        chunks = self._codes()
        codes = np.zeros((0, 0), np.int8)
        for frame, rows in enumerate(self.frame_rows()):
            count = rows.stop - rows.start
            if count and not len(codes):
                codes = next(chunks)
            found = Detections(self.boxes_xyxy[rows], self.scores[rows], self.class_ids[rows])
            yield FoundBoxes(found, restore(codes[:count]), self._affines.get(frame))
            codes = codes[count:]

    def _codes(self) -> Iterator[Codes]:
        with np.load(self._path, allow_pickle=False) as columns:
            for number in range(self._descriptor_chunks):
                yield columns[f"descriptors.{number}"]


def _count(names: set[str], column: str) -> int:
    return sum(name.rpartition(".")[0] == column for name in names)

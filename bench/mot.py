"""Sequences in MOT layout, and their judgement by TrackEval in its official way."""

from __future__ import annotations

import configparser
import contextlib
import io
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxes import tlwh_to_xyxy
from records import Detections
from video.decode import VideoReader, open_pictures, open_video

VIDEO_SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".webm")
FIGURES = ("HOTA", "AssA", "DetA", "IDF1", "MOTA", "switches")


@dataclass(frozen=True)
class MotSequence:
    """One folder with ``gt/gt.txt``, ``det/*.txt``, ``seqinfo.ini`` and pictures or a video."""

    folder: Path
    length: int
    frame_rate: float

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def truth(self) -> Path:
        """The ground truth; it may be missing, where only results are wanted."""
        return self.folder / "gt" / "gt.txt"

    def open(self) -> AbstractContextManager[VideoReader]:
        """Open the pictures of ``img1/``, or the one video beside it."""
        if (self.folder / "img1").is_dir():
            return open_pictures(self.folder / "img1", self.frame_rate)
        videos = [path for path in sorted(self.folder.iterdir()) if path.suffix.lower() in VIDEO_SUFFIXES]
        if len(videos) != 1:
            raise FileNotFoundError(f"{self.folder} must hold img1/ or one video, it holds {len(videos)} videos")
        return open_video(videos[0])

    def detections(self, name: str) -> list[Detections]:
        """Read ``det/<name>.txt``: a list of `Detections` for every frame, all of them people.

        Boxes without scores (MOT's public boxes write other numbers there) count as certain.
        """
        with (self.folder / "det" / f"{name}.txt").open("r", encoding="ascii") as file:
            lines = [line for line in file if line.strip()]
        rows = np.loadtxt(lines, delimiter=",", ndmin=2, dtype=np.float64) if lines else np.zeros((0, 7))
        frames = rows[:, 0].astype(int) - 1
        scores = rows[:, 6]
        if len(scores) and (scores.min() < 0 or scores.max() > 1):
            scores = np.ones_like(scores)
        found = []
        for index in range(self.length):
            chosen = frames == index
            found.append(
                Detections(
                    tlwh_to_xyxy(rows[chosen, 2:6].astype(np.float32)),
                    scores[chosen].astype(np.float32),
                    np.zeros(int(chosen.sum()), np.int64),
                )
            )
        return found


def find_sequences(data: Path, names: Sequence[str] = ()) -> list[MotSequence]:
    """Return the sequences below ``data`` by name: the folders with ``seqinfo.ini`` or ground truth.

    Raises
    ------
    FileNotFoundError
        when there is none, or one of ``names`` is missing.
    ValueError
        for a sequence without length or frame rate.
    """
    folders = {path.parent for path in data.glob("*/seqinfo.ini")} | {p.parent.parent for p in data.glob("*/gt/gt.txt")}
    found = {folder.name: folder for folder in sorted(folders)}
    missing = [name for name in names if name not in found]
    if missing or not found:
        raise FileNotFoundError(
            f"no sequence {', '.join(missing) or 'with seqinfo.ini'} in {data}; it has {sorted(found)}"
        )
    return [sequence_in(found[name]) for name in names or found]


def sequence_names(text: str) -> tuple[str, ...]:
    """Read the names of sequences, with commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def sequence_in(folder: Path) -> MotSequence:
    """Return the sequence of a folder.

    Raises
    ------
    ValueError
        where ``seqinfo.ini`` does not say its length and its frame rate.
    """
    info = configparser.ConfigParser()
    info.read(folder / "seqinfo.ini", encoding="utf-8")
    section = info["Sequence"] if info.has_section("Sequence") else {}
    if not {"seqlength", "framerate"} <= {key.lower() for key in section}:
        raise ValueError(f"{folder / 'seqinfo.ini'} must have seqLength and frameRate in its section [Sequence]")
    return MotSequence(folder, int(section["seqLength"]), float(section["frameRate"]))


def judge(sequences: Sequence[MotSequence], results: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Judge MOT results with TrackEval.

    Each sequence is preprocessed as its benchmark does it: MOT16's way where the ground truth has classes,
    MOT15's where it has none (rows flagged 0 are dropped).

    Parameters
    ----------
    results : MOT text by sequence name.

    Returns
    -------
    `FIGURES` (per cent, but for switches) by sequence name, and ``pooled`` over all.
    """
    metrics = _metrics()
    judged = {}
    for sequence in sequences:
        data = _preprocessed(sequence, results[sequence.name])
        judged[sequence.name] = [metric.eval_sequence(data) for metric in metrics]
    pooled = [
        metric.combine_sequences({name: parts[position] for name, parts in judged.items()})
        for position, metric in enumerate(metrics)
    ]
    return {name: _figures(parts) for name, parts in {**judged, "pooled": pooled}.items()}


def _metrics() -> list[Any]:
    import trackeval

    with contextlib.redirect_stdout(io.StringIO()):
        return [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(), trackeval.metrics.Identity()]


def _preprocessed(sequence: MotSequence, result: str) -> Any:
    import trackeval

    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
        folder = Path(scratch) / "ours" / "data"
        folder.mkdir(parents=True)
        (folder / f"{sequence.name}.txt").write_text(result, "ascii")
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(sequence.folder.parent),
                "TRACKERS_FOLDER": scratch,
                "TRACKERS_TO_EVAL": ["ours"],
                "BENCHMARK": "MOT16" if _has_classes(sequence) else "MOT15",
                "SEQ_INFO": {sequence.name: sequence.length},
                "SKIP_SPLIT_FOL": True,
                "PRINT_CONFIG": False,
            }
        )
        return dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("ours", sequence.name), "pedestrian")


def _has_classes(sequence: MotSequence) -> bool:
    """Tell MOT16's nine columns (…, class, visibility) from MOT15's ten (…, x, y, z)."""
    with sequence.truth.open("r", encoding="ascii") as file:
        return len(file.readline().split(",")) == 9


def _figures(judged: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    hota, clear, identity = judged
    return {
        "HOTA": float(np.mean(hota["HOTA"])) * 100,
        "AssA": float(np.mean(hota["AssA"])) * 100,
        "DetA": float(np.mean(hota["DetA"])) * 100,
        "IDF1": float(identity["IDF1"]) * 100,
        "MOTA": float(clear["MOTA"]) * 100,
        "switches": float(clear["IDSW"]),
    }

"""Floors for the tracker's accuracy on real sequences, judged by TrackEval's official path.

Boxes are YOLOX-nano's with a score of .5 or more; appearance is a plain HSV
histogram of eight stripes. The floors lie a little below what was measured.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from deep_sort.tracker import Tracker, TrackerOptions

FRAME_COUNTS = {"PETS09-S2L1": 795, "TUD-Campus": 71, "TUD-Stadtmitte": 179}
MIN_SCORE = 0.5
STRIPES = 8


def pictures(folder: Path) -> Iterator[np.ndarray]:
    if (folder / "img1").is_dir():
        for path in sorted((folder / "img1").glob("*.jpg")):
            yield cv2.imread(str(path))
        return
    capture = cv2.VideoCapture(str(folder / "vtest.avi"))
    try:
        while True:
            is_read, picture = capture.read()
            if not is_read:
                return
            yield picture
    finally:
        capture.release()


def stripe_histogram(picture_bgr: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the square roots of hue-saturation and value histograms of stripes, middle half of the box's width."""
    x1, y1, x2, y2 = box
    margin = (x2 - x1) / 4
    height, width = picture_bgr.shape[:2]
    left, top = int(np.clip(x1 + margin, 0, width - 1)), int(np.clip(y1, 0, height - 1))
    right, bottom = max(left + 1, int(min(x2 - margin, width))), max(top + 1, int(min(y2, height)))
    crop = cv2.resize(picture_bgr[top:bottom, left:right], (16, 64), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    histograms = []
    for stripe in np.split(hsv, STRIPES):
        histograms.append(cv2.calcHist([stripe], [0, 1], None, [12, 6], [0, 180, 0, 256]).ravel())
        histograms.append(cv2.calcHist([stripe], [2], None, [12], [0, 256]).ravel())
    return np.sqrt(np.concatenate(histograms))


def frames_of(folder: Path, *, with_features: bool) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Yield the boxes, scores and features of every frame."""
    rows = np.loadtxt(folder / "det" / "yolox_nano.txt", delimiter=",", dtype=np.float32)
    rows = rows[rows[:, 6] >= MIN_SCORE]
    shown = pictures(folder) if with_features else iter([None] * FRAME_COUNTS[folder.name])
    for index, picture in enumerate(shown):
        chosen = rows[rows[:, 0] == index + 1]
        boxes = np.concatenate([chosen[:, 2:4], chosen[:, 2:4] + chosen[:, 4:6]], axis=1)
        features = None
        if picture is not None:
            described = [stripe_histogram(picture, box) for box in boxes]
            features = np.array(described, np.float32).reshape(len(boxes), -1)
        yield boxes, chosen[:, 6], features


def write_tracks(folder: Path, options: TrackerOptions, path: Path, *, with_features: bool) -> None:
    tracker = Tracker(options)
    lines = []
    frame_count = 0
    for boxes, scores, features in frames_of(folder, with_features=with_features):
        frame_count += 1
        tracked = tracker.step(boxes, scores, features)
        for number, (x1, y1, x2, y2) in zip(tracked.track_numbers, tracked.boxes_xyxy, strict=True):
            lines.append(f"{frame_count},{number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,-1,-1,-1\n")
    assert frame_count == FRAME_COUNTS[folder.name]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))


def judged(data_dir: Path, trackers_dir: Path) -> dict[str, dict[str, float]]:
    """Return per sequence HOTA, IDF1 and MOTA in per cent and identity switches."""
    trackeval = pytest.importorskip("trackeval")
    quiet = {"PRINT_CONFIG": False}
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(data_dir),
                "TRACKERS_FOLDER": str(trackers_dir),
                "TRACKERS_TO_EVAL": ["ours"],
                "BENCHMARK": "MOT15",
                "SKIP_SPLIT_FOL": True,
                "SEQ_INFO": dict(FRAME_COUNTS),
                **quiet,
            }
        )
        metrics = [trackeval.metrics.HOTA(quiet), trackeval.metrics.CLEAR(quiet), trackeval.metrics.Identity(quiet)]
        figures = {}
        for sequence in FRAME_COUNTS:
            data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("ours", sequence), "pedestrian")
            hota, clear, identity = (metric.eval_sequence(data) for metric in metrics)
            figures[sequence] = {
                "HOTA": 100 * float(np.mean(hota["HOTA"])),
                "IDF1": 100 * float(identity["IDF1"]),
                "MOTA": 100 * float(clear["MOTA"]),
                "switches": int(clear["IDSW"]),
            }
    return figures


# Measured: 50.6, 52.5, 62.5 and 49.2, 50.2, 57.0.
FLOORS = {
    "appearance": {"PETS09-S2L1": 49.5, "TUD-Campus": 51.5, "TUD-Stadtmitte": 61.5},
    "overlap alone": {"PETS09-S2L1": 48.5, "TUD-Campus": 49.5, "TUD-Stadtmitte": 56.0},
}
OPTIONS = {"appearance": TrackerOptions(max_cosine_distance=0.18), "overlap alone": TrackerOptions()}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["appearance", "overlap alone"])
def test_hota_stays_above_its_floor_on_real_sequences(way: str, shared_dir: Path, tmp_path: Path) -> None:
    for sequence in FRAME_COUNTS:
        write_tracks(
            shared_dir / "data" / sequence,
            OPTIONS[way],
            tmp_path / "ours" / "data" / f"{sequence}.txt",
            with_features=way == "appearance",
        )
    figures = judged(shared_dir / "data", tmp_path)
    for sequence, floor in FLOORS[way].items():
        assert figures[sequence]["HOTA"] >= floor, figures

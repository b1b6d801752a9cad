"""Judge the tracker on what other cameras would have seen of the same sequences.

``python -m bench.views --data DIR`` tracks every sequence as it is, at lower frame rates, and through a camera that
pans by a third of the picture to and fro, zooms by 15 % and shakes: with its motion known, and with nobody telling the
tracker. One set of settings has to do for all of them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.machine import machine_line
from bench.mot import MotSequence, find_sequences, judge, sequence_names
from bench.shown import ShownFrame, ShownSequence, show_sequence
from bench.tracking import TRACKERS, mot_text, track
from records import Detections

Floats = NDArray[np.float64]
View = Callable[[ShownSequence, Floats], tuple[ShownSequence, Floats]]
"""From a sequence and the rows of its ground truth to those of another camera."""

_STEP_ERROR_PX = 0.3


def every(stride: int) -> View:
    """Return the view of a camera that takes every so manieth frame."""

    def view(shown: ShownSequence, truth: Floats) -> tuple[ShownSequence, Floats]:
        kept = truth[(truth[:, 0] - 1) % stride == 0].copy()
        kept[:, 0] = (kept[:, 0] - 1) // stride + 1
        return replace(shown, frames=shown.frames[::stride], frame_rate=shown.frame_rate / stride), kept

    return view


def moving(*, is_followed: bool, slowness: float = 1.0) -> View:
    """Return the view of a camera that moves as `camera_path` does.

    Parameters
    ----------
    is_followed : whether the tracker is told how the camera moves, to `_STEP_ERROR_PX`.
    """

    def view(shown: ShownSequence, truth: Floats) -> tuple[ShownSequence, Floats]:
        path = camera_path(len(shown.frames), shown.frame_rate, shown.width, shown.height, slowness)
        rng = np.random.default_rng(3)
        frames = []
        for index, (frame, affine) in enumerate(zip(shown.frames, path, strict=True)):
            found = frame.detections
            boxes = (found.boxes_xyxy * affine[0, 0] + np.tile(affine[:, 2], 2)).astype(np.float32)
            step = None
            if is_followed and index:
                step = (_square(affine) @ np.linalg.inv(_square(path[index - 1])))[:2]
                step[:, 2] += rng.normal(0, _STEP_ERROR_PX, 2)
            frames.append(ShownFrame(Detections(boxes, found.scores, found.class_ids), frame.descriptors, step))
        moved, affines = truth.copy(), path[truth[:, 0].astype(int) - 1]
        moved[:, 2:6] *= affines[:, 0, :1]
        moved[:, 2:4] += affines[:, :, 2]
        return replace(shown, frames=tuple(frames)), moved

    return view


def camera_path(length: int, frame_rate: float, width: int, height: int, slowness: float = 1.0) -> Floats:
    """Return (F, 2, 3): to and fro by a third of the picture in 6 s, in and out in 4 s, and a shaking hand."""
    times_s = np.arange(length) / frame_rate
    zoom = 1 + 0.15 * np.sin(2 * np.pi * times_s / (4 * slowness))
    shake = np.random.default_rng(1).normal(0, 1.5, (len(times_s), 2))
    path = np.zeros((len(times_s), 2, 3))
    path[:, 0, 0] = path[:, 1, 1] = zoom
    pan = 0.34 * width * np.sin(2 * np.pi * times_s / (6 * slowness))
    tilt = 40 * np.sin(2 * np.pi * times_s / (3.1 * slowness))
    path[:, 0, 2] = pan + shake[:, 0] + (1 - zoom) * width / 2
    path[:, 1, 2] = tilt + shake[:, 1] + (1 - zoom) * height / 2
    return path


VIEWS: Mapping[str, View] = {
    "as it is": every(1),
    "every 2nd frame": every(2),
    "every 4th": every(4),
    "followed": moving(is_followed=True),
    "unnoticed": moving(is_followed=False),
    "slow, unnoticed": moving(is_followed=False, slowness=3),
}


def measure(sequence: MotSequence, det: str, tracker: str) -> dict[str, float]:
    """Return the HOTA of a sequence in each of `VIEWS`."""
    stored, truth = sequence.detections(det), np.loadtxt(sequence.truth, delimiter=",", ndmin=2)
    shown = show_sequence(sequence, lambda index, _: stored[index])
    reached = {}
    for name, view in VIEWS.items():
        seen, seen_truth = view(shown, truth)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / sequence.name
            (folder / "gt").mkdir(parents=True)
            np.savetxt(folder / "gt" / "gt.txt", seen_truth, fmt="%g", delimiter=",")
            other = MotSequence(folder, len(seen.frames), seen.frame_rate)
            reached[name] = judge([other], {sequence.name: mot_text(track(seen, tracker))})[sequence.name]["HOTA"]
    return reached


def table(reached: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Yield a Markdown table, a row a sequence."""
    yield f"| sequence | {' | '.join(VIEWS)} |"
    yield "|" + "---|" * (len(VIEWS) + 1)
    for name, figures in reached.items():
        yield f"| {name} | {' | '.join(f'{value:.1f}' for value in figures.values())} |"


def _square(affine: Floats) -> Floats:
    return np.vstack([affine, [0.0, 0.0, 1.0]])


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(
        prog="bench.views", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the sequences")
    parser.add_argument("--sequences", type=sequence_names, default=(), metavar="A,B", help="only these")
    parser.add_argument("--det", default="yolox_nano", help="read boxes from det/<this>.txt (default: yolox_nano)")
    parser.add_argument("--tracker", choices=TRACKERS, default="recorded")
    options = parser.parse_args(arguments)
    machine = machine_line()
    sequences = find_sequences(options.data, options.sequences)
    reached = {sequence.name: measure(sequence, options.det, options.tracker) for sequence in sequences}
    print(f"{machine}; HOTA of {options.tracker}\n")
    print("\n".join(table(reached)))


if __name__ == "__main__":
    main()

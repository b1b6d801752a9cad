"""Floors for the accuracy of the trackers on real sequences, judged as `bench.tracking` does.

Appearance is the colour descriptor that needs no weights; the floors lie a little below what was measured.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bench.mot import MotSequence, find_sequences, judge
from bench.shown import ShownSequence, show_sequence
from bench.tracking import frames_a_second, mot_text, track

pytest.importorskip("trackeval", reason="trackeval is not installed")

SEQUENCES = ("PETS09-S2L1", "TUD-Campus", "TUD-Stadtmitte")


@cache
def shown(data: Path, det: str) -> tuple[tuple[MotSequence, ShownSequence], ...]:
    pairs = []
    for sequence in find_sequences(data, SEQUENCES):
        stored = sequence.detections(det)
        pairs.append((sequence, show_sequence(sequence, lambda index, _, stored=stored: stored[index])))
    return tuple(pairs)


# Measured, mean HOTA and switches: 69.3 and 9; 57.9 and 9; 58.0 and 46; 44.3 and 271.
# DeepSORT as published, on the same boxes: 54.1 and 42; 39.9 and 107.
FLOORS = [
    ("recorded", "yolox_nano", 68.0, 12),
    ("recorded", "det", 57.0, 12),
    ("online", "yolox_nano", 57.0, 50),
    ("online", "det", 43.5, 290),
]


@pytest.mark.slow
@pytest.mark.parametrize(("tracker", "det", "hota", "switches"), FLOORS)
def test_hota_stays_above_its_floor(tracker: str, det: str, hota: float, switches: int, shared_dir: Path) -> None:
    pairs = shown(shared_dir / "data", det)
    judged = judge([sequence for sequence, _ in pairs], {one.name: mot_text(track(one, tracker)) for _, one in pairs})
    pooled = judged.pop("pooled")
    assert np.mean([figures["HOTA"] for figures in judged.values()]) >= hota, judged
    assert pooled["switches"] <= switches, judged


@pytest.mark.slow
def test_a_still_camera_is_seen_to_be_still(shared_dir: Path) -> None:
    for _, sequence in shown(shared_dir / "data", "yolox_nano"):
        assert sequence.to_first_frame() is None, sequence.name


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["recorded", "online"])
def test_the_same_input_gives_the_same_result(tracker: str, shared_dir: Path) -> None:
    _, sequence = shown(shared_dir / "data", "yolox_nano")[0]
    for one, other in zip(track(sequence, tracker), track(sequence, tracker), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["recorded", "online"])
def test_the_tracker_alone_keeps_far_ahead_of_the_video(tracker: str, shared_dir: Path) -> None:
    """Measured: above 1,500 frames a second on an idle core; the floor is for busy machines."""
    _, sequence = shown(shared_dir / "data", "yolox_nano")[0]
    assert frames_a_second(sequence, tracker) > 250

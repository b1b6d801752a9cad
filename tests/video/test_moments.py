"""Single pictures out of a playback copy."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from video.decode import open_video
from video.encode import VideoWriter
from video.moments import read_moments


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Write 60 frames, 10 a second, each 4 levels brighter than the one before."""
    path = tmp_path / "copy.mp4"
    with VideoWriter(path, width=64, height=48, frame_rate=Fraction(10)) as writer:
        for index in range(60):
            writer.write(np.full((48, 64, 3), 4 * index, np.uint8), index / 10)
    return path


@pytest.mark.parametrize("frames", [[0], [59], [0, 0, 1, 2], [7, 8, 31, 32, 58], list(range(60)), [100]])
def test_each_time_gives_its_own_picture(copy: Path, frames: list[int]) -> None:
    pictures = list(read_moments(copy, [frame / 10 for frame in frames], frame_rate=10))
    with open_video(copy) as reader:
        expected = [frame.image_bgr for frame in reader]
    assert len(pictures) == len(frames)
    for image, frame in zip(pictures, frames, strict=True):
        np.testing.assert_array_equal(image, expected[min(frame, 59)])


def test_no_times_give_no_pictures(copy: Path) -> None:
    assert list(read_moments(copy, [], frame_rate=10)) == []

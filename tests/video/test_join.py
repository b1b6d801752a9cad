"""Films one after the other, and lines of text below them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from video.caption import caption_band, chinese_font
from video.encode import VideoWriter
from video.join import join_copies


def write(path: Path, brightness: int, count: int) -> Path:
    with VideoWriter(path, width=64, height=48, frame_rate=Fraction(12)) as writer:
        for number in range(count):
            writer.write(np.full((48, 64, 3), brightness, np.uint8), number / 12)
    return path


def test_parts_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    parts = [write(tmp_path / f"{brightness}.mp4", brightness, 15) for brightness in (40, 200, 120)]
    join_copies(parts, tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as film:
        frames = list(film.decode(video=0))
    assert [round((frame.time or 0.0) * 12) for frame in frames] == list(range(45))
    levels = [float(frame.to_ndarray(format="gray").mean()) for frame in frames]
    assert [round(levels[at] / 40) for at in (7, 22, 37)] == [1, 5, 3]
    assert (tmp_path / "film.mp4").read_bytes().find(b"moov") < (tmp_path / "film.mp4").read_bytes().find(b"mdat")


def test_no_parts_and_a_broken_part_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parts"):
        join_copies([], tmp_path / "film.mp4")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(av.FFmpegError):
        join_copies([tmp_path / "broken.mp4"], tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]


def test_a_caption_is_drawn_and_a_long_one_is_cut_off() -> None:
    band = caption_band("North gate 08:00:00", 400, 40)
    assert band.shape == (40, 400, 3)
    assert band[:, :200].max() > 150 > band[:, 380:].max()
    full = caption_band("x" * 500, 400, 40)
    assert full[:, 393:].max() < 60 < full[:, 300:390].max()
    assert caption_band("", 400, 40).max() < 60


@pytest.mark.skipif(chinese_font() is None, reason="this machine has no font with Chinese letters")
def test_two_chinese_letters_look_different() -> None:
    assert not np.array_equal(caption_band("东", 60, 40), caption_band("门", 60, 40))

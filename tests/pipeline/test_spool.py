"""A live source is read once, and drawn from its recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.run import TrackRequest, track_video
from pipeline.spool import SpooledSource
from records import Frame, MediaFacts
from tests.pipeline.scripted import RED, Block, BlockDetector, ColourEmbedder, middle_colour, picture
from video.decode import VideoReader, open_video

_BLOCKS = (Block(RED, (20, 40), step=(3, 0)),)


class Camera:
    """Gives frames at uneven times, once."""

    def __init__(self, times_s: list[float], *, width: int = 320, height: int = 240) -> None:
        self.times_s = times_s
        self.opened = 0
        self.closed = 0
        self.facts = MediaFacts("camera", "raw", "bgr24", width, height, 0.0, 25.0, None, 1.0, 0, 0)

    def __iter__(self) -> Iterator[Frame]:
        for index, time_s in enumerate(self.times_s):
            yield Frame(index, time_s, picture(_BLOCKS, index, width=self.facts.width, height=self.facts.height))

    @contextmanager
    def open(self) -> Iterator[VideoReader]:
        self.opened += 1
        yield self
        self.closed += 1


def _request(source: SpooledSource, annotated: Path | None) -> TrackRequest:
    return TrackRequest(source=source, detector=BlockDetector(), embedder=ColourEmbedder(), annotated=annotated)


@pytest.mark.parametrize(("width", "height"), [(320, 240), (321, 243)])
def test_the_recording_has_every_frame_with_its_own_time(tmp_path: Path, width: int, height: int) -> None:
    times_s = [0.0, 0.03, 0.2, 0.21, 0.9, 1.5, 1.53]
    camera = Camera(times_s, width=width, height=height)
    source = SpooledSource(camera.open, tmp_path / "spool.mp4")
    with source() as live:
        first = list(live)
    with source() as recorded:
        assert recorded.facts == camera.facts
        second = list(recorded)
    assert [frame.pts_s for frame in second] == [frame.pts_s for frame in first] == times_s
    assert camera.opened == camera.closed == 1
    for frame in second:
        assert frame.image_bgr.shape == (height, width, 3)
        colour = np.array(middle_colour(frame.image_bgr, _BLOCKS[0].box(frame.index)))
        assert np.abs(colour - RED).max() < 40, "the block is where it was in this very frame"


def test_a_camera_is_tracked_and_drawn(tmp_path: Path) -> None:
    camera = Camera([index * 0.07 for index in range(20)])
    source = SpooledSource(camera.open, tmp_path / "spool.mp4")
    result = track_video(_request(source, tmp_path / "output.mp4"), on_progress=lambda progress: None)
    assert result.frame_count == 20
    assert len(result.tracks) == 1
    assert result.points.frame_pts_s[-1] == pytest.approx(19 * 0.07)
    with open_video(tmp_path / "output.mp4") as reader:
        assert reader.facts.duration_s == pytest.approx(20 * 0.07, abs=0.1)


def test_frames_recorded_after_the_end_are_left_out(tmp_path: Path) -> None:
    """The camera runs ahead of the networks; what it recorded beyond the last tracked frame is not drawn."""
    camera = Camera([index / 25 for index in range(200)])
    seen: list[int] = []
    source = SpooledSource(camera.open, tmp_path / "spool.mp4")
    request = replace(_request(source, tmp_path / "output.mp4"), is_over=lambda: len(seen) >= 12)
    result = track_video(request, on_progress=lambda progress: seen.append(progress.frames_done))
    assert 11 <= result.frame_count <= 16
    with open_video(tmp_path / "output.mp4") as reader:
        assert sum(1 for _ in reader) == result.frame_count


def test_without_a_file_nothing_is_recorded(tmp_path: Path) -> None:
    source = SpooledSource(Camera([0.0, 0.1]).open, None)
    result = track_video(_request(source, None), on_progress=lambda progress: None)
    assert result.frame_count == 2
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="can be read once"), source():
        pass

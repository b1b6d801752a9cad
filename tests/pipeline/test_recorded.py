"""What the whole pipeline makes of a recording: linked, filled, cleaned; and which boxes a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from errors import JobCancelled
from model.hsv_stripes import HsvStripes
from pipeline.analyse import BatchLimits
from pipeline.detections import DetectionTable
from pipeline.retrack import retrack
from pipeline.run import TrackingResult, TrackRequest, track_video
from pipeline.tracking import Appearances, TrackingOptions
from records import DistanceScale, FloatArray, Image, ModelInfo, Progress
from tests.pipeline.scripted import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    Block,
    BlockDetector,
    ColourEmbedder,
    make_video,
    middle_colour,
    source_of,
)
from video.decode import open_video


def _request(video: Path) -> TrackRequest:
    return TrackRequest(
        source=source_of(video), detector=BlockDetector(), embedder=ColourEmbedder(), descriptor=HsvStripes()
    )


def _track(request: TrackRequest) -> TrackingResult:
    return track_video(request, on_progress=lambda progress: None)


def _walker(*gone: int, colour: tuple[int, int, int] = RED) -> tuple[Block, ...]:
    """Return blocks that together are one walker who is hidden in the frames ``gone``."""
    return tuple(Block(colour, (10, 30), frames=range(k, k + 1)) for k in range(30) if k not in gone)


def test_a_walker_who_was_hidden_keeps_the_number(tmp_path: Path) -> None:
    result = _track(_request(make_video(tmp_path / "gap.mkv", _walker(*range(12, 20)))))
    (track,) = result.tracks
    assert (track.first_frame, track.last_frame, track.point_count) == (0, 29, 30)
    assert track.mean_score == pytest.approx(0.9), "boxes that were filled in have no say"
    filled = np.isin(result.points.frames, np.arange(12, 20))
    assert not result.points.scores[filled].any()
    assert (result.points.scores[~filled] == np.float32(0.9)).all()
    truth = np.array([Block(RED, (10, 30)).box(frame) for frame in range(30)])
    assert np.abs(result.points.boxes_xyxy - truth).max() < 4


def test_a_track_begins_with_its_first_box(tmp_path: Path) -> None:
    result = _track(_request(make_video(tmp_path / "late.mkv", (Block(RED, (20, 20), frames=range(7, 30)),))))
    assert [track.first_frame for track in result.tracks] == [7]


def test_a_flicker_is_nobody(tmp_path: Path) -> None:
    blocks = (Block(GREEN, (200, 100), frames=range(2)), Block(RED, (20, 20), frames=range(5, 30)))
    result = _track(_request(make_video(tmp_path / "flicker.mkv", blocks)))
    assert [(track.number, track.first_frame) for track in result.tracks] == [(1, 5)]


@pytest.mark.parametrize("frame_count", [1, 2, 3])
def test_a_video_of_few_frames_shows_who_was_in_it(tmp_path: Path, frame_count: int) -> None:
    video = make_video(tmp_path / "short.mkv", (Block(RED, (20, 20)), Block(GREEN, (200, 90))), frame_count=frame_count)
    result = _track(_request(video))
    assert [track.point_count for track in result.tracks] == [frame_count, frame_count]
    assert all(track.embedding is not None and track.crop_jpeg for track in result.tracks)


def test_people_and_vehicles_share_the_numbers_but_no_track(tmp_path: Path) -> None:
    blocks = (
        Block(RED, (50, 50), step=(0, 0), frames=range(12)),
        Block(BLUE, (50, 50), step=(0, 0), frames=range(12, 30)),
        Block(GREEN, (200, 50), step=(0, 0), frames=range(6, 30)),
    )
    result = _track(_request(make_video(tmp_path / "kinds.mkv", blocks)))
    spans = [(track.number, track.class_name, track.first_frame, track.last_frame) for track in result.tracks]
    assert spans == [(1, "person", 0, 11), (2, "person", 6, 29), (3, "car", 12, 29)]


def test_the_network_sees_a_few_crops_of_each_track(tmp_path: Path) -> None:
    blocks = (Block(RED, (10, 30)), Block(GREEN, (280, 150), step=(-2, 0)))
    embedder = ColourEmbedder()
    result = _track(replace(_request(make_video(tmp_path / "two.mkv", blocks)), embedder=embedder, crops_per_track=3))
    assert result.detected_boxes == 60
    assert result.embedded_boxes == len(embedder.crop_shapes)
    assert 2 * 2 <= result.embedded_boxes <= 2 * 3
    assert {"describe", "embed"} <= set(result.stage_seconds)
    for track, colour in zip(result.tracks, (RED, GREEN), strict=True):
        wanted = np.array(colour) / np.linalg.norm(colour)
        assert track.embedding is not None
        assert track.embedding @ wanted > 0.99


def test_the_network_sees_every_box_where_that_is_wanted(tmp_path: Path) -> None:
    video = make_video(tmp_path / "one.mkv", (Block(RED, (10, 30)),))
    result = _track(replace(_request(video), embed="every_box"))
    assert (result.embedded_boxes, result.detected_boxes) == (30, 30)
    (track,) = result.tracks
    assert track.embedding is not None


def test_without_a_descriptor_the_embedder_sees_every_box(tmp_path: Path) -> None:
    video = make_video(tmp_path / "one.mkv", (Block(RED, (10, 30)),))
    embedder = HsvStripes()
    result = _track(replace(_request(video), embedder=embedder, descriptor=None))
    assert result.embedded_boxes == 30
    embedding = result.tracks[0].embedding
    assert embedding is not None
    assert embedding.shape == (embedder.dimension,)


class _Counting(ColourEmbedder):
    calls = 0

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        self.calls += 1
        return super().embed(crops_bgr)


def test_crops_go_to_the_network_in_batches(tmp_path: Path) -> None:
    """Three walkers, one after the other, a crop each."""
    blocks = [Block(RED, (10, 20), frames=range(0, 12)), Block(GREEN, (90, 20), frames=range(15, 27))]
    blocks.append(Block(RED, (200, 20), frames=range(28, 40)))
    request = replace(_request(make_video(tmp_path / "three.mkv", blocks, frame_count=40)), crops_per_track=1)
    for crops, calls in ((1000, 1), (2, 2), (1, 3)):
        embedder = _Counting()
        result = _track(replace(request, embedder=embedder, batch=BatchLimits(crops=crops)))
        assert (len(result.tracks), embedder.calls, result.embedded_boxes) == (3, calls, 3)


def test_a_ghost_is_not_embedded(tmp_path: Path) -> None:
    blocks = (Block(GREEN, (200, 100), frames=range(2)), Block(RED, (20, 20), frames=range(5, 30)))
    embedder = ColourEmbedder()
    request = replace(_request(make_video(tmp_path / "flicker.mkv", blocks)), embedder=embedder, crops_per_track=1)
    (track,) = _track(request).tracks
    assert len(embedder.crop_shapes) == 1
    assert track.embedding is not None
    assert track.embedding @ (np.array(RED) / np.linalg.norm(RED)) > 0.99


def test_every_piece_of_a_track_is_embedded_at_least_once(tmp_path: Path) -> None:
    """Another tracker may take the pieces apart; each has a vector of its own then."""
    video = make_video(tmp_path / "gaps.mkv", _walker(*range(8, 13), *range(20, 25)))
    request = replace(_request(video), crops_per_track=1, detections=tmp_path / "detections.npz")
    assert len(_track(request).tracks) == 1
    assert DetectionTable(tmp_path / "detections.npz").embedded_rows.size == 3


class _Alike(ColourEmbedder):
    """Sees no difference between anybody."""

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        return np.full((len(crops_bgr), 3), 3**-0.5, np.float32)


MEASURED = DistanceScale(usual_same=0.02, spread_same=0.02, usual_other=0.3, spread_other=0.1)


def test_a_network_whose_distances_are_known_tells_who_is_who(tmp_path: Path) -> None:
    """A red walker goes behind something, a green one comes out."""
    blocks = (Block(RED, (10, 30), frames=range(12)), Block(GREEN, (10, 30), frames=range(18, 30)))
    unsure = replace(_request(make_video(tmp_path / "swap.mkv", blocks)), descriptor=_Alike())
    assert len(_track(unsure).tracks) == 1, "its vectors are not asked"
    network = ColourEmbedder(ModelInfo("colour", distances=MEASURED))
    sure = replace(unsure, embedder=network, detections=tmp_path / "detections.npz", playback=tmp_path / "playback.mp4")
    result = _track(sure)
    assert [(track.first_frame, track.last_frame) for track in result.tracks] == [(0, 11), (18, 29)]
    assert result.embedded_boxes == len(network.crop_shapes) <= 2 * 4
    again = retrack(tmp_path / "detections.npz", tmp_path / "playback.mp4", TrackingOptions(), on_progress=print)
    np.testing.assert_array_equal(again.points.track_numbers, result.points.track_numbers)
    for mine, theirs in zip(again.tracks, result.tracks, strict=True):
        np.testing.assert_array_equal(mine.embedding, theirs.embedding)


def test_a_network_that_separates_no_better_than_the_descriptors_has_no_say() -> None:
    colours = DistanceScale(usual_same=0.11, spread_same=0.05, usual_other=0.34, spread_other=0.09)
    weak = DistanceScale(usual_same=0.13, spread_same=0.09, usual_other=0.6, spread_other=0.23)
    assert Appearances.of(0.13, colours, weak).network is None
    assert Appearances.of(0.13, colours, MEASURED).network is not None
    assert Appearances.of(0.13, colours, None).network is None


def test_distances_of_people_say_nothing_of_vehicles(tmp_path: Path) -> None:
    blocks = (Block(BLUE, (10, 30), frames=range(12)), Block(YELLOW, (10, 30), frames=range(18, 30)))
    network = ColourEmbedder(ModelInfo("colour", distances=MEASURED))
    request = replace(_request(make_video(tmp_path / "bus.mkv", blocks)), descriptor=_Alike(), embedder=network)
    assert len(_track(request).tracks) == 1


def test_descriptors_that_spread_more_are_compared_on_their_own_scale(tmp_path: Path) -> None:
    """Twice as far apart, one person is still one."""
    video = make_video(tmp_path / "gap.mkv", _walker(*range(12, 20)))
    for distances in (None, MEASURED):
        descriptor = ColourEmbedder(ModelInfo("colour", distances=distances))
        assert len(_track(replace(_request(video), descriptor=descriptor)).tracks) == 1


def test_a_stop_is_obeyed_between_batches_of_crops(tmp_path: Path) -> None:
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if len([one for one in seen if one.frames_done == 30]) == 2:  # after the last frame, and after the first batch
            raise JobCancelled

    blocks = (Block(RED, (10, 30)), Block(GREEN, (280, 150), step=(-2, 0)))
    embedder = _Counting()
    request = replace(_request(make_video(tmp_path / "two.mkv", blocks)), embedder=embedder, crops_per_track=1)
    with pytest.raises(JobCancelled):
        track_video(replace(request, batch=BatchLimits(crops=1)), on_progress=stop)
    assert embedder.calls == 1


@pytest.mark.parametrize("stride", [2, 3, 7])
def test_frames_between_analysed_ones_get_boxes_on_the_way(tmp_path: Path, stride: int) -> None:
    block = Block(RED, (10, 30))
    video = make_video(tmp_path / "one.mkv", (block,), frame_count=43)
    detector = BlockDetector()
    playback = tmp_path / "playback.mp4"
    request = replace(_request(video), detector=detector, stride_at=lambda rate: stride, playback=playback)
    result = _track(request)
    assert detector.frames_seen == result.detected_boxes == len(range(0, 43, stride))
    assert (result.frame_count, len(result.points.frame_pts_s)) == (43, 43)
    (track,) = result.tracks
    assert (track.first_frame, track.last_frame) == (0, 42 // stride * stride)
    assert result.points.frames.tolist() == list(range(track.last_frame + 1)), "one box in every frame"
    truth = np.array([block.box(frame) for frame in range(track.last_frame + 1)])
    assert np.abs(result.points.boxes_xyxy - truth).max() < 4
    with open_video(playback) as reader:
        pictures = [frame.image_bgr for frame in reader]
    assert len(pictures) == 43, "frames that are not analysed are in the copy all the same"
    for frame, box in zip(result.points.frames[::5], result.points.boxes_xyxy[::5], strict=True):
        assert np.abs(np.array(middle_colour(pictures[frame], box.tolist())) - RED).max() < 40


def test_a_stride_longer_than_the_video_leaves_its_first_frame(tmp_path: Path) -> None:
    video = make_video(tmp_path / "one.mkv", (Block(RED, (10, 30)),), frame_count=5)
    online = TrackingOptions(mode="online")
    result = _track(replace(_request(video), stride_at=lambda rate: 50, tracking=online))
    assert (result.frame_count, result.detected_boxes, result.tracks) == (5, 1, ())


def test_true_times_place_the_boxes_between(tmp_path: Path) -> None:
    """The middle frame comes late: a box in the middle of the way would be wrong."""
    times_ms = [round(100 * (k + (0.4 if k % 2 else 0))) for k in range(20)]
    video = make_video(tmp_path / "vfr.mkv", (Block(RED, (10, 30), step=(0, 0)),), frame_count=20, times_ms=times_ms)
    result = _track(replace(_request(video), stride_at=lambda rate: 2))
    np.testing.assert_allclose(result.points.frame_pts_s, np.array(times_ms) / 1000, atol=1e-6)
    assert [(track.first_frame, track.last_frame) for track in result.tracks] == [(0, 18)]

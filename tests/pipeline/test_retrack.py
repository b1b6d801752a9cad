"""Tracking again from the stored detections, and drawing later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from deep_sort.tracker import TrackerOptions
from errors import AttemptStopped, JobCancelled
from model.hsv_stripes import HsvStripes
from pipeline.detections import DetectionTable
from pipeline.render import track_labels
from pipeline.retrack import retrack
from pipeline.run import TrackingResult, TrackRequest, render_annotated, track_video
from pipeline.tracking import TRACKERS, TrackingOptions
from records import Detections, Image, Progress
from tests.pipeline.scripted import BLUE, GREEN, RED, Block, BlockDetector, ColourEmbedder, make_video, source_of
from video.decode import open_video

_BLOCKS = (
    Block(RED, (10, 30)),
    Block(GREEN, (280, 150), step=(-2, 0), frames=range(3, 27)),
    Block(BLUE, (100, 190), step=(1, 0)),
)


def _request(video: Path, mode: str) -> TrackRequest:
    return TrackRequest(
        source=source_of(video),
        detector=BlockDetector(),
        embedder=ColourEmbedder(),
        descriptor=HsvStripes(),
        tracking=TrackingOptions(mode=mode),
        playback=video.with_name("playback.mp4"),
        detections=video.with_name("detections.npz"),
    )


def _quietly(progress: Progress) -> None:
    pass


def _again(video: Path, options: TrackingOptions) -> TrackingResult:
    return retrack(video.with_name("detections.npz"), video.with_name("playback.mp4"), options, on_progress=_quietly)


def _assert_same(again: TrackingResult, first: TrackingResult) -> None:
    for name in ("frame_pts_s", "frames", "track_numbers", "boxes_xyxy", "scores"):
        np.testing.assert_array_equal(getattr(again.points, name), getattr(first.points, name), name)
    for mine, theirs in zip(again.tracks, first.tracks, strict=True):
        assert _facts(mine) == _facts(theirs)
        np.testing.assert_array_equal(mine.embedding, theirs.embedding)


def _facts(track: object) -> dict[str, object]:
    return {
        name: value
        for name, value in vars(track).items()
        if name not in ("embedding", "crop_jpeg", "crop_frame", "more_crops")
    }


@pytest.mark.parametrize("mode", TRACKERS)
@pytest.mark.parametrize("stride", [1, 2])
def test_the_same_options_give_the_same_tracks(tmp_path: Path, mode: str, stride: int) -> None:
    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    first = track_video(replace(_request(video, mode), stride_at=lambda rate: stride), on_progress=_quietly)
    assert len(first.tracks) == 3
    again = _again(video, TrackingOptions(mode=mode))
    _assert_same(again, first)
    assert (again.frame_count, again.facts, again.detector) == (30, first.facts, first.detector)
    assert (again.detected_boxes, again.embedded_boxes) == (first.detected_boxes, first.embedded_boxes)


def test_a_run_repeats_itself(tmp_path: Path) -> None:
    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    first, second = (track_video(_request(video, "recorded"), on_progress=_quietly) for _ in range(2))
    _assert_same(second, first)
    assert [track.crop_jpeg for track in second.tracks] == [track.crop_jpeg for track in first.tracks]


def test_other_options_give_other_tracks(tmp_path: Path) -> None:
    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    track_video(_request(video, "recorded"), on_progress=_quietly)
    patient = TrackingOptions(mode="deepsort", deepsort=TrackerOptions(n_init=8))
    assert {track.first_frame for track in _again(video, patient).tracks} == {7, 10}


def test_crops_are_cut_from_the_copy(tmp_path: Path) -> None:
    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    track_video(_request(video, "recorded"), on_progress=_quietly)
    colours = {}
    for track in _again(video, TrackingOptions()).tracks:
        crop = cv2.imdecode(np.frombuffer(track.crop_jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert crop is not None
        assert track.first_frame <= track.crop_frame <= track.last_frame
        colours[track.number] = np.median(crop.reshape(-1, 3), axis=0)
    for number, colour in ((1, RED), (2, BLUE), (3, GREEN)):
        assert np.abs(colours[number] - colour).max() < 40, f"track {number} shows its own block"


def test_a_video_without_people_can_be_tracked_again(tmp_path: Path) -> None:
    video = make_video(tmp_path / "empty.mkv", ())
    _assert_same(_again_after(video), track_video(_request(video, "recorded"), on_progress=_quietly))


def _again_after(video: Path) -> TrackingResult:
    track_video(_request(video, "recorded"), on_progress=_quietly)
    return _again(video, TrackingOptions())


def test_what_the_first_tracker_took_for_a_ghost_has_no_embedding_of_the_network(tmp_path: Path) -> None:
    blocks = (Block(GREEN, (200, 100), frames=range(2)), Block(RED, (20, 20), frames=range(5, 30)))
    video = make_video(tmp_path / "flicker.mkv", blocks)
    assert len(track_video(_request(video, "recorded"), on_progress=_quietly).tracks) == 1
    ghost, walker = _again(video, TrackingOptions(mode="online")).tracks
    assert ghost.embedding is None
    assert walker.embedding is not None
    assert walker.embedding.shape == (3,)


def test_five_hundred_boxes_in_a_frame_come_back(tmp_path: Path) -> None:
    video = make_video(tmp_path / "crowd.mkv", (), frame_count=4)
    left, top = np.meshgrid(np.arange(25) * 12.0, np.arange(20) * 11.0)
    corner = np.stack([left.ravel(), top.ravel()], axis=1)
    crowd = Detections(
        np.concatenate([corner, corner + np.float64(10)], axis=1).astype(np.float32),
        np.full(500, 0.9, np.float32),
        np.zeros(500, np.int64),
    )
    request = replace(_request(video, "online"), detector=BlockDetector(ghost=lambda index: crowd))
    first = track_video(request, on_progress=_quietly)
    assert len(first.tracks) == 500
    _assert_same(_again(video, TrackingOptions(mode="online")), first)


def test_a_stop_is_obeyed_while_tracking_again(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.frames_done == 5:
            raise JobCancelled

    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    track_video(_request(video, "recorded"), on_progress=_quietly)
    with pytest.raises(AttemptStopped):
        retrack(video.with_name("detections.npz"), video.with_name("playback.mp4"), TrackingOptions(), on_progress=stop)


def test_drawing_later_shows_what_drawing_at_once_shows(tmp_path: Path) -> None:
    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    request = replace(_request(video, "recorded"), annotated=tmp_path / "at_once.mp4")
    result = track_video(request, on_progress=_quietly)
    seconds = render_annotated(
        request.source, result.points, track_labels(result.tracks), tmp_path / "later.mp4", on_progress=_quietly
    )
    assert set(seconds) == {"decode", "draw", "encode"}
    for mine, theirs in zip(_pictures(tmp_path / "later.mp4"), _pictures(tmp_path / "at_once.mp4"), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_stop_while_drawing_leaves_no_file(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.frames_done == 5:
            raise JobCancelled

    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    result = track_video(_request(video, "recorded"), on_progress=_quietly)
    labels = track_labels(result.tracks)
    with pytest.raises(AttemptStopped):
        render_annotated(source_of(video), result.points, labels, tmp_path / "later.mp4", on_progress=stop)
    assert not (tmp_path / "later.mp4").exists()


def test_the_table_holds_every_box_that_was_detected(tmp_path: Path) -> None:
    video = make_video(tmp_path / "three.mkv", _BLOCKS)
    result = track_video(_request(video, "recorded"), on_progress=_quietly)
    table = DetectionTable(video.with_name("detections.npz"))
    assert len(table) == result.detected_boxes == 84
    assert len(table.embedded_rows) == result.embedded_boxes
    assert result.embedded_boxes <= 3 * 4


def _pictures(path: Path) -> list[Image]:
    with open_video(path) as reader:
        return [frame.image_bgr for frame in reader]

"""The whole job on small real videos, with stand-ins for the networks alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deep_sort.tracker import TrackerOptions
from errors import AttemptStopped, JobCancelled, MediaError
from pipeline.analyse import BatchLimits
from pipeline.run import TrackingResult, TrackRequest, track_video
from pipeline.tracking import TrackingOptions
from points import PointTable
from records import Detections, Frame, Kind, MediaFacts, Progress
from tests.pipeline.scripted import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    Block,
    BlockDetector,
    ColourEmbedder,
    make_video,
    source_of,
)
from video.decode import VideoReader, open_video

_OPTIONS = TrackerOptions(max_cosine_distance=0.1, n_init=3, max_age=10)
_TWO_PEOPLE = (Block(RED, (10, 30)), Block(GREEN, (280, 150), step=(-2, 0)))


def _request(video: Path, folder: Path | None = None) -> TrackRequest:
    return TrackRequest(
        source=source_of(video),
        name=video.name,
        detector=BlockDetector(),
        embedder=ColourEmbedder(),
        tracking=TrackingOptions(mode="deepsort", deepsort=_OPTIONS),
        playback=folder / "playback.mp4" if folder else None,
        annotated=folder / "annotated.mp4" if folder else None,
    )


def _track(request: TrackRequest) -> TrackingResult:
    return track_video(request, on_progress=lambda progress: None)


def _pictures(path: Path) -> list[Frame]:
    with open_video(path) as reader:
        return list(reader)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_two_people_keep_their_numbers_and_are_drawn(tmp_path: Path, out: Path) -> None:
    result = _track(_request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE), out))
    assert result.frame_count == 30
    assert [track.number for track in result.tracks] == [1, 2]
    for track in result.tracks:
        assert (track.kind, track.class_name) == (Kind.PERSON, "person")
        assert (track.first_frame, track.last_frame, track.point_count) == (2, 29, 28)
        assert track.mean_score == pytest.approx(0.9)
        assert track.embedding is not None
        assert np.linalg.norm(track.embedding) == pytest.approx(1, abs=1e-5)
        assert track.crop_jpeg.startswith(b"\xff\xd8")
        assert track.first_frame <= track.crop_frame <= track.last_frame
    rows = result.points.track_numbers == 1
    truth = np.array([_TWO_PEOPLE[0].box(int(frame)) for frame in result.points.frames[rows]])
    assert np.abs(result.points.boxes_xyxy[rows] - truth).max() < 6

    playback, annotated = _pictures(out / "playback.mp4"), _pictures(out / "annotated.mp4")
    assert len(playback) == len(annotated) == 30
    assert result.playback_frame_rate == 10
    change = [np.abs(a.image_bgr.astype(int) - b.image_bgr).mean() for a, b in zip(playback, annotated, strict=True)]
    assert max(change[:2]) < 0.2, "before the tracks are confirmed nothing is drawn"
    assert min(change[2:]) > 0.5
    assert sorted(path.name for path in out.iterdir()) == ["annotated.mp4", "playback.mp4"]


def test_each_stage_is_measured_and_the_models_are_named(tmp_path: Path, out: Path) -> None:
    result = _track(_request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE), out))
    assert set(result.stage_seconds) == {"decode", "detect", "embed", "track", "draw", "encode"}
    assert min(result.stage_seconds.values()) > 0
    assert (result.detector.name, result.embedder.name) == ("blocks", "colour")


def test_people_and_vehicles_share_the_numbers_but_no_track(tmp_path: Path) -> None:
    """A car stands where a person stood: the box goes on, the track does not."""
    blocks = (
        Block(RED, (50, 50), step=(0, 0), frames=range(12)),
        Block(BLUE, (50, 50), step=(0, 0), frames=range(12, 30)),
        Block(YELLOW, (200, 50), step=(0, 0), frames=range(6, 30)),
    )
    result = _track(_request(make_video(tmp_path / "kinds.mkv", blocks)))
    assert [(track.number, track.class_name) for track in result.tracks] == [(1, "person"), (2, "bus"), (3, "car")]
    assert [track.kind for track in result.tracks] == [Kind.PERSON, Kind.VEHICLE, Kind.VEHICLE]
    assert (result.tracks[0].last_frame, result.tracks[2].first_frame) == (11, 14)


def test_a_video_without_people_gives_valid_outputs(tmp_path: Path, out: Path) -> None:
    result = _track(_request(make_video(tmp_path / "empty.mkv", ()), out))
    assert result.tracks == ()
    assert len(result.points) == 0
    assert len(result.points.frame_pts_s) == 30
    assert len(_pictures(out / "annotated.mp4")) == 30
    result.points.save(out / "points.npz")
    assert len(PointTable.load(out / "points.npz").frame_pts_s) == 30


def test_a_video_of_one_frame_gives_valid_outputs(tmp_path: Path, out: Path) -> None:
    request = _request(make_video(tmp_path / "one.mkv", _TWO_PEOPLE, frame_count=1), out)
    result = _track(replace(request, tracking=TrackingOptions(mode="deepsort", deepsort=TrackerOptions(n_init=1))))
    assert result.frame_count == 1
    assert result.points.frame_pts_s.tolist() == [0.0]
    assert [track.number for track in result.tracks] == [1, 2]
    assert len(_pictures(out / "playback.mp4")) == 1
    assert len(_pictures(out / "annotated.mp4")) == 1


def test_odd_sizes_are_tracked_in_their_own_pixels(tmp_path: Path, out: Path) -> None:
    video = make_video(tmp_path / "odd.mkv", _TWO_PEOPLE, width=321, height=243)
    result = _track(_request(video, out))
    assert (result.facts.width, result.facts.height) == (321, 243)
    assert len(result.tracks) == 2
    height, width = _pictures(out / "annotated.mp4")[0].image_bgr.shape[:2]
    assert (height % 2, width % 2) == (0, 0)


def test_true_times_survive_a_variable_frame_rate(tmp_path: Path, out: Path) -> None:
    times_ms = [0, 40, 80, 500, 540, 1000, 1040, 1900, 2000, 3000]
    video = make_video(tmp_path / "vfr.mkv", _TWO_PEOPLE, frame_count=10, times_ms=times_ms)
    result = _track(_request(video, out))
    np.testing.assert_allclose(result.points.frame_pts_s, np.array(times_ms) / 1000, atol=1e-6)
    assert result.tracks[0].first_s == pytest.approx(0.08)
    assert result.tracks[0].last_s == pytest.approx(3.0)
    annotated = _pictures(out / "annotated.mp4")
    assert len(annotated) == pytest.approx(3.0 * result.playback_frame_rate, abs=result.playback_frame_rate / 2)


def test_frames_without_boxes_age_the_tracks(tmp_path: Path) -> None:
    blocks = (
        Block(RED, (50, 50), step=(0, 0), frames=range(10)),
        Block(RED, (50, 50), step=(0, 0), frames=range(15, 20)),
        Block(RED, (50, 50), step=(0, 0), frames=range(35, 45)),
    )
    result = _track(_request(make_video(tmp_path / "gaps.mkv", blocks, frame_count=45)))
    spans = [(track.number, track.first_frame, track.last_frame) for track in result.tracks]
    assert spans == [(1, 2, 19), (2, 37, 44)], "5 empty frames are survived, 15 are more than max_age"
    assert not np.isin(result.points.frames, np.arange(20, 37)).any(), "coasting boxes are no output"


def test_a_flicker_takes_no_number(tmp_path: Path) -> None:
    blocks = (Block(GREEN, (200, 100), frames=range(2)), Block(RED, (20, 20), frames=range(5, 30)))
    result = _track(_request(make_video(tmp_path / "flicker.mkv", blocks)))
    assert [track.number for track in result.tracks] == [1]
    assert result.tracks[0].first_frame == 7


def test_boxes_too_small_to_recognise_are_not_embedded(tmp_path: Path) -> None:
    video = make_video(tmp_path / "tiny.mkv", (Block(RED, (20, 20)), Block(GREEN, (100, 100), size=(3, 3))))
    embedder = ColourEmbedder()
    result = _track(replace(_request(video), embedder=embedder))
    assert len(result.tracks) == 1
    assert len(embedder.crop_shapes) == 30
    assert min(shape[0] for shape in embedder.crop_shapes) > 40


def test_boxes_over_the_border_are_clipped(tmp_path: Path) -> None:
    video = make_video(tmp_path / "still.mkv", ())
    over = Detections(
        np.array([[-50, -50, 60, 90], [400, 50, 500, 90]], np.float32), np.ones(2, np.float32), np.zeros(2, np.int64)
    )
    request = replace(_request(video), detector=BlockDetector(ghost=lambda index: over))
    result = _track(request)
    assert [track.number for track in result.tracks] == [1], "a box outside the picture is nothing"
    assert result.points.boxes_xyxy.min() >= 0


@pytest.mark.parametrize("size", [1, 7, 30, 64])
def test_the_batch_size_does_not_change_the_result(tmp_path: Path, size: int) -> None:
    video = make_video(tmp_path / "two.mkv", _TWO_PEOPLE)
    expected = _track(_request(video))
    detector = BlockDetector()
    result = _track(replace(_request(video), detector=detector, batch=BatchLimits(max_frames=size)))
    assert max(detector.batch_sizes) == min(size, 30)
    assert sum(detector.batch_sizes) == 30
    np.testing.assert_array_equal(result.points.boxes_xyxy, expected.points.boxes_xyxy)
    np.testing.assert_array_equal(result.points.track_numbers, expected.points.track_numbers)


def test_large_pictures_make_smaller_batches(tmp_path: Path) -> None:
    detector = BlockDetector()
    picture_bytes = 320 * 240 * 3
    limits = BatchLimits(max_frames=8, max_bytes=2 * picture_bytes)
    _track(replace(_request(make_video(tmp_path / "a.mkv", ())), detector=detector, batch=limits))
    assert set(detector.batch_sizes) == {2}
    detector = BlockDetector()
    limits = BatchLimits(max_frames=8, max_bytes=1)
    _track(replace(_request(make_video(tmp_path / "b.mkv", ())), detector=detector, batch=limits))
    assert set(detector.batch_sizes) == {1}


def test_no_more_than_max_frames_are_read(tmp_path: Path, out: Path) -> None:
    seen: list[Progress] = []
    request = replace(_request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE), out), max_frames=12)
    result = track_video(request, on_progress=seen.append)
    assert result.frame_count == 12
    assert len(_pictures(out / "playback.mp4")) == len(_pictures(out / "annotated.mp4")) == 12
    assert {progress.frames_total for progress in seen} == {12}


def test_max_frames_of_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="max_frames is 0"):
        replace(_request(tmp_path / "any.mkv"), max_frames=0)


def test_progress_is_told_at_every_frame_of_both_passes(tmp_path: Path, out: Path) -> None:
    seen: list[Progress] = []
    track_video(_request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE), out), on_progress=seen.append)
    for stage in ("analyse", "render"):
        assert [progress.frames_done for progress in seen if progress.stage == stage] == list(range(31))
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert seen[-1].eta_s == pytest.approx(0.0)


def test_without_an_annotated_copy_there_is_one_pass(tmp_path: Path) -> None:
    seen: list[Progress] = []
    track_video(_request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE)), on_progress=seen.append)
    assert {progress.stage for progress in seen} == {"analyse"}
    assert seen[-1].fraction == pytest.approx(1.0)


@pytest.mark.parametrize(("stage", "frame"), [("analyse", 0), ("analyse", 17), ("render", 0), ("render", 17)])
def test_a_stop_closes_everything_and_leaves_no_file(tmp_path: Path, out: Path, stage: str, frame: int) -> None:
    def stop(progress: Progress) -> None:
        if (progress.stage, progress.frames_done) == (stage, frame):
            raise JobCancelled

    threads = set(threading.enumerate())
    with pytest.raises(AttemptStopped):
        track_video(_request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE), out), on_progress=stop)
    assert list(out.iterdir()) == []
    assert set(threading.enumerate()) <= threads


def test_a_stop_leaves_an_earlier_output_alone(tmp_path: Path, out: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "render":
            raise JobCancelled

    (out / "annotated.mp4").write_bytes(b"earlier")
    with pytest.raises(JobCancelled):
        track_video(_request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE), out), on_progress=stop)
    assert (out / "annotated.mp4").read_bytes() == b"earlier"


def test_a_failing_detector_leaves_no_file(tmp_path: Path, out: Path) -> None:
    def fail(index: int) -> None:
        if index == 20:
            raise MemoryError

    request = _request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE), out)
    with pytest.raises(MemoryError):
        _track(replace(request, detector=BlockDetector(ghost=fail)))
    assert list(out.iterdir()) == []


def test_a_source_without_a_frame_is_refused(out: Path) -> None:
    class Nothing:
        facts = MediaFacts("none", "none", "bgr24", 64, 48, 0.0, 10.0, None, 1.0, 0, 0)

        def __iter__(self) -> Iterator[Frame]:
            return iter(())

    @contextmanager
    def nothing() -> Iterator[VideoReader]:
        yield Nothing()

    with pytest.raises(MediaError) as caught:
        _track(replace(_request(Path("none.mkv"), out), source=nothing))
    assert caught.value.code == "media.truncated"
    assert "none.mkv" in str(caught.value)
    assert list(out.iterdir()) == []


def test_a_watcher_sees_every_frame_with_its_tracks(tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []
    request = replace(
        _request(make_video(tmp_path / "two.mkv", _TWO_PEOPLE)),
        watch=lambda seen: counts.append((seen.frame.index, len(seen.tracks.track_numbers))),
    )
    _track(request)
    assert counts == [(index, 0 if index < 2 else 2) for index in range(30)]

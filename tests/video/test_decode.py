"""Frames come out whole, upright, in order, with their own times."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import MediaError
from records import Frame, MediaFacts
from tests.make_videos import (
    CODECS,
    damage,
    make_audio,
    make_empty,
    make_truncated,
    make_video,
    read_index,
    scene,
    set_display_matrix,
)
from video.decode import open_camera, open_pictures, open_video


def read_all(path: Path) -> tuple[MediaFacts, list[Frame]]:
    with open_video(path) as reader:
        return reader.facts, list(reader)


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_gives_each_frame_once_with_its_time(tmp_path: Path, codec: str) -> None:
    facts, frames = read_all(make_video(tmp_path / "video.bin", codec=codec, frame_count=30))
    assert [read_index(frame.image_bgr) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.pts_s for frame in frames], np.arange(30) / 25, atol=0.0011)
    assert (facts.width, facts.height, facts.rotation_deg, facts.sample_aspect) == (192, 128, 0, 1.0)
    assert facts.duration_s == pytest.approx(1.2, abs=0.08)
    assert facts.frame_rate == pytest.approx(25)
    assert facts.size_bytes == (tmp_path / "video.bin").stat().st_size


@pytest.mark.parametrize("codec", ["h264", "vp9", "h264_10bit", "mjpeg", "ffv1"])
def test_colours_are_those_that_went_in(tmp_path: Path, codec: str) -> None:
    _, frames = read_all(make_video(tmp_path / "video.bin", codec=codec, width=320, height=240, frame_count=3))
    difference = np.abs(frames[2].image_bgr.astype(int) - scene(2, 320, 240))
    assert np.median(difference) <= 3
    assert difference.mean() < 8


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_variable_frame_rate_is_kept_to_the_millisecond(tmp_path: Path, container: str) -> None:
    times_ms = [0, 40, 80, 500, 510, 1500, 1501, 4000]
    _, frames = read_all(make_video(tmp_path / "v", times_ms=times_ms, container=container))
    np.testing.assert_allclose([frame.pts_s * 1000 for frame in frames], times_ms, atol=0.6)
    assert [read_index(frame.image_bgr) for frame in frames] == list(range(8))


def test_times_start_at_zero_where_the_file_starts_late(tmp_path: Path) -> None:
    _, frames = read_all(make_video(tmp_path / "v.mkv", times_ms=[5000, 5040, 5080], container="matroska"))
    np.testing.assert_allclose([frame.pts_s for frame in frames], [0, 0.04, 0.08], atol=1e-6)


@pytest.mark.parametrize("turn_deg", [90, 180, 270])
def test_rotated_video_comes_out_upright(tmp_path: Path, turn_deg: int) -> None:
    facts, frames = read_all(make_video(tmp_path / "v.mp4", turn_deg=turn_deg))
    assert facts.rotation_deg == turn_deg
    assert (facts.width, facts.height) == (192, 128)
    assert frames[0].image_bgr.shape == (128, 192, 3)
    assert frames[0].image_bgr.flags.c_contiguous
    assert [read_index(frame.image_bgr) for frame in frames] == list(range(20))


def test_mirrored_video_comes_out_mirrored_back(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4")
    _, plain = read_all(path)
    set_display_matrix(path, (-1, 0, 0, 1))
    _, mirrored = read_all(path)
    np.testing.assert_array_equal(mirrored[3].image_bgr, plain[3].image_bgr[:, ::-1])


def test_pixel_shape_is_reported_and_not_applied(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mov", sample_aspect=Fraction(16, 11), container="mov")
    facts, frames = read_all(path)
    assert facts.sample_aspect == pytest.approx(16 / 11)
    assert frames[0].image_bgr.shape == (128, 192, 3)


def test_pixel_shape_turns_with_the_picture(tmp_path: Path) -> None:
    facts, _ = read_all(make_video(tmp_path / "v.mp4", sample_aspect=Fraction(4, 3), turn_deg=90))
    assert facts.sample_aspect == pytest.approx(3 / 4)


@pytest.mark.parametrize(("width", "height"), [(161, 121), (33, 47), (2000, 34)])
def test_odd_sizes_keep_every_pixel(tmp_path: Path, width: int, height: int) -> None:
    _, frames = read_all(make_video(tmp_path / "v", codec="mjpeg", width=width, height=height, frame_count=3))
    assert [frame.image_bgr.shape for frame in frames] == [(height, width, 3)] * 3


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    facts, frames = read_all(make_video(tmp_path / "v.mp4", frame_count=1))
    assert [(frame.index, frame.pts_s) for frame in frames] == [(0, 0.0)]
    assert facts.duration_s > 0


def test_stops_after_the_frames_asked_for(tmp_path: Path) -> None:
    with open_video(make_video(tmp_path / "v.mp4"), max_frames=7) as reader:
        assert [frame.index for frame in reader] == list(range(7))


def test_a_reader_can_be_walked_through_once(tmp_path: Path) -> None:
    with open_video(make_video(tmp_path / "v.mp4")) as reader:
        list(reader)
        with pytest.raises(RuntimeError, match="once"):
            list(reader)


def test_a_changed_frame_size_is_scaled_to_the_first(tmp_path: Path) -> None:
    parts = [make_video(tmp_path / f"{w}.ts", codec="mpeg2ts", width=w, frame_count=9) for w in (192, 128)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    _, frames = read_all(path)
    assert {frame.image_bgr.shape for frame in frames} == {(128, 192, 3)}
    assert [read_index(frame.image_bgr) for frame in frames[-9:]] == list(range(9))


def test_pictures_that_grow_beyond_reason_in_the_middle_are_left_out(tmp_path: Path) -> None:
    small = make_video(tmp_path / "small.ts", codec="mpeg2ts", frame_count=9)
    large = make_video(tmp_path / "large.ts", codec="mpeg2ts", width=12000, height=4000, frame_count=1)
    path = tmp_path / "joined.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    _, frames = read_all(path)
    indices = [read_index(frame.image_bgr) for frame in frames]
    assert indices in (list(range(8)), list(range(9)))  # the decoder may still hold the last one when it fails


def test_times_go_on_rising_where_a_recorder_restarted_its_clock(tmp_path: Path) -> None:
    part = make_video(tmp_path / "part.ts", codec="mpeg2ts", frame_count=50)
    path = tmp_path / "joined.ts"
    path.write_bytes(part.read_bytes() * 2)
    _, frames = read_all(path)
    assert len(frames) == 100
    steps = np.diff([frame.pts_s for frame in frames])
    np.testing.assert_allclose(steps, 0.04, atol=0.002)


@pytest.mark.parametrize("codec", ["h264", "mjpeg", "mpeg2ts", "vp9"])
def test_damage_in_the_middle_is_passed_over(tmp_path: Path, codec: str) -> None:
    path = make_video(tmp_path / "v", codec=codec, width=320, height=240, frame_count=100)
    damage(path, start=0.45, stop=0.5)
    _, frames = read_all(path)
    assert len(frames) >= 80
    assert all(later.pts_s > earlier.pts_s for earlier, later in pairwise(frames))
    assert read_index(frames[-1].image_bgr) == 99
    assert frames[-1].pts_s == pytest.approx(99 / 25, abs=0.3)  # AVI keeps no times: lost frames shift it


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg", "mpeg2ts", "vp9"])
def test_a_cut_off_file_ends_early(tmp_path: Path, codec: str) -> None:
    _, frames = read_all(make_truncated(tmp_path / "v", codec=codec, keep=0.75))
    assert 20 <= len(frames) < 60
    assert [read_index(frame.image_bgr) for frame in frames[:-1]] == list(range(len(frames) - 1))


def test_a_file_that_is_mostly_damaged_is_said_to_be_so(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", width=320, height=240, frame_count=60, gop=1)
    damage(path, start=0.1, stop=0.95)
    data = bytearray(path.read_bytes())
    index = make_video(tmp_path / "whole.mp4", width=320, height=240, frame_count=60, gop=1).read_bytes()
    data[index.index(b"moov") - 4 :] = index[index.index(b"moov") - 4 :]  # the index itself is whole
    path.write_bytes(bytes(data))
    with pytest.raises(MediaError) as raised:
        read_all(path)
    assert raised.value.code == "media.decode_failed"
    assert raised.value.params["frame"] >= 2


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (make_empty, "media.empty"),
        (make_truncated, "media.truncated"),
        (make_audio, "media.no_video_stream"),
        (lambda path: path.with_name("nothing here"), "media.not_found"),
        (lambda path: path.parent, "media.not_found"),
    ],
)
def test_what_cannot_be_read_is_refused_on_opening(tmp_path: Path, make: object, code: str) -> None:
    path = make(tmp_path / "v.mp4")  # type: ignore[operator]
    with pytest.raises(MediaError) as raised, open_video(path, name="“x” 100 %.mp4"):
        pass
    assert raised.value.code == code
    assert str(raised.value)


def test_names_that_ffmpeg_would_take_for_protocols_are_plain_names(tmp_path: Path) -> None:
    for name in ("concat:a|b", "-", "v%03d.mp4", "file:x.mp4", "监控 😀.mp4", "http:x"):
        _, frames = read_all(make_video(tmp_path / "v.mp4").rename(tmp_path / name))
        assert len(frames) == 20


def test_pictures_are_read_in_natural_order(tmp_path: Path) -> None:
    for index in (0, 1, 2, 9, 10, 11, 100):
        cv2.imwrite(str(tmp_path / f"frame{index}.png"), scene(index, 192, 128))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"no picture")
    with open_pictures(tmp_path, 5.0) as reader:
        frames = list(reader)
        assert (reader.facts.frame_count, reader.facts.duration_s) == (7, pytest.approx(1.4))
    assert [read_index(frame.image_bgr) for frame in frames] == [0, 1, 2, 9, 10, 11, 100]
    np.testing.assert_allclose([frame.pts_s for frame in frames], np.arange(7) / 5)


def test_pictures_of_other_sizes_are_scaled_to_the_first(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), scene(1, 192, 128))
    cv2.imwrite(str(tmp_path / "2.png"), scene(2, 300, 300))
    with open_pictures(tmp_path, 5.0) as reader:
        assert [read_index(frame.image_bgr) for frame in reader] == [1, 2]


def test_a_folder_without_pictures_and_a_damaged_picture_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as raised, open_pictures(tmp_path, 5.0):
        pass
    assert raised.value.code == "media.no_pictures"
    cv2.imwrite(str(tmp_path / "1.png"), scene(1, 192, 128))
    (tmp_path / "2.png").write_bytes(b"")
    with open_pictures(tmp_path, 5.0) as reader, pytest.raises(MediaError, match=r"2\.png"):
        list(reader)


def test_a_camera_is_read_with_the_times_of_arrival(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.avi", codec="mjpeg")
    clock = iter([100.0, 100.0, 100.5, 100.5, 102.0]).__next__
    with open_camera(str(path), max_frames=4, clock=clock) as reader:
        frames = list(reader)
    assert [read_index(frame.image_bgr) for frame in frames] == [0, 1, 2, 3]
    times = [frame.pts_s for frame in frames]
    assert times[:2] == [0.0, 0.5]
    assert 0.5 < times[2] < 0.6
    assert times[3] == 2.0


def test_a_camera_that_is_not_there_is_named() -> None:
    with pytest.raises(MediaError) as raised, open_camera("/nowhere/camera"):
        pass
    assert raised.value.code == "media.camera_unavailable"

"""An upload is examined in a process of its own; what is wrong with it is said in a sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from errors import MediaError
from records import Image
from tests.make_videos import (
    CODECS,
    make_audio,
    make_empty,
    make_ffconcat,
    make_playlist,
    make_truncated,
    make_video,
    read_index,
    scene,
)
from video.decode import open_video
from video.poster import write_jpeg
from video.probe import Limits, probe, probe_isolated

LIMITS = Limits(max_pixels=7680 * 4320, max_duration_s=86400)
ROOT = Path(__file__).resolve().parent.parent.parent


def read_jpeg(path: Path) -> Image:
    with av.open(str(path), format="image2") as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="bgr24"), np.uint8)


@pytest.mark.parametrize("codec", CODECS)
def test_facts_are_those_of_the_reader(tmp_path: Path, codec: str) -> None:
    path = make_video(tmp_path / "v.bin", codec=codec)
    facts = probe(path, LIMITS, name="v")
    with open_video(path) as reader:
        assert reader.facts == facts
    assert (facts.width, facts.height) == (192, 128)


def test_the_isolated_answer_is_the_same_and_brings_a_poster(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", width=960, height=540, frame_count=100, gop=10)
    poster = tmp_path / "poster.jpg"
    facts = probe_isolated(path, LIMITS, name="“监控” 😀 100%", timeout_s=30, poster=poster)
    assert facts == probe(path, LIMITS, name="v")
    image = read_jpeg(poster)
    assert image.shape == (360, 640, 3)
    assert read_index(image) == 10  # a tenth into the video
    assert np.median(np.abs(image.astype(int)[60:] - scene(10, 640, 360)[60:])) < 6
    assert sorted(tmp_path.iterdir()) == [poster, path]


@pytest.mark.parametrize("turn_deg", [0, 90])
def test_the_poster_is_upright_with_square_pixels(tmp_path: Path, turn_deg: int) -> None:
    path = make_video(tmp_path / "v.mp4", turn_deg=turn_deg, sample_aspect=Fraction(2), frame_count=1)
    probe_isolated(path, LIMITS, name="v", timeout_s=30, poster=tmp_path / "p.jpg")
    image = read_jpeg(tmp_path / "p.jpg")
    assert image.shape == ((256, 192, 3) if turn_deg else (128, 384, 3))
    assert read_index(image) == 0


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_gets_a_poster(tmp_path: Path, codec: str) -> None:
    path = make_video(tmp_path / "v.bin", codec=codec, width=161 if codec in {"mjpeg", "ffv1"} else 192)
    probe_isolated(path, LIMITS, name="v", timeout_s=30, poster=tmp_path / "p.jpg")
    assert read_index(read_jpeg(tmp_path / "p.jpg")) <= 12


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (make_empty, "media.empty"),
        (make_truncated, "media.truncated"),
        (lambda path: make_truncated(path, keep=0.01, codec="vp9"), "media.truncated"),
        (make_audio, "media.no_video_stream"),
        (lambda path: make_audio(path, container="wav"), "media.no_video_stream"),
        (lambda path: make_playlist(path, path), "media.playlist"),
        (lambda path: make_ffconcat(path, path), "media.playlist"),
        (lambda path: path.with_name("absent"), "media.not_found"),
    ],
)
def test_errors_come_back_from_the_process_as_they_are(tmp_path: Path, make: Callable[[Path], Path], code: str) -> None:
    path = make(tmp_path / "v.mp4")
    before = set(tmp_path.iterdir())
    sentences = []
    for attempt in (
        lambda: probe(path, LIMITS, name="“x” 中.mp4"),
        lambda: probe_isolated(path, LIMITS, name="“x” 中.mp4", timeout_s=30, poster=tmp_path / "p.jpg"),
    ):
        with pytest.raises(MediaError) as raised:
            attempt()
        assert raised.value.code == code
        sentences.append(str(raised.value))
    assert sentences[0] == sentences[1]
    assert set(tmp_path.iterdir()) == before


def test_too_many_pixels_and_too_long_name_both_numbers(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frame_count=50)
    with pytest.raises(MediaError, match=r"192×128.*20000 pixels") as raised:
        probe_isolated(path, Limits(max_pixels=20_000, max_duration_s=10), name="v", timeout_s=30)
    assert raised.value.code == "media.too_many_pixels"
    with pytest.raises(MediaError, match="lasts 2 seconds; the limit is 1") as raised:
        probe_isolated(path, Limits(max_pixels=192 * 128, max_duration_s=1), name="v", timeout_s=30)
    assert raised.value.code == "media.too_long"
    assert probe(path, Limits(max_pixels=192 * 128, max_duration_s=2), name="v").duration_s == pytest.approx(2)


def test_a_process_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4")
    with pytest.raises(MediaError) as raised:
        probe_isolated(path, LIMITS, name="v", timeout_s=0.01, poster=tmp_path / "p.jpg")
    assert raised.value.code == "media.probe_timeout"
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_that_runs_out_of_memory_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", codec="mjpeg", width=4000, height=3000, frame_count=1)
    with pytest.raises(MediaError) as raised:
        probe_isolated(
            path, LIMITS, name="v", timeout_s=30, poster=tmp_path / "p.jpg", max_memory_bytes=20 * 1024 * 1024
        )
    assert raised.value.code in {"media.not_video", "media.truncated"}
    assert list(tmp_path.iterdir()) == [path]


def test_an_8k_picture_is_examined_within_the_limits(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", width=7680, height=4320, frame_count=2)
    facts = probe_isolated(path, LIMITS, name="v", timeout_s=60, poster=tmp_path / "p.jpg")
    assert (facts.width, facts.height) == (7680, 4320)
    assert read_jpeg(tmp_path / "p.jpg").shape == (360, 640, 3)


def test_a_bare_stream_without_any_times_has_a_length(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.h264", container="h264", frame_count=50)
    facts = probe(path, LIMITS, name="v")
    assert (facts.frame_count, facts.duration_s) == (50, pytest.approx(2.0))


def test_a_recording_without_a_length_in_its_head_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "live.webm"
    make_video(path, codec="vp9", times_ms=[0, 40, 80, 3000])
    data = path.read_bytes()
    at = data.index(b"\x44\x89")  # the Duration element; renamed to Void of the same length
    path.write_bytes(data[:at] + b"\xec\x89"[:1] + bytes([0x80 | 9]) + data[at + 2 :])
    facts = probe(path, LIMITS, name="v")
    assert facts.duration_s == pytest.approx(3.0, abs=0.1)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    """Music with a cover: Matroska keeps it as an attachment that FFmpeg shows as a video stream."""
    path = tmp_path / "music.mkv"
    write_jpeg(scene(0, 64, 64), tmp_path / "cover.jpg", max_side=64)
    with av.open(str(path), "w", format="matroska") as output:
        sound = output.add_stream("aac", rate=16000, layout="mono")
        attachment = output.add_attachment("cover.jpg", "image/jpeg", (tmp_path / "cover.jpg").read_bytes())
        assert attachment is not None
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16000
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    with pytest.raises(MediaError) as raised:
        probe(path, LIMITS, name="v")
    assert raised.value.code == "media.no_video_stream"


def test_importing_the_probe_loads_no_opencv() -> None:
    code = "import sys, video.probe; sys.exit(bool({'cv2', 'supervision', 'torch', 'paddle'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

"""What is written plays in a browser, and each of its frames is the right one."""

from __future__ import annotations

import errno
import re
import resource
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from records import MediaFacts
from tests.make_videos import make_video, read_index, scene
from video.decode import open_video
from video.encode import VideoWriter, output_size, playback_frame_rate

RATE = Fraction(25)


def facts(frame_rate: float) -> MediaFacts:
    return MediaFacts("mp4", "h264", "yuv420p", 192, 128, 1.0, frame_rate, None, 1.0, 0, 1)


def write(path: Path, times_s: list[float], rate: Fraction = RATE, **options: object) -> list[int]:
    """Write a picture for each time and return which of them every output frame shows."""
    with VideoWriter(path, width=192, height=128, frame_rate=rate, **options) as writer:  # type: ignore[arg-type]
        for index, time_s in enumerate(times_s):
            writer.write(scene(index, 192, 128), time_s)
    with open_video(path) as reader:
        frames = list(reader)
    np.testing.assert_allclose([frame.pts_s for frame in frames], np.arange(len(frames)) / float(rate), atol=1e-4)
    assert writer.frame_count == len(frames)
    return [read_index(frame.image_bgr) for frame in frames]


def expected_slots(times_s: list[float], rate: Fraction) -> list[int]:
    """Return the rule in slow, obvious words: the last source frame before the middle of each slot."""
    slots = []
    while not slots or (len(slots) + 0.5) / float(rate) <= times_s[-1] + float(1 / rate):
        middle_s = (len(slots) + 0.5) / float(rate)
        slots.append(max(index for index, time_s in enumerate(times_s) if time_s < middle_s))
    return slots


def boxes_of(path: Path) -> list[bytes]:
    """Return the kinds of an MP4's outermost boxes."""
    data, kinds, position = path.read_bytes(), [], 0
    while position < len(data):
        kinds.append(data[position + 4 : position + 8])
        position += int.from_bytes(data[position : position + 4], "big")
    return kinds


def test_constant_rate_comes_out_frame_for_frame(tmp_path: Path) -> None:
    assert write(tmp_path / "v.mp4", [index / 25 for index in range(60)]) == list(range(60))


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(10), Fraction(60)])
@pytest.mark.parametrize("seed", [0, 1])
def test_each_slot_shows_the_last_frame_before_its_middle(tmp_path: Path, rate: Fraction, seed: int) -> None:
    steps_s = np.random.default_rng(seed).choice([0.001, 0.02, 0.033, 0.04, 0.2, 0.7], size=24)
    times_s = [float(time_s) for time_s in np.concatenate([[0], np.cumsum(steps_s)])]
    assert write(tmp_path / "v.mp4", times_s, rate) == expected_slots(times_s, rate)


def test_a_variable_rate_file_plays_at_its_own_pace(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", times_ms=[0, 100, 120, 140, 1000, 1040])
    path = tmp_path / "v.mp4"
    with open_video(source) as reader, VideoWriter(path, width=192, height=128, frame_rate=RATE) as writer:
        for frame in reader:
            writer.write(frame.image_bgr, frame.pts_s)
    with open_video(path) as reader:
        shown = [read_index(frame.image_bgr) for frame in reader]
    # Slot middles lie at 20, 60, 100, 140 … ms; a frame at a middle itself comes into the next slot.
    assert shown == [0, 0, 0, 2] + [3] * 21 + [4, 5]


def test_one_frame_is_shown_for_one_slot(tmp_path: Path) -> None:
    assert write(tmp_path / "v.mp4", [0.0]) == [0]


def test_a_long_pause_repeats_the_frame_before_it(tmp_path: Path) -> None:
    shown = write(tmp_path / "v.mp4", [0.0, 40.0])
    assert (len(shown), shown.count(0)) == (1001, 1000)


def test_the_file_is_what_browsers_play(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    write(path, [index / 25 for index in range(80)])
    kinds = boxes_of(path)
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == stream.base_rate == 25
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        keys = [packet.pts * packet.time_base for packet in container.demux(stream) if packet.is_keyframe]
    assert keys == [0, 1, 2, 3]


def test_every_second_starts_a_group_that_decodes_on_its_own(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    write(path, [index / 25 for index in range(80)])
    with av.open(str(path)) as container:
        container.seek(2_100_000)
        frame = next(container.decode(video=0))
        assert frame.time == pytest.approx(2.0)
        assert read_index(frame.to_ndarray(format="bgr24")) == 50


@pytest.mark.parametrize(
    ("size", "options", "expected"),
    [
        ((768, 576), {}, (768, 576)),
        ((161, 121), {}, (160, 120)),
        ((163, 123), {}, (164, 124)),
        ((1, 1), {}, (2, 2)),
        ((3840, 2160), {"max_side": 1280}, (1280, 720)),
        ((2160, 3840), {"max_side": 1280}, (720, 1280)),
        ((640, 480), {"max_side": 1280}, (640, 480)),
        ((720, 576), {"sample_aspect": 16 / 11}, (1048, 576)),
        ((720, 576), {"sample_aspect": 0.5}, (720, 1152)),
        ((720, 576), {"sample_aspect": 16 / 11, "max_side": 524}, (524, 288)),
    ],
)
def test_output_size_is_even_square_and_within_the_limit(
    size: tuple[int, int], options: dict[str, float], expected: tuple[int, int]
) -> None:
    assert output_size(*size, **options) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"max_side": 96}, {"sample_aspect": 2.0}])
@pytest.mark.parametrize(("width", "height"), [(161, 121), (192, 128)])
def test_odd_and_scaled_pictures_still_show_their_content(
    tmp_path: Path, width: int, height: int, options: dict[str, float]
) -> None:
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=width, height=height, frame_rate=RATE, **options) as writer:  # type: ignore[arg-type]
        for index in range(6):
            writer.write(scene(index, width, height), index / 25)
    with open_video(path) as reader:
        assert (reader.facts.width, reader.facts.height) == (writer.width, writer.height)
        assert [read_index(frame.image_bgr) for frame in reader] == list(range(6))


def test_colours_are_kept(tmp_path: Path) -> None:
    image = np.zeros((256, 256, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (30, 200, 250)]
    for index, colour in enumerate(colours):
        image[index * 64 : (index + 1) * 64] = colour
    with VideoWriter(tmp_path / "v.mp4", width=256, height=256, frame_rate=RATE, crf=10) as writer:
        writer.write(image, 0.0)
    with open_video(tmp_path / "v.mp4") as reader:
        read = next(iter(reader)).image_bgr
    for index, colour in enumerate(colours):
        assert np.abs(read[index * 64 + 32, 128].astype(int) - colour).max() <= 8


def test_a_picture_may_be_reused_after_writing(tmp_path: Path) -> None:
    buffer = np.empty((128, 192, 3), np.uint8)
    with VideoWriter(tmp_path / "v.mp4", width=192, height=128, frame_rate=RATE) as writer:
        for index in range(10):
            buffer[:] = scene(index, 192, 128)
            writer.write(buffer, index / 25)
    with open_video(tmp_path / "v.mp4") as reader:
        assert [read_index(frame.image_bgr) for frame in reader] == list(range(10))


def test_a_picture_that_is_a_view_is_written_as_it_looks(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", width=192, height=128, frame_rate=RATE) as writer:
        writer.write(np.ascontiguousarray(scene(77, 192, 128)[:, ::-1])[:, ::-1], 0.0)
    with open_video(tmp_path / "v.mp4") as reader:
        assert [read_index(frame.image_bgr) for frame in reader] == [77]


def test_nothing_is_there_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"an older result")
    with VideoWriter(path, width=192, height=128, frame_rate=RATE) as writer:
        writer.write(scene(0, 192, 128), 0.0)
        assert path.read_bytes() == b"an older result"
    assert boxes_of(path)[0] == b"ftyp"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def fail_halfway() -> None:
        with VideoWriter(tmp_path / "v.mp4", width=192, height=128, frame_rate=RATE) as writer:
            writer.write(scene(0, 192, 128), 0.0)
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail_halfway()
    assert list(tmp_path.iterdir()) == []


def test_closing_without_a_picture_fails_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no picture"):
        VideoWriter(tmp_path / "v.mp4", width=192, height=128, frame_rate=RATE).close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_raises_and_leaves_no_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 192, 3), np.uint8)

    def fill() -> None:
        with VideoWriter(tmp_path / "v.mp4", width=192, height=128, frame_rate=RATE, crf=5) as writer:
            for index in range(200):
                writer.write(np.roll(noise, index * 7, axis=1), index / 25)

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large") as raised:
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shape", "pts_s", "message"),
    [((128, 192, 4), 1.0, "shape"), ((192, 128, 3), 1.0, "shape"), ((128, 192, 3), 0.0, "rise")],
)
def test_a_wrong_picture_or_time_is_named(tmp_path: Path, shape: tuple[int, ...], pts_s: float, message: str) -> None:
    writer = VideoWriter(tmp_path / "v.mp4", width=192, height=128, frame_rate=RATE)
    writer.write(scene(0, 192, 128), 0.0)
    with pytest.raises(ValueError, match=message):
        writer.write(np.zeros(shape, np.uint8), pts_s)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        (25.0, Fraction(25)),
        (29.97002997, Fraction(30000, 1001)),
        (12.5, Fraction(25, 2)),
        (240.0, Fraction(60)),
        (0.2, Fraction(1)),
        (7.3421, None),
    ],
)
def test_playback_rate_is_the_average_within_bounds(average: float, expected: Fraction | None) -> None:
    rate = playback_frame_rate(facts(average))
    assert float(rate) == pytest.approx(min(max(average, 1), 60), rel=1e-5)
    assert expected is None or rate == expected


@pytest.mark.slow
def test_memory_stays_flat_over_many_frames(tmp_path: Path) -> None:
    def resident_bytes() -> int:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
        if found is None:
            pytest.skip("this platform does not tell the memory of a process")
        return int(found[1]) * 1024

    images = [scene(index, 640, 480) for index in range(8)]
    readings = []
    with VideoWriter(tmp_path / "v.mp4", width=640, height=480, frame_rate=RATE, preset="ultrafast") as writer:
        for index in range(1200):
            writer.write(images[index % 8], index / 25)
            if index in (300, 1199):
                readings.append(resident_bytes())
    assert readings[1] - readings[0] < 15_000_000

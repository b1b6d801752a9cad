"""An uploaded file cannot make FFmpeg open another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from errors import MediaError
from tests.make_videos import make_external_reference, make_ffconcat, make_playlist, make_video
from video.container import LOCKS, refuse_second_file
from video.decode import open_video
from video.probe import Limits, probe, probe_isolated

LIMITS = Limits(max_pixels=7680 * 4320, max_duration_s=86400)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return make_video(tmp_path / "secret.ts", codec="mpeg2ts", frame_count=5)


def frames_without_locks(path: Path, **options: str) -> int:
    """Count the frames that FFmpeg finds when nothing holds it back: shows that the attack is real."""
    with av.open(
        str(path), options={"safe": "0", "allowed_extensions": "ALL", "extension_picky": "0", **options}
    ) as file:
        return sum(1 for _ in file.decode(video=0))


@pytest.mark.parametrize("suffix", [".m3u8", ".mp4", ".avi", ".jpg", ""])
@pytest.mark.parametrize("make", [make_playlist, make_ffconcat])
def test_lists_of_files_are_refused_under_any_name(
    tmp_path: Path, secret: Path, make: Callable[[Path, Path], Path], suffix: str
) -> None:
    path = make(tmp_path / f"upload{suffix}", secret)
    if make is make_ffconcat or suffix == ".m3u8":  # FFmpeg 8 looks at the suffix of a playlist by itself
        assert frames_without_locks(path) == 5
    for attempt in (probe, open_and_read):
        with pytest.raises(MediaError) as raised:
            attempt(path, LIMITS, name="upload")
        assert raised.value.code == "media.playlist"


def open_and_read(path: Path, _limits: Limits, *, name: str) -> None:
    with open_video(path, name=name) as reader:
        list(reader)


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b" \n\n", b"\0", b"x\n", b"# a comment\n" * 500])
@pytest.mark.parametrize("make", [make_playlist, make_ffconcat])
def test_lists_behind_other_text_are_refused(
    tmp_path: Path, secret: Path, make: Callable[[Path, Path], Path], prefix: bytes
) -> None:
    path = make(tmp_path / "upload.mp4", secret)
    path.write_bytes(prefix + path.read_bytes())
    with pytest.raises(MediaError) as raised:
        probe(path, LIMITS, name="upload")
    assert raised.value.code in {"media.playlist", "media.not_video"}


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period/></MPD>',
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n",
        "[reference]\nRef1=http://127.0.0.1:9/x.asf\n",
        "<smil></smil>",
    ],
)
def test_other_kinds_of_playlists_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "upload.mp4"
    path.write_text(text)
    with pytest.raises(MediaError) as raised:
        probe(path, LIMITS, name="upload")
    assert raised.value.code == "media.playlist"


def test_samples_in_another_file_are_not_fetched(tmp_path: Path) -> None:
    secret = make_video(tmp_path / "secret.mp4")
    path = make_external_reference(tmp_path / "upload.mp4", secret)
    original = path.read_bytes()
    opened: list[str] = []

    def record(url: str, _flags: int, _options: dict[str, str]) -> object:
        opened.append(url)
        return secret.open("rb")

    with path.open("rb") as file, av.open(file, options={"enable_drefs": "1"}, io_open=record):
        pass
    assert [Path(url).name for url in opened] == ["secret.mp4"], "the attack is real"
    with pytest.raises(MediaError):
        probe(path, LIMITS, name="upload")
    assert path.read_bytes() == original


def test_even_a_demuxer_that_should_never_run_gets_no_second_file(tmp_path: Path, secret: Path) -> None:
    path = make_ffconcat(tmp_path / "upload.avi", secret)
    options = {**LOCKS, "format_whitelist": "concat,mpegts", "safe": "0"}
    with path.open("rb") as file, pytest.raises((av.FFmpegError, OSError)):
        list(av.open(file, options=options, io_open=refuse_second_file).decode(video=0))
    with path.open("rb") as file, av.open(file, options={**options, "protocol_whitelist": "file"}) as container:
        assert len(list(container.decode(video=0))) == 5, "it is the protocol list that holds"


def test_a_second_file_is_refused_by_our_opener(tmp_path: Path) -> None:
    secret = make_video(tmp_path / "secret.mp4")
    path = make_external_reference(tmp_path / "upload.mp4", secret)
    options = {**LOCKS, "enable_drefs": "1", "protocol_whitelist": "file"}
    with path.open("rb") as file, pytest.raises(PermissionError, match="other files"):
        av.open(file, options=options, io_open=refuse_second_file)


@pytest.mark.parametrize(
    "content",
    [b"\0" * 100_000, b"hello\n" * 5000, bytes(np.random.default_rng(0).integers(0, 256, 200_000, np.uint8)), b"P"],
)
def test_what_is_no_video_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "upload.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError) as raised:
        probe_isolated(path, LIMITS, name="upload.mp4", timeout_s=30)
    assert raised.value.code == "media.not_video"


@pytest.mark.parametrize("kind", ["png", "bmp", "gif"])
def test_a_single_picture_is_no_video(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"upload.{kind}"
    with av.open(str(path), "w", format="gif" if kind == "gif" else "image2", options={}) as output:
        stream = output.add_stream({"png": "png", "bmp": "bmp", "gif": "gif"}[kind], rate=1)
        stream.width, stream.height = 64, 64
        stream.pix_fmt = {"png": "rgb24", "bmp": "bgr24", "gif": "rgb8"}[kind]
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="bgr24")
        output.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        output.mux(stream.encode(None))
    with pytest.raises(MediaError) as raised:
        probe(path, LIMITS, name=path.name)
    assert raised.value.code == "media.not_video"

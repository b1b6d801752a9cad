"""The command line and the API of the main job, on small videos with HOG and on real ones with YOLOX."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import predict
from pipeline.flags import build_parser, sentences_about_flags_without_effect
from tests.conftest import ROOT
from tests.pipeline.scripted import RED, Block, make_video, picture
from video.decode import open_video


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "街道 walk.mkv", (Block(RED, (20, 20)),), frame_count=4)


def _flags(out: Path) -> list[str]:
    return ["--save_dir", str(out), "--detector", "hog", "--embedder", "hsv_stripes"]


def _sentences(*flags: str) -> list[str]:
    return list(sentences_about_flags_without_effect(build_parser().parse_args(["--video_path", "a.mp4", *flags])))


def test_a_video_gives_output_and_result_and_says_what_ran(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict.main(["--video_path", str(video), *_flags(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["output.mp4", "result.txt"]
    with open_video(tmp_path / "out" / "output.mp4") as reader:
        assert (reader.facts.codec, reader.facts.pixel_format) == ("h264", "yuv420p")
        assert sum(1 for _ in reader) == 4
    said = capsys.readouterr()
    assert "Detector: hog on the CPU" in said.out
    assert "Embedder: hsv_stripes on the CPU" in said.out
    assert "4 frames in" in said.out
    assert "frames/s" in said.out
    assert "Share of the work: decode" in said.out
    assert re.search(r"Embedded (\d+) of \1 boxes", said.out), "the descriptor looks at every box"
    assert "finding and following" in said.err


def test_auto_says_which_built_in_models_it_takes(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "weights"
    empty.mkdir()
    flags = ["--save_dir", str(tmp_path / "out"), "--det_model_dir", str(empty), "--emb_model_dir", str(empty)]
    assert predict.main(["--video_path", str(video), *flags]) == 0
    said = capsys.readouterr().out
    assert "by the built-in detector" in said
    assert "by the built-in embedder" in said


def test_a_folder_of_pictures_is_a_video(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(5):
        cv2.imwrite(str(folder / f"{index:03d}.png"), picture((Block(RED, (20, 20)),), index))
    flags = ["--frame_rate", "5", "--max_frames", "3", *_flags(tmp_path / "out")]
    assert predict.main(["--img_dir", str(folder), *flags]) == 0
    with open_video(tmp_path / "out" / "output.mp4") as reader:
        assert reader.facts.frame_rate == 5
        assert sum(1 for _ in reader) == 3


def test_a_later_run_replaces_the_outputs(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "result.txt").write_text("old")
    assert predict.main(["--video_path", str(video), *_flags(out)]) == 0
    assert "old" not in (out / "result.txt").read_text()


def test_the_api_without_a_folder_writes_nothing(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = predict.track_video(video, detector="hog", embedder="hsv_stripes", max_frames=2)
    assert result.frame_count == 2
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("given", [{}, {"video_path": "a.mp4", "img_dir": "b"}])
def test_exactly_one_source_is_wanted(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one of video_path, camera_id and img_dir"):
        predict.track_video(**given)  # type: ignore[arg-type]  # the keys are right, mypy sees only a dict


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--video_path", "absent.mp4"], "There is no file at “absent.mp4”"),
        (["--video_path", "{video}", "--detector", "yolox", "--det_model_dir", "none.onnx"], "No weights for yolox"),
        (["--video_path", "{video}", "--embedder", "paddle", "--emb_model_dir", "none"], "No weights for"),
        (["--video_path", "{video}", "--threshold", "7"], "threshold must lie in 0 to 1"),
        (["--video_path", "{video}", "--tracker", "deepsort", "--max_age", "-1"], "max_age must be 0 or more"),
        (["--video_path", "{video}", "--max_frames", "0"], "max_frames is 0"),
        (["--video_path", "{video}", "--cpu_threads", "-3"], "networks is -3"),
        (["--img_dir", "absent"], "absent"),
    ],
)
def test_an_error_is_one_sentence_and_code_2(
    tmp_path: Path, video: Path, flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [flag.replace("{video}", str(video)) for flag in flags]
    if "--detector" not in given:
        given += ["--detector", "hog"]
    assert predict.main([*given, "--save_dir", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert words in said
    assert said.endswith(".")
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "output.mp4").exists()


def test_a_file_that_is_no_video_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    assert predict.main(["--video_path", str(text), *_flags(tmp_path / "out")]) == 2
    assert "“notes.mp4” is not a video" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags", [[], ["--video_path", "a", "--camera_id", "0"], ["--video_path", "a", "--use_gpu", "x"]]
)
def test_wrong_flags_end_with_usage_and_code_2(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        predict.main(flags)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_seeds_flags_are_all_accepted() -> None:
    line = (
        "--video_path a.mp4 --save_dir o --display --det_model_dir d --emb_model_dir e --threshold 0.4 "
        "--max_cosine_distance 0.3 --nn_budget 50 --max_iou_distance 0.6 --max_age 30 --n_init 2 --use_gpu True "
        "--run_mode trt_fp16 --cpu_threads 1 --enable_mkldnn False --use_dynamic_shape True --trt_min_shape 2 "
        "--trt_max_shape 1000 --trt_opt_shape 600 --trt_calib_mode"
    )
    options = build_parser().parse_args(line.split())
    assert (options.use_gpu, options.display, options.enable_mkldnn, options.trt_calib_mode) == (
        True,
        True,
        False,
        True,
    )
    assert (options.threshold, options.nn_budget, options.n_init) == (0.4, 50, 2)
    assert len(list(sentences_about_flags_without_effect(options))) == 13
    options = build_parser().parse_args([*line.split(), "--tracker", "deepsort"])
    assert len(list(sentences_about_flags_without_effect(options))) == 8, "the flags of DeepSORT have an effect then"


def test_flags_at_their_defaults_warn_of_nothing() -> None:
    assert _sentences() == []
    assert _sentences("--run_mode", "fluid", "--enable_mkldnn", "True", "--trt_opt_shape", "640") == []


def test_trackers_and_presets_can_be_chosen(tmp_path: Path, video: Path) -> None:
    for flags in (["--tracker", "deepsort", "--n_init", "1"], ["--tracker", "online"], ["--preset", "fast"]):
        assert predict.main(["--video_path", str(video), *flags, *_flags(tmp_path / "out")]) == 0
    with pytest.raises(ValueError, match="the tracker is “psychic”"):
        predict.track_video(video, detector="hog", embedder="hsv_stripes", tracker="psychic")
    with pytest.raises(ValueError, match="the preset is “best”"):
        predict.track_video(video, detector="hog", embedder="hsv_stripes", preset="best")


def test_a_flag_without_effect_is_named() -> None:
    assert _sentences("--run_mode", "trt_int8") == ["--run_mode trt_int8 has no effect: TensorRT is not used."]
    assert _sentences("--n_init", "2") == ["--n_init has no effect: it belongs to --tracker deepsort."]
    assert "oneDNN" in _sentences("--enable_mkldnn", "False")[0]


def test_display_without_a_display_says_so(tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32"):
        pytest.skip("there is a display here")
    assert predict.main(["--video_path", str(video), "--display", *_flags(tmp_path / "out")]) == 2
    assert "there is no display; leave --display out" in capsys.readouterr().err


def test_a_camera_that_is_not_there_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert predict.main(["--camera_id", "97", *_flags(tmp_path / "out")]) == 2
    assert "97" in capfd.readouterr().err.strip().splitlines()[-1]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_stream_is_recorded_drawn_and_cleaned_up(tmp_path: Path, video: Path) -> None:
    """A file stands in for a camera: OpenCV opens both the same way."""
    assert predict.main(["--camera_id", str(video), "--max_frames", "3", *_flags(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["output.mp4", "result.txt"]


def _start(source: list[str], out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "predict.py", *source, *_flags(out)], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip


def _wait_for(path: Path, pattern: str) -> None:
    deadline_s = time.monotonic() + 60
    while not list(path.glob(pattern)):
        assert time.monotonic() < deadline_s, f"no {pattern} in {path}"
        time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_ends_a_recording_and_finishes_the_files(tmp_path: Path) -> None:
    video = make_video(tmp_path / "long.mkv", (Block(RED, (20, 20), step=(0.01, 0)),), frame_count=600)
    out = tmp_path / "out"
    with _start(["--camera_id", str(video)], out) as process:
        _wait_for(out, ".recording-*/.camera.mp4.part")
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert "The recording ends" in told
    assert "frames/s" in said
    assert sorted(path.name for path in out.iterdir()) == ["output.mp4", "result.txt"]
    with open_video(out / "output.mp4") as reader:
        assert 0 < sum(1 for _ in reader) < 600


@pytest.mark.slow
def test_ctrl_c_on_a_file_leaves_nothing(tmp_path: Path) -> None:
    video = make_video(tmp_path / "long.mkv", (Block(RED, (20, 20), step=(0.01, 0)),), frame_count=600)
    out = tmp_path / "out"
    with _start(["--video_path", str(video)], out) as process:
        _wait_for(tmp_path, "out")
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Stopped; no output was written." in told
    assert "Traceback" not in told
    assert list(out.iterdir()) == []


@pytest.mark.slow
def test_real_people_are_followed_with_yolox(tmp_path: Path, vtest_avi: Path, yolox_onnx: Path) -> None:
    result = predict.track_video(
        vtest_avi,
        save_dir=tmp_path,
        detector="yolox",
        det_model_dir=yolox_onnx,
        embedder="hsv_stripes",
        max_frames=80,
    )
    assert result.frame_count == 80
    assert result.detector.source == str(yolox_onnx)
    assert len(result.points) > 300
    assert [track.number for track in result.tracks] == list(range(1, len(result.tracks) + 1))
    assert 5 <= len(result.tracks) <= 20
    longest = max(result.tracks, key=lambda track: track.point_count)
    assert longest.point_count > 60
    crop = cv2.imdecode(np.frombuffer(longest.crop_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None
    assert crop.shape[0] > crop.shape[1], "a person stands"
    first = (tmp_path / "result.txt").read_text().splitlines()[0].split(",")
    assert len(first) == 10
    assert int(first[0]) == 1, "a recording's tracks begin with their first box"
    assert first[6:] == ["1", "-1", "-1", "-1"]

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from model.paddle_files import PaddleFiles, check_params, declared_inputs, find_paddle_files
from model.paddle_runtime import PaddlePredictor
from tests.model.conftest import FORMATS

CopyExport = Callable[[str, str, Path], Path]


def load(folder: Path, *, use_onednn: bool = True) -> PaddlePredictor:
    files = find_paddle_files(folder)
    assert files is not None
    return PaddlePredictor(files, threads=1, use_onednn=use_onednn)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("use_onednn", [True, False])
def test_every_format_gives_what_the_layer_computes(
    tmp_path: Path, copy_export: CopyExport, file_format: str, use_onednn: bool
) -> None:
    predictor = load(copy_export("embedder", file_format, tmp_path), use_onednn=use_onednn)
    assert predictor.input_shapes == {"x": (-1, 3, 32, 16)}
    weights = np.sin(np.arange(48, dtype=np.float32)).reshape(12, 4)
    for count in (1, 5, 2):
        pictures = np.random.default_rng(count).random((count, 3, 32, 16), np.float32)
        (output,) = predictor.run({"x": pictures})
        quarters = pictures.reshape(count, 3, 2, 16, 2, 8).mean(axis=(3, 5)).reshape(count, 12)
        np.testing.assert_allclose(output, quarters @ weights, atol=1e-5)


@pytest.mark.parametrize("file_format", FORMATS)
def test_declared_inputs_are_read(tmp_path: Path, copy_export: CopyExport, file_format: str) -> None:
    files = find_paddle_files(copy_export("detector", file_format, tmp_path))
    assert files is not None
    shapes = {"image": (-1, 3, -1, -1), "im_shape": (-1, 2), "scale_factor": (-1, 2)}
    assert declared_inputs(files) == shapes


def test_folder_without_a_model_holds_none(tmp_path: Path) -> None:
    assert find_paddle_files(tmp_path) is None
    assert find_paddle_files(tmp_path / "nowhere") is None
    (tmp_path / "notes.json").write_text("{}")
    assert find_paddle_files(tmp_path) is None


@pytest.mark.parametrize("name", ["model.pdmodel", "model.pdiparams", "__model__"])
def test_half_of_an_export_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=f"half of an export is there .{name}"):
        find_paddle_files(tmp_path)


def test_two_exports_in_one_folder_are_an_error(tmp_path: Path) -> None:
    for name in ("a.json", "a.pdiparams", "b.pdmodel", "b.pdiparams"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=r"several models \(a.json, b.pdmodel\)"):
        find_paddle_files(tmp_path)


def test_new_format_wins_over_the_old_one_of_the_same_name(tmp_path: Path) -> None:
    for name in ("a.json", "a.pdmodel", "a.pdiparams"):
        (tmp_path / name).write_bytes(b"x")
    assert find_paddle_files(tmp_path) == PaddleFiles(tmp_path / "a.json", tmp_path / "a.pdiparams")


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("damage", ["empty", "cut off", "replaced"])
def test_damaged_program_is_refused_and_ends_no_process(
    tmp_path: Path, copy_export: CopyExport, file_format: str, damage: str
) -> None:
    files = find_paddle_files(copy_export("embedder", file_format, tmp_path))
    assert files is not None
    content = files.program.read_bytes()
    damaged = {"empty": b"", "cut off": content[: len(content) // 2], "replaced": b"hello world" * 10}[damage]
    files.program.write_bytes(damaged)
    # In a process of its own: a crash inside Paddle would take the tests with it.
    script = (
        "import sys, pathlib\n"
        "from errors import ModelError\n"
        "from model.paddle_files import find_paddle_files\n"
        "from model.paddle_runtime import PaddlePredictor\n"
        "try:\n"
        "    PaddlePredictor(find_paddle_files(pathlib.Path(sys.argv[1])), threads=1)\n"
        "except ModelError as error:\n"
        "    print(error.code)\n"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", script, tmp_path], cwd=root, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "model.export_unreadable"), run.stderr[-1000:]


@pytest.mark.parametrize("lost", [1, 10, 150])
def test_params_that_were_cut_off_are_refused(tmp_path: Path, copy_export: CopyExport, lost: int) -> None:
    files = find_paddle_files(copy_export("embedder", "json", tmp_path))
    assert files is not None
    check_params(files)
    files.params.write_bytes(files.params.read_bytes()[:-lost])
    with pytest.raises(ModelError, match=r"cut off|damaged"):
        check_params(files)


@pytest.mark.parametrize("content", [b"", b"hello", b"hello world" * 100, b"\0" * 64])
def test_params_that_are_something_else_are_refused(tmp_path: Path, copy_export: CopyExport, content: bytes) -> None:
    files = find_paddle_files(copy_export("embedder", "json", tmp_path))
    assert files is not None
    files.params.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.pdiparams"):
        load(tmp_path)


def test_params_of_another_model_are_refused(tmp_path: Path, copy_export: CopyExport, paddle_models: Path) -> None:
    folder = copy_export("embedder", "json", tmp_path)
    shutil.copy(paddle_models / "detector.pdiparams", folder / "model.pdiparams")
    with pytest.raises(ModelError, match="cannot be used"):
        load(folder).run({"x": np.zeros((1, 3, 32, 16), np.float32)})


def test_input_of_a_wrong_shape_is_an_error_with_the_shape(tmp_path: Path, copy_export: CopyExport) -> None:
    predictor = load(copy_export("embedder", "json", tmp_path))
    with pytest.raises(ModelError, match=r"fails on inputs .*\(1, 2, 32, 16\)"):
        predictor.run({"x": np.zeros((1, 2, 32, 16), np.float32)})


def test_gpu_that_is_not_there_is_said(tmp_path: Path, copy_export: CopyExport) -> None:
    import paddle

    if paddle.device.is_compiled_with_cuda():
        pytest.skip("this Paddle has CUDA")
    files = find_paddle_files(copy_export("embedder", "json", tmp_path))
    assert files is not None
    with pytest.raises(ModelError, match="GPU was asked for, but paddle"):
        PaddlePredictor(files, use_gpu=True)

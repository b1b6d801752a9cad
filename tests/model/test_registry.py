from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from messages import render
from model.builtin_detector import WEIGHTS
from model.embedding_spec import UNTRAINED, Preprocessing
from model.export import export_embedder
from model.protocols import Detector, Embedder
from model.registry import DETECTORS, EMBEDDERS, build_detector, build_embedder
from tests.model.networks.test_resnet_vd import network
from tests.model.test_paddledet import PERMUTE, RESIZE, SCALE_ONLY, write_config
from tests.model.test_yolox import quiet_rows, write_onnx

CopyExport = Callable[[str, str, Path], Path]


def detector(name: str, path: Path, *, threshold: float | None = None) -> Detector:
    return build_detector(name, path, threshold=threshold, threads=1, use_gpu=False)


def embedder(name: str, path: Path) -> Embedder:
    return build_embedder(name, path, threads=1, use_gpu=False)


def test_auto_takes_a_paddledetection_export_first(tmp_path: Path, copy_export: CopyExport) -> None:
    write_config(copy_export("detector", "json", tmp_path), RESIZE, SCALE_ONLY, PERMUTE)
    write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1)
    info = detector("auto", tmp_path).info
    assert (info.name, info.source, info.notices) == ("paddledet", str(tmp_path), ())


@pytest.mark.parametrize("is_folder", [True, False])
def test_auto_takes_yolox_where_there_is_an_onnx_file(tmp_path: Path, is_folder: bool) -> None:
    path = write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1)
    info = detector("auto", tmp_path if is_folder else path).info
    assert (info.name, info.source, info.notices) == ("yolox", str(path), ())


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_auto_takes_the_built_in_detector_where_there_is_nothing_and_says_so(tmp_path: Path, name: str) -> None:
    info = detector("auto", tmp_path / name).info
    assert (info.name, info.source) == ("builtin", str(WEIGHTS))
    (notice,) = info.notices
    assert notice.code == "model.builtin_detector"
    assert str(tmp_path / name) in render(notice.code, notice.params)


@pytest.mark.parametrize("name", ["builtin", "hog"])
def test_what_was_asked_for_by_name_has_no_notice(tmp_path: Path, name: str) -> None:
    info = detector(name, tmp_path).info
    assert (info.name, info.notices) == (name, ())


def test_threshold_is_passed_on(tmp_path: Path) -> None:
    rows = quiet_rows()
    rows[0, 5] = 1  # its objectness is the brightness
    path = write_onnx(tmp_path / "net.onnx", rows, batch=1)
    grey = np.full((64, 96, 3), 77, np.uint8)  # 0.30
    counts = [len(detector("yolox", path, threshold=value).detect([grey])[0]) for value in (None, 0.25, 0.35)]
    assert counts == [0, 1, 0]


@pytest.mark.parametrize("name", ["yolox", "paddledet"])
def test_detector_by_name_without_weights_is_an_error(tmp_path: Path, name: str) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelError, match=name) as raised:
            detector(name, path)
        assert raised.value.code == "model.weights_missing"


def test_mistyped_onnx_path_is_an_error_even_for_auto(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"typo\.onnx"):
        detector("auto", tmp_path / "typo.onnx")


def test_weights_that_cannot_be_used_are_never_passed_over(tmp_path: Path, copy_export: CopyExport) -> None:
    (tmp_path / "net.onnx").write_bytes(b"hello")
    with pytest.raises(ModelError, match="cannot be used"):
        detector("auto", tmp_path)
    without_config = copy_export("detector", "json", tmp_path / "a")
    with pytest.raises(ModelError, match=r"infer_cfg\.yml"):
        detector("auto", without_config)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "model.pdiparams").write_bytes(b"x")
    for build in (detector, embedder):
        with pytest.raises(ModelError, match="half of an export"):
            build("auto", tmp_path / "b")


def test_several_onnx_files_are_ambiguous(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "a.onnx", quiet_rows(), batch=1)
    shutil.copy(path, tmp_path / "b.onnx")
    with pytest.raises(ModelError, match=r"several ONNX files \(a.onnx, b.onnx\)"):
        detector("auto", tmp_path)


def test_unknown_names_are_answered_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"no detector named “yolo”.*{', '.join(DETECTORS)}"):
        detector("yolo", tmp_path)
    with pytest.raises(ModelError, match=f"no embedder named “osnet”.*{', '.join(EMBEDDERS)}"):
        embedder("osnet", tmp_path)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_threshold_outside_zero_to_one_is_refused(tmp_path: Path, threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold must lie in 0 to 1"):
        detector("hog", tmp_path, threshold=threshold)


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_auto_embedder_is_the_built_in_one_without_other_weights_and_says_so(tmp_path: Path, name: str) -> None:
    built = embedder("auto", tmp_path / name)
    assert built.info.name == "builtin"
    assert [notice.code for notice in built.info.notices] == ["model.builtin_embedder"]
    assert built.dimension == built.embed([np.zeros((9, 5, 3), np.uint8)]).shape[1]
    assert embedder("builtin", tmp_path).info.notices == ()
    assert embedder("hsv_stripes", tmp_path).info.notices == ()


def test_auto_takes_a_trained_export_and_refuses_an_untrained_one(tmp_path: Path) -> None:
    preprocessing = Preprocessing(sizes_wh=((32, 32),))
    export_embedder(network("siamese_encoder"), tmp_path / "trained", preprocessing, origin="a.pdparams")
    export_embedder(network("siamese_encoder"), tmp_path / "random", preprocessing, origin=UNTRAINED)
    assert embedder("auto", tmp_path / "trained").info.name == "siamese_encoder"
    for name in ("auto", "paddle"):
        with pytest.raises(ModelError) as raised:
            embedder(name, tmp_path / "random")
        assert raised.value.code == "model.untrained"


def test_paddle_embedder_without_weights_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        embedder("paddle", tmp_path)
    assert raised.value.code == "model.weights_missing"


def test_no_framework_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from model.registry import build_detector, build_embedder\n"
        "empty = pathlib.Path(sys.argv[1])\n"
        "build_detector('hog', empty, threshold=None, threads=1, use_gpu=False)\n"
        "build_embedder('hsv_stripes', empty, threads=1, use_gpu=False)\n"
        "print([name for name in ('paddle', 'onnxruntime', 'torch') if name in sys.modules])\n"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", script, tmp_path], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

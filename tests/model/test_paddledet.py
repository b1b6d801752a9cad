from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from errors import ModelError
from model.paddledet import PaddleDetector
from model.paddledet_config import read_config
from records import CLASS_NAMES, Image
from tests.model.conftest import FORMATS

CopyExport = Callable[[str, str, Path], Path]

RESIZE = {"type": "Resize", "interp": 2, "keep_ratio": False, "target_size": [64, 96]}
NORMALISE = {
    "type": "NormalizeImage",
    "is_scale": True,
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
    "norm_type": "mean_std",
}
SCALE_ONLY = {"type": "NormalizeImage", "is_scale": True, "mean": [0, 0, 0], "std": [1, 1, 1], "norm_type": "none"}
PERMUTE = {"type": "Permute"}


def write_config(folder: Path, *steps: dict[str, Any], labels: tuple[str, ...] = ("person", "dog", "car")) -> Path:
    document = {"mode": "paddle", "arch": "YOLO", "Preprocess": list(steps), "label_list": list(labels)}
    path = folder / "infer_cfg.yml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return path


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_steps_are_those_of_the_configuration(tmp_path: Path) -> None:
    config = read_config(write_config(tmp_path, RESIZE, NORMALISE, PERMUTE))
    image = noise(128, 144)
    prepared = config.prepare(image)
    rgb = cv2.resize(np.ascontiguousarray(image[..., ::-1]), (96, 64), interpolation=cv2.INTER_CUBIC) / 255.0
    expected = (rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(prepared.tensor, expected.transpose(2, 0, 1), atol=1e-5)
    assert prepared.tensor.dtype == np.float32
    assert prepared.size_hw == (64, 96)
    assert prepared.scales_yx == (0.5, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("size", "target", "expected"),
    [
        ((480, 640), [320, 640], (320, 427)),  # the short side rules
        ((640, 480), [320, 640], (427, 320)),
        ((200, 1000), [320, 640], (128, 640)),  # the long side would not fit
        ((100, 100), 64, (64, 64)),
        ((720, 1280), [640, 640], (360, 640)),
    ],
)
def test_kept_ratio_stays_within_the_target(
    tmp_path: Path, size: tuple[int, int], target: Any, expected: tuple[int, int]
) -> None:
    step = {"type": "Resize", "keep_ratio": True, "target_size": target, "interp": 1}
    prepared = read_config(write_config(tmp_path, step, SCALE_ONLY, PERMUTE)).prepare(noise(*size))
    assert prepared.tensor.shape == (3, *expected)
    assert prepared.size_hw == expected
    scale = min(np.min(target) / min(size), np.max(target) / max(size))
    assert prepared.scales_yx == (pytest.approx(scale), pytest.approx(scale))


def test_padding_adds_zeros_at_right_and_below_and_keeps_the_size(tmp_path: Path) -> None:
    steps = (SCALE_ONLY, PERMUTE, {"type": "PadStride", "stride": 32})
    prepared = read_config(write_config(tmp_path, *steps)).prepare(np.full((33, 64, 3), 255, np.uint8))
    assert prepared.tensor.shape == (3, 64, 64)
    assert prepared.size_hw == (33, 64)
    assert (prepared.tensor[:, :33] == 1).all()
    assert (prepared.tensor[:, 33:] == 0).all()


@pytest.mark.parametrize("entry", [{"is_scale": False}, {"is_scale": True}])
def test_scaling_to_one_is_optional(tmp_path: Path, entry: dict[str, bool]) -> None:
    step = {**NORMALISE, "mean": [1, 2, 3], "std": [2, 2, 2], **entry}
    prepared = read_config(write_config(tmp_path, step, PERMUTE)).prepare(np.full((4, 4, 3), 51, np.uint8))
    level = 0.2 if entry["is_scale"] else 51
    np.testing.assert_allclose(prepared.tensor[:, 0, 0], [(level - mean) / 2 for mean in (1, 2, 3)], rtol=1e-5)


def test_labels_map_to_our_classes(tmp_path: Path) -> None:
    labels = ("Pedestrian", "van", "dog", "motorbike", "bus", "Truck", "bicycle")
    config = read_config(write_config(tmp_path, PERMUTE, labels=labels))
    names = [CLASS_NAMES[index] if index >= 0 else None for index in config.class_ids]
    assert names == ["person", "car", None, "motorcycle", "bus", "truck", "bicycle"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Preprocess: [{type: WarpAffine}, {type: Permute}]\nlabel_list: [person]", "step WarpAffine is not known"),
        ("Preprocess: [{type: Permute}]\nlabel_list: [cat, dog]", "none of its labels"),
        ("Preprocess: [{type: Resize, target_size: 64}]\nlabel_list: [person]", "lack Permute"),
        ("Preprocess: [{type: Permute}]", "label_list"),
        ("label_list: [person]", "Preprocess"),
        ("Preprocess: [{type: Resize}, {type: Permute}]\nlabel_list: [person]", "target_size"),
        ("Preprocess: [{type: NormalizeImage, mean: [1]}, {type: Permute}]\nlabel_list: [person]", "three values"),
        ("Preprocess: [{type: NormalizeImage, norm_type: odd}, {type: Permute}]\nlabel_list: [person]", "norm_type"),
        ("", "not as exported"),
        ("[1, 2", "not as exported"),
        ("!!python/object/apply:os.system ['true']", "not as exported"),
    ],
)
def test_configuration_that_cannot_be_followed_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "infer_cfg.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(ModelError, match=reason):
        read_config(path)


def coloured(height: int, width: int, *, red: int, blue: int) -> Image:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2], image[..., 0] = red, blue
    return image


@pytest.mark.parametrize("file_format", FORMATS)
def test_boxes_scores_and_classes_come_out_of_every_format(
    tmp_path: Path, copy_export: CopyExport, file_format: str
) -> None:
    folder = copy_export("detector", file_format, tmp_path)
    write_config(folder, RESIZE, SCALE_ONLY, PERMUTE)
    detector = PaddleDetector(folder, threads=1)
    (found,) = detector.detect([coloured(480, 640, red=204, blue=153)])  # RGB reaches it: red first
    np.testing.assert_allclose(found.scores, [0.8, 0.6], atol=1e-4)  # Paddle sums 6144 pixels in float32
    np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 640, 480], [160, 120, 480, 360]], rtol=1e-5)
    assert [CLASS_NAMES[index] for index in found.class_ids] == ["person", "car"]
    assert detector.info.name == "paddledet"


def test_each_picture_of_a_batch_gets_its_own_rows_best_first(tmp_path: Path, copy_export: CopyExport) -> None:
    folder = copy_export("detector", "json", tmp_path)
    write_config(folder, RESIZE, SCALE_ONLY, PERMUTE)
    found = PaddleDetector(folder, threads=1).detect(
        [
            coloured(100, 200, red=153, blue=255),
            coloured(300, 200, red=204, blue=0),
            coloured(50, 60, red=0, blue=100),
        ]
    )
    assert [detections.class_ids.tolist() for detections in found] == [[2, 0], [0], []]
    np.testing.assert_allclose(found[0].boxes_xyxy[1], [0, 0, 200, 100], rtol=1e-5)
    np.testing.assert_allclose(found[1].boxes_xyxy[0], [0, 0, 200, 300], rtol=1e-5)


def test_pictures_that_end_up_in_different_sizes_are_run_one_by_one(tmp_path: Path, copy_export: CopyExport) -> None:
    folder = copy_export("detector", "json", tmp_path)
    write_config(folder, {**RESIZE, "keep_ratio": True}, SCALE_ONLY, PERMUTE, {"type": "PadStride", "stride": 32})
    found = PaddleDetector(folder, threshold=0.3, threads=1).detect(
        [coloured(100, 100, red=255, blue=0), coloured(100, 300, red=255, blue=0)]
    )
    # Padding darkens the mean: 64×64 has none, 96×32 has none either.
    np.testing.assert_allclose([detections.scores[0] for detections in found], [1, 1], atol=1e-5)
    np.testing.assert_allclose(found[1].boxes_xyxy[0], [0, 0, 300, 100], rtol=1e-4)


def test_label_that_is_none_of_ours_is_dropped(tmp_path: Path, copy_export: CopyExport) -> None:
    folder = copy_export("detector", "json", tmp_path)
    write_config(folder, RESIZE, SCALE_ONLY, PERMUTE, labels=("dog", "cat", "bus"))
    (found,) = PaddleDetector(folder, threads=1).detect([coloured(64, 96, red=255, blue=255)])
    assert [CLASS_NAMES[index] for index in found.class_ids] == ["bus"]


def test_class_beyond_the_labels_is_dropped(tmp_path: Path, copy_export: CopyExport) -> None:
    folder = copy_export("detector", "json", tmp_path)
    write_config(folder, RESIZE, SCALE_ONLY, PERMUTE, labels=("person",))
    (found,) = PaddleDetector(folder, threads=1).detect([coloured(64, 96, red=255, blue=255)])
    assert found.class_ids.tolist() == [0]


def test_no_pictures_give_no_answers(tmp_path: Path, copy_export: CopyExport) -> None:
    folder = copy_export("detector", "json", tmp_path)
    write_config(folder, RESIZE, SCALE_ONLY, PERMUTE)
    assert PaddleDetector(folder, threads=1).detect([]) == []


def test_model_with_other_inputs_is_refused(tmp_path: Path, copy_export: CopyExport) -> None:
    folder = copy_export("embedder", "json", tmp_path)
    write_config(folder, RESIZE, SCALE_ONLY, PERMUTE)
    with pytest.raises(ModelError, match="wants inputs x"):
        PaddleDetector(folder, threads=1)


def test_folder_without_configuration_is_refused(tmp_path: Path, copy_export: CopyExport) -> None:
    with pytest.raises(ModelError, match=r"infer_cfg\.yml"):
        PaddleDetector(copy_export("detector", "json", tmp_path), threads=1)

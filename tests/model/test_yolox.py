from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from errors import ModelError
from model.yolox import YoloxDetector
from records import CLASS_NAMES, Image
from tests.model.sequences import read_boxes, read_frames

HEIGHT, WIDTH = 64, 96
CELLS = (8 * 12) + (4 * 6) + (2 * 3)


def write_onnx(
    path: Path,
    rows: NDArray[np.float32],
    *,
    batch: int | str,
    height: int | str = HEIGHT,
    width: int | str = WIDTH,
) -> Path:
    """Write a network that answers every picture with ``rows`` and its mean brightness as first objectness.

    The first row's objectness is the mean of the input over 255, so that a
    test can tell pictures of a batch apart and sees the padding.
    """
    selector = np.zeros((1, *rows.shape), np.float32)
    selector[0, 0, 4] = 1 / 255
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["means"], keepdims=1),
        helper.make_node("Squeeze", ["means", "last"], ["flat"]),
        helper.make_node("Mul", ["flat", "selector"], ["brightness"]),
        helper.make_node("Add", ["brightness", "rows"], ["output"]),
    ]
    constants = {
        "axes": np.array([1, 2, 3], np.int64),
        "last": np.array([3], np.int64),
        "selector": selector,
        "rows": rows[None],
    }
    graph = helper.make_graph(
        nodes,
        "scripted",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, height, width])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, *rows.shape])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


def quiet_rows() -> NDArray[np.float32]:
    return np.zeros((CELLS, 85), np.float32)


def put(rows: NDArray[np.float32], cell: int, values: tuple[float, ...], coco_class: int, score: float) -> None:
    """Write offset x, y and log size of a cell, certain of being ``coco_class``."""
    rows[cell, :4], rows[cell, 4], rows[cell, 5 + coco_class] = values, 1, score


@pytest.mark.parametrize(("name", "step"), [("TUD-Campus", 15), ("TUD-Stadtmitte", 40)])
def test_boxes_equal_those_of_the_reference_run(shared_dir: Path, yolox_onnx: Path, name: str, step: int) -> None:
    sequence = shared_dir / "data" / name
    reference = read_boxes(sequence / "det" / "yolox_nano.txt")
    detector = YoloxDetector(yolox_onnx, threshold=0.1, threads=1)
    for number, image in read_frames(sequence, step=step):
        (found,) = detector.detect([image])
        people = found.select(found.class_ids == 0)
        _, boxes, scores = reference[number]
        order = np.argsort(-scores, kind="stable")
        np.testing.assert_allclose(people.scores, scores[order], atol=1e-3)
        np.testing.assert_allclose(people.boxes_xyxy, boxes[order], atol=0.3)


def test_rows_are_decoded_by_the_stride_of_their_cell(tmp_path: Path) -> None:
    rows = quiet_rows()
    put(rows, 12 * 2 + 3, (0.5, 0.25, np.log(2), np.log(3)), 0, 0.9)  # stride 8, x 3, y 2
    put(rows, 96 + 6 * 1 + 4, (0, 0, np.log(1), np.log(1)), 2, 0.8)  # stride 16, x 4, y 1
    put(rows, 96 + 24 + 3 * 1 + 1, (0, 0, np.log(1.5), np.log(1)), 7, 0.7)  # stride 32, x 1, y 1
    detector = YoloxDetector(write_onnx(tmp_path / "net.onnx", rows, batch=1))
    (found,) = detector.detect([np.zeros((HEIGHT, WIDTH, 3), np.uint8)])
    expected = [[20, 6, 36, 30], [56, 8, 72, 24], [8, 16, 56, 48]]
    np.testing.assert_allclose(found.boxes_xyxy, expected, atol=1e-4)
    np.testing.assert_allclose(found.scores, [0.9, 0.8, 0.7], atol=1e-6)
    assert [CLASS_NAMES[index] for index in found.class_ids] == ["person", "car", "truck"]


def test_boxes_are_scaled_back_and_clipped(tmp_path: Path) -> None:
    rows = quiet_rows()
    put(rows, 0, (0, 0, np.log(4), np.log(4)), 0, 0.9)  # reaches over the top left by 16
    (found,) = YoloxDetector(write_onnx(tmp_path / "net.onnx", rows, batch=1)).detect(
        [np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8)]
    )
    np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 32, 32]], atol=1e-4)


def test_coco_classes_map_to_ours_and_others_are_dropped(tmp_path: Path) -> None:
    rows = quiet_rows()
    for place, coco_class in enumerate((0, 1, 2, 3, 4, 5, 6, 7, 79)):
        put(rows, place, (0, 0, 0, 0), coco_class, 0.9 - place * 0.01)
    (found,) = YoloxDetector(write_onnx(tmp_path / "net.onnx", rows, batch=1)).detect(
        [np.zeros((HEIGHT, WIDTH, 3), np.uint8)]
    )
    names = [CLASS_NAMES[index] for index in found.class_ids]
    assert names == ["person", "bicycle", "car", "motorcycle", "bus", "truck"]


def test_overlapping_boxes_are_suppressed_within_a_kind_only(tmp_path: Path) -> None:
    rows = quiet_rows()
    for cell, coco_class, score in ((0, 0, 0.9), (1, 0, 0.8), (2, 2, 0.7), (3, 7, 0.6)):  # people, a car, a truck
        put(rows, cell, (-cell + 3, 3, np.log(4), np.log(4)), coco_class, score)  # all in one place
    (found,) = YoloxDetector(write_onnx(tmp_path / "net.onnx", rows, batch=1)).detect(
        [np.zeros((HEIGHT, WIDTH, 3), np.uint8)]
    )
    np.testing.assert_allclose(found.scores, [0.9, 0.7], atol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 3, "N"])
def test_each_picture_gets_its_own_answer_whatever_the_batch_size(tmp_path: Path, batch: int | str) -> None:
    rows = quiet_rows()
    rows[0, 5] = 1
    detector = YoloxDetector(write_onnx(tmp_path / "net.onnx", rows, batch=batch), threshold=0.1)
    levels = (60, 250, 120, 10, 200)
    found = detector.detect([np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in levels])
    for level, detections in zip(levels, found, strict=True):
        expected = [level / 255] if level >= 0.1 * 255 else []
        np.testing.assert_allclose(detections.scores, expected, atol=1e-5)


def test_picture_of_another_shape_is_padded_with_114_at_right_and_below(tmp_path: Path) -> None:
    rows = quiet_rows()
    rows[0, 5] = 1
    detector = YoloxDetector(write_onnx(tmp_path / "net.onnx", rows, batch=1), threshold=0.1)
    tall: Image = np.full((HEIGHT, WIDTH // 2, 3), 250, np.uint8)
    (found,) = detector.detect([tall])
    np.testing.assert_allclose(found.scores, [(250 + 114) / 2 / 255], atol=1e-5)


def test_a_network_of_free_sides_sees_pictures_at_the_wanted_side_without_padding(tmp_path: Path) -> None:
    rows = quiet_rows()
    put(rows, 12 * 2 + 3, (0.5, 0.25, np.log(2), np.log(3)), 0, 0.9)
    rows[0, 5] = 1
    path = write_onnx(tmp_path / "net.onnx", rows, batch="N", height="H", width="W")
    detector = YoloxDetector(path, input_side=WIDTH, threshold=0.1)
    small, large = (np.full((k * HEIGHT, k * WIDTH, 3), 250, np.uint8) for k in (1, 3))
    for scale, found in zip((1, 3, 1), detector.detect([small, large, small]), strict=True):
        np.testing.assert_allclose(found.scores, [250 / 255, 0.9], atol=1e-5)
        np.testing.assert_allclose(found.boxes_xyxy[1], np.array([20, 6, 36, 30]) * scale, atol=1e-3)


def test_a_network_of_free_sides_whose_answer_does_not_follow_them_is_refused(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx", quiet_rows(), batch="N", height="H", width="W")
    with pytest.raises(ModelError, match=r"\(1, 126, 85\), not \(N, 189, 85\)"):
        YoloxDetector(path, input_side=WIDTH).detect([np.zeros((WIDTH, WIDTH, 3), np.uint8)])


@pytest.mark.parametrize("side", [0, -32, 100])
def test_an_input_side_that_no_stride_divides_is_refused(tmp_path: Path, side: int) -> None:
    with pytest.raises(ValueError, match="multiple of 32"):
        YoloxDetector(tmp_path / "net.onnx", input_side=side)


def test_a_network_with_one_free_side_is_refused(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1, width="W")
    with pytest.raises(ModelError, match="both sides of the input"):
        YoloxDetector(path)


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (4320, 7680)])
def test_any_picture_size_is_taken(tmp_path: Path, size: tuple[int, int]) -> None:
    detector = YoloxDetector(write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1))
    assert len(detector.detect([np.zeros((*size, 3), np.uint8)])[0]) == 0


def test_no_pictures_give_no_answers(tmp_path: Path) -> None:
    assert YoloxDetector(write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1)).detect([]) == []


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.onnx"):
        YoloxDetector(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("content", [b"", b"hello world" * 100])
def test_file_that_is_no_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"onnxruntime refuses"):
        YoloxDetector(path)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match=r"onnxruntime refuses"):
        YoloxDetector(path)


def test_network_with_other_outputs_is_refused(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx", np.zeros((CELLS, 84), np.float32), batch=1)
    with pytest.raises(ModelError, match=r"126, 85\) is wanted"):
        YoloxDetector(path)


def test_network_with_sides_that_no_stride_divides_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="multiples of 32"):
        YoloxDetector(write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1, height=50))


def test_gpu_that_is_not_there_is_said(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    path = write_onnx(tmp_path / "net.onnx", quiet_rows(), batch=1)
    with pytest.raises(ModelError, match="GPU was asked for"):
        YoloxDetector(path, use_gpu=True)

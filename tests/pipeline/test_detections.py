"""The file of what was detected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.detections import LEVELS, DetectionHead, DetectionTable, DetectionWriter, quantise, restore
from records import Detections, FloatArray, MediaFacts, ModelInfo, Notice

_FACTS = MediaFacts("matroska", "ffv1", "bgr0", 320, 240, 3.0, 10.0, 30, 1.0, 0, 1000)
_HEAD = DetectionHead(
    facts=_FACTS,
    stride=2,
    detector=ModelInfo("hog", "", "cpu", (Notice("model.hog_fallback", {"path": "门"}),)),
    embedder=ModelInfo("colour"),
    described_boxes=4,
    descriptor_gate=0.13,
)


def _detections(count: int, seed: int) -> Detections:
    random = np.random.default_rng(seed)
    boxes = random.uniform(0, 200, (count, 4)).astype(np.float32)
    return Detections(boxes, random.uniform(0, 1, count).astype(np.float32), random.integers(0, 6, count))


def _descriptors(count: int, seed: int, dimension: int = 48) -> FloatArray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_a_descriptor_comes_back_nearly_as_it_was() -> None:
    rows = _descriptors(50, 1, 448)
    again = restore(quantise(rows))
    np.testing.assert_allclose(np.linalg.norm(again, axis=1), 1, atol=1e-5)
    assert (rows * again).sum(axis=1).min() > 0.995
    assert np.abs(quantise(rows)).max() == LEVELS


def test_what_was_kept_stays_the_same_when_kept_again() -> None:
    codes = quantise(_descriptors(50, 2))
    np.testing.assert_array_equal(quantise(restore(codes)), codes)


def test_boxes_without_a_descriptor_stay_without_one() -> None:
    rows = np.zeros((2, 5), np.float32)
    rows[1, 2] = np.nan
    assert not restore(quantise(rows)).any()
    assert restore(quantise(np.zeros((0, 5), np.float32))).shape == (0, 5)


@pytest.mark.parametrize("counts", [[], [0], [1], [0, 0, 3, 0], [500, 500, 500, 500, 500], [3] * 1000])
def test_frames_come_back_in_order(tmp_path: Path, counts: list[int]) -> None:
    path = tmp_path / "detections.npz"
    affine = np.array([[1.0, 0.01, 3.5], [-0.01, 1.0, 1 / 3]])
    with DetectionWriter(path) as writer:
        for frame, count in enumerate(counts):
            writer.add_time(frame / 10)
            writer.add(_detections(count, frame), quantise(_descriptors(count, frame)), affine if frame == 1 else None)
        assert not path.exists(), "nothing is there before the end"
        writer.finish(_HEAD)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    table = DetectionTable(path)
    assert (table.head, table.analysed_count, len(table)) == (_HEAD, len(counts), sum(counts))
    np.testing.assert_array_equal(table.frame_pts_s, np.arange(len(counts)) / 10)
    for frame, found in enumerate(table.frames()):
        expected = _detections(counts[frame], frame)
        np.testing.assert_array_equal(found.detections.boxes_xyxy, expected.boxes_xyxy)
        np.testing.assert_array_equal(found.detections.scores, expected.scores)
        np.testing.assert_array_equal(found.detections.class_ids, expected.class_ids)
        if counts[frame]:
            np.testing.assert_array_equal(found.descriptors, restore(quantise(_descriptors(counts[frame], frame))))
        if frame == 1:
            np.testing.assert_array_equal(found.camera_affine, affine)
        else:
            assert found.camera_affine is None


def test_embeddings_come_back_with_their_rows(tmp_path: Path) -> None:
    vectors = _descriptors(5, 7)
    with DetectionWriter(tmp_path / "d.npz") as writer:
        writer.add_embeddings(np.array([4, 2]), vectors[:2])
        writer.add_embeddings(np.array([9, 8, 7]), vectors[2:])
        writer.finish(_HEAD)
    table = DetectionTable(tmp_path / "d.npz")
    assert table.embedded_rows.tolist() == [4, 2, 9, 8, 7]
    np.testing.assert_array_equal(table.embeddings, vectors.astype(np.float16))


def test_an_end_without_finish_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with DetectionWriter(tmp_path / "d.npz") as writer:
            writer.add(_detections(3000, 1), quantise(_descriptors(3000, 1)), None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []

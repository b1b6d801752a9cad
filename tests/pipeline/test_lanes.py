"""Pictures detected side by side come back as if one after the other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from model.yolox import YoloxDetector
from pipeline.lanes import DetectorLanes, build_detector_lanes
from records import Detections, Image, ModelInfo
from video.decode import open_video


class Lane:
    """Finds one box as wide as the picture's first pixel says."""

    info = ModelInfo("lane")

    def __init__(self) -> None:
        self.pictures = 0
        self.threads: set[int] = set()

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        self.pictures += len(images_bgr)
        self.threads.add(threading.get_ident())
        return [
            Detections(np.array([[0, 0, image[0, 0, 0], 1]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))
            for image in images_bgr
        ]


def _pictures(count: int) -> list[Image]:
    return [np.full((2, 2, 3), index + 1, np.uint8) for index in range(count)]


@pytest.mark.parametrize("lane_count", [1, 2, 3])
@pytest.mark.parametrize("picture_count", [0, 1, 2, 5, 6])
def test_results_keep_the_order_of_the_pictures(lane_count: int, picture_count: int) -> None:
    lanes = [Lane() for _ in range(lane_count)]
    found = DetectorLanes(lanes).detect(_pictures(picture_count))
    assert [int(detections.boxes_xyxy[0, 2]) for detections in found] == list(range(1, picture_count + 1))
    assert sum(lane.pictures for lane in lanes) == picture_count
    if picture_count:
        assert max(lane.pictures for lane in lanes) == -(-picture_count // lane_count)


def test_a_failure_in_a_lane_comes_through() -> None:
    class Broken(Lane):
        def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
            raise MemoryError

    with pytest.raises(MemoryError):
        DetectorLanes([Lane(), Broken()]).detect(_pictures(4))


def test_no_lane_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one detector"):
        DetectorLanes([])


def test_hog_has_one_lane(tmp_path: Path) -> None:
    detector = build_detector_lanes("hog", tmp_path, threshold=None, threads=2, use_gpu=False)
    assert not isinstance(detector, DetectorLanes)


def test_the_notice_of_the_built_in_detector_survives_lanes(tmp_path: Path) -> None:
    detector = build_detector_lanes("auto", tmp_path, threshold=None, threads=2, use_gpu=False)
    assert isinstance(detector, DetectorLanes)
    assert [notice.code for notice in detector.info.notices] == ["model.builtin_detector"]


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No weights for yolox"):
        build_detector_lanes("yolox", tmp_path, threshold=None, threads=2, use_gpu=False)


@pytest.mark.slow
def test_yolox_finds_the_same_in_lanes(yolox_onnx: Path, vtest_avi: Path) -> None:
    with open_video(vtest_avi, max_frames=5) as reader:
        pictures = [frame.image_bgr for frame in reader]
    expected = YoloxDetector(yolox_onnx, threads=1).detect(pictures)
    lanes = build_detector_lanes("yolox", yolox_onnx, threshold=None, threads=2, use_gpu=False)
    assert isinstance(lanes, DetectorLanes)
    assert lanes.info.name == "yolox"
    for got, want in zip(lanes.detect(pictures), expected, strict=True):
        np.testing.assert_array_equal(got.boxes_xyxy, want.boxes_xyxy)
        np.testing.assert_array_equal(got.scores, want.scores)

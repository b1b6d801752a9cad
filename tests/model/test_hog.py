from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.hog import HogDetector
from records import CLASS_NAMES
from tests.model.sequences import average_precision, read_boxes, read_frames


def test_people_of_real_pictures_are_found(shared_dir: Path) -> None:
    sequence = shared_dir / "data" / "PETS09-S2L1"
    truth = {number: boxes for number, (_, boxes, _) in read_boxes(sequence / "gt" / "gt.txt").items()}
    detector = HogDetector(threshold=0.05)
    found = {number: detector.detect([image])[0] for number, image in read_frames(sequence, step=160)}
    assert len(found) == 5
    assert average_precision(found, {number: truth[number] for number in found}) >= 0.7


def test_boxes_are_ordered_clipped_people_above_the_threshold(shared_dir: Path) -> None:
    _, image = next(read_frames(shared_dir / "data" / "TUD-Campus", step=10))
    weak, strong = (HogDetector(threshold=threshold).detect([image])[0] for threshold in (0.05, 0.5))
    assert len(weak) > len(strong) > 0
    assert strong.scores.min() >= 0.5
    assert (np.diff(weak.scores) <= 0).all()
    assert {CLASS_NAMES[index] for index in weak.class_ids} == {"person"}
    height, width = image.shape[:2]
    assert (weak.boxes_xyxy >= 0).all()
    assert (weak.boxes_xyxy <= [width, height, width, height]).all()
    np.testing.assert_array_equal(strong.boxes_xyxy, weak.boxes_xyxy[: len(strong)])


def test_a_larger_working_side_finds_smaller_people(shared_dir: Path) -> None:
    _, image = next(read_frames(shared_dir / "data" / "PETS09-S2L1", step=10))
    small, large = (HogDetector(threshold=0.3, working_side=side).detect([image])[0] for side in (768, 1104))
    assert len(small) < len(large)


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (60, 200), (64, 32)])
def test_picture_too_small_for_a_person_gives_nothing(size: tuple[int, int]) -> None:
    (detections,) = HogDetector().detect([np.full((*size, 3), 90, np.uint8)])
    assert len(detections) == 0


def test_empty_picture_gives_nothing_and_no_picture_no_answer() -> None:
    detector = HogDetector()
    assert [len(found) for found in detector.detect([np.full((240, 320, 3), 128, np.uint8)])] == [0]
    assert detector.detect([]) == []


def test_a_second_look_finds_exactly_the_same(shared_dir: Path) -> None:
    _, image = next(read_frames(shared_dir / "data" / "TUD-Stadtmitte", step=10))
    first, *others = HogDetector(threshold=0.05, threads=2).detect([image] * 4)
    for other in others:
        np.testing.assert_array_equal(other.boxes_xyxy, first.boxes_xyxy)
        np.testing.assert_array_equal(other.scores, first.scores)

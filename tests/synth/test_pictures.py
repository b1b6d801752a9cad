"""Training pictures and their truth."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from records import CLASS_NAMES
from synth.banks import BackdropBank, SpriteBank
from synth.coco import write_pictures
from synth.pictures import Picture, PictureMaker

Banks = tuple[SpriteBank, BackdropBank]
SIDE = 192


@pytest.fixture(scope="module")
def pictures(banks: Banks) -> list[Picture]:
    maker, rng = PictureMaker(*banks, side=SIDE), np.random.default_rng(5)
    return [maker.make(rng) for _ in range(40)]


def test_the_same_seed_gives_the_same_picture(banks: Banks, pictures: list[Picture]) -> None:
    again = PictureMaker(*banks, side=SIDE).make(np.random.default_rng(5))
    assert (again.image_rgb == pictures[0].image_rgb).all()
    assert (again.boxes_xyxy == pictures[0].boxes_xyxy).all()


def test_boxes_lie_in_the_picture_and_are_not_empty(pictures: list[Picture]) -> None:
    boxes = np.concatenate([picture.boxes_xyxy for picture in pictures])
    assert len(boxes) > 60
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= SIDE).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_people_and_vehicles_of_all_sizes_are_there(pictures: list[Picture]) -> None:
    classes = np.concatenate([picture.class_ids for picture in pictures])
    heights = np.concatenate([picture.boxes_xyxy[:, 3] - picture.boxes_xyxy[:, 1] for picture in pictures])
    assert set(classes) <= set(range(len(CLASS_NAMES)))
    assert (classes == 0).sum() > 40
    assert (classes > 0).sum() > 5
    assert heights.min() < 30
    assert heights.max() > 0.6 * SIDE
    assert any(len(picture.boxes_xyxy) == 0 for picture in pictures), "pictures without anybody teach, too"


def test_what_is_hardly_seen_is_not_asked_for(pictures: list[Picture]) -> None:
    visibility = np.concatenate([picture.visibility for picture in pictures])
    is_ignored = np.concatenate([picture.is_ignored for picture in pictures])
    assert is_ignored[visibility < 0.22].all()
    assert not is_ignored.all()
    assert visibility.min() > 0.05


def test_coco_files_hold_the_same_boxes(banks: Banks, tmp_path: Path, pictures: list[Picture]) -> None:
    write_pictures(tmp_path, PictureMaker(*banks, side=SIDE), 4, seed=5)
    truth = json.loads((tmp_path / "annotations.json").read_text("utf-8"))
    assert [image["file_name"] for image in truth["images"]] == [f"{number:06d}.jpg" for number in range(1, 5)]
    for number in range(1, 5):
        rows = [row["bbox"] for row in truth["annotations"] if row["image_id"] == number]
        boxes = pictures[number - 1].boxes_xyxy
        expected = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        assert np.allclose(np.array(rows).reshape(-1, 4), expected, atol=0.11)
    read = cv2.imread(str(tmp_path / "images" / "000001.jpg"))
    assert read is not None
    assert np.abs(read[..., ::-1].astype(int) - pictures[0].image_rgb).mean() < 6
    assert {row["id"] for row in truth["categories"]} == {1, 2, 3, 4, 6, 8}

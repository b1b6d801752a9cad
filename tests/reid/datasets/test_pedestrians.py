from __future__ import annotations

from pathlib import Path

import pytest

from errors import DataError
from reid.datasets import read_dataset
from reid.datasets.records import check_cross_camera, check_training_images
from tests.reid.datasets.make_pictures import touch_pictures


def write_market(root: Path) -> Path:
    touch_pictures(
        root / "bounding_box_train", ["0002_c1s1_000451_03.jpg", "0002_c2s1_000500_01.jpg", "0007_c3s3_1_1.jpg"]
    )
    touch_pictures(root / "query", ["0001_c1s1_001051_00.jpg"])
    touch_pictures(
        root / "bounding_box_test", ["-1_c1s1_000401_03.jpg", "0000_c1s1_000151_01.jpg", "0001_c4s1_1_1.jpg"]
    )
    return root


def test_market1501_drops_junk_and_keeps_distractors(tmp_path: Path) -> None:
    (write_market(tmp_path) / "bounding_box_test" / "Thumbs.db").write_bytes(b"")
    dataset = read_dataset("market1501", tmp_path)
    assert [(image.identity, image.camera) for image in dataset.train] == [(2, 1), (2, 2), (7, 3)]
    assert [(image.identity, image.camera) for image in dataset.query] == [(1, 1)]
    assert [(image.identity, image.camera) for image in dataset.gallery] == [(0, 1), (1, 4)]


def test_an_archive_may_have_a_folder_of_its_own(tmp_path: Path) -> None:
    write_market(tmp_path / "Market-1501-v15.09.15")
    assert len(read_dataset("market1501", tmp_path).train) == 3


def test_dukemtmc_reads_two_digit_cameras_and_its_own_names(tmp_path: Path) -> None:
    touch_pictures(tmp_path / "bounding_box_train", ["0005_c2_f0046985.jpg"])
    touch_pictures(tmp_path / "query", ["0006_c8_f0046985.jpg"])
    touch_pictures(tmp_path / "bounding_box_test", ["0006_c1_f0000001.jpg"])
    dataset = read_dataset("dukemtmc", tmp_path)
    assert [(image.identity, image.camera) for image in (*dataset.train, *dataset.query)] == [(5, 2), (6, 8)]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    write_market(tmp_path)
    (tmp_path / "query" / "0001_c1s1_001051_00.jpg").unlink()
    (tmp_path / "query").rmdir()
    with pytest.raises(DataError, match="query”, which Market-1501 needs, is not there"):
        read_dataset("market1501", tmp_path)
    with pytest.raises(DataError, match="nowhere”, which Market-1501 needs"):
        read_dataset("market1501", tmp_path / "nowhere")


def test_a_name_that_says_nothing_is_refused_with_an_example(tmp_path: Path) -> None:
    touch_pictures(write_market(tmp_path) / "query", ["holiday.jpg"])
    with pytest.raises(DataError, match=r"holiday\.jpg” does not tell identity and camera.*0002_c1s1_000451_03\.jpg"):
        read_dataset("market1501", tmp_path)


def test_an_unknown_data_set_is_answered_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data set named “market”.*market1501, dukemtmc"):
        read_dataset("market", tmp_path)


def test_one_camera_alone_cannot_be_judged_across_cameras(tmp_path: Path) -> None:
    dataset = read_dataset("market1501", write_market(tmp_path))
    check_cross_camera(dataset.query, dataset.gallery, dataset="ours")
    first_camera = [image for image in dataset.gallery if image.camera == 1]
    with pytest.raises(DataError, match="All pictures of ours come from camera 1"):
        check_cross_camera(dataset.query, first_camera, dataset="ours")
    with pytest.raises(DataError, match="ours has no pictures in its part “gallery”"):
        check_cross_camera(dataset.query, [], dataset="ours")
    strangers = [image for image in dataset.train if image.camera == 3]
    with pytest.raises(DataError, match="No query of ours has a picture of the same identity from another camera"):
        check_cross_camera(dataset.query, strangers, dataset="ours")


def test_nothing_can_be_learnt_from_single_pictures_or_one_identity(tmp_path: Path) -> None:
    train = read_dataset("market1501", write_market(tmp_path)).train
    check_training_images(train, dataset="ours")
    with pytest.raises(DataError, match="None of the 2 identities of ours has two pictures"):
        check_training_images(train[1:], dataset="ours")
    with pytest.raises(DataError, match="ours has 1 identities to train on; at least 2"):
        check_training_images(train[:2], dataset="ours")

from __future__ import annotations

from pathlib import Path

import pytest

from errors import DataError
from reid.datasets import Split, read_dataset
from tests.reid.datasets.make_pictures import touch_pictures

_XML = """<?xml version="1.0" encoding="gb2312"?>
<TrainingImages Version="1.0"><Items number="1">
<Item imageName="{name}" vehicleID="{vehicle}" cameraID="{camera}" colorID="1" typeID="4" note="车" />
</Items></TrainingImages>"""


def write_veri(root: Path) -> Path:
    touch_pictures(root / "image_train", ["0001_c001_00016450_0.jpg"])
    touch_pictures(root / "image_query", ["0002_c002_00030600_0.jpg"])
    touch_pictures(root / "image_test", ["0002_c020_00030670_0.jpg"])
    return root


def test_veri776_is_read_from_names(tmp_path: Path) -> None:
    dataset = read_dataset("veri776", write_veri(tmp_path))
    assert [(image.identity, image.camera) for image in dataset.images] == [(1, 1), (2, 2), (2, 20)]
    assert [image.split for image in dataset.images] == [Split.TRAIN, Split.QUERY, Split.GALLERY]


def test_veri776_believes_its_xml_in_chinese_encoding(tmp_path: Path) -> None:
    text = _XML.format(name="0001_c001_00016450_0.jpg", vehicle="0777", camera="c013")
    (write_veri(tmp_path) / "train_label.xml").write_bytes(text.encode("gb2312"))
    (image,) = read_dataset("veri776", tmp_path).train
    assert (image.identity, image.camera) == (777, 13)


def test_veri776_names_a_picture_without_label_and_a_broken_file(tmp_path: Path) -> None:
    touch_pictures(write_veri(tmp_path) / "image_train", ["0003_c003_00000001_0.jpg"])
    text = _XML.format(name="0001_c001_00016450_0.jpg", vehicle="0001", camera="c001")
    labels = tmp_path / "train_label.xml"
    labels.write_bytes(text.encode("gb2312"))
    with pytest.raises(DataError, match=r"0003_c003_00000001_0\.jpg” has no line in train_label\.xml"):
        read_dataset("veri776", tmp_path)
    labels.write_bytes(text.encode("gb2312")[:-10])
    with pytest.raises(DataError, match=r"train_label\.xml” cannot be read as labels of VeRi-776"):
        read_dataset("veri776", tmp_path)


def test_vehicleid_has_three_test_lists_and_no_cameras(tmp_path: Path) -> None:
    touch_pictures(tmp_path / "image", ["0000001.jpg", "0000002.jpg", "0000003.jpg"])
    lists = tmp_path / "train_test_split"
    lists.mkdir()
    (lists / "train_list.txt").write_text("0000001 11\n0000002 11\n")
    (lists / "test_list_1600.txt").write_text("0000003 12\n")
    dataset = read_dataset("vehicleid_1600", tmp_path)
    assert [(image.identity, image.camera) for image in dataset.train] == [(11, 0), (11, 0)]
    assert [image.identity for image in dataset.test] == [12]
    with pytest.raises(DataError, match=r"test_list_800\.txt” cannot be read"):
        read_dataset("vehicleid_800", tmp_path)
    (lists / "test_list_800.txt").write_text("0000009 12\n")
    with pytest.raises(DataError, match=r"0000009\.jpg” is named in VehicleID \(800\) but is not there"):
        read_dataset("vehicleid_800", tmp_path)
    (lists / "test_list_800.txt").write_text("0000003 12 7\n")
    with pytest.raises(DataError, match="line 1 should be “picture vehicle”, it is “0000003 12 7”"):
        read_dataset("vehicleid_800", tmp_path)

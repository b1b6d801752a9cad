from __future__ import annotations

from pathlib import Path

import pytest

from errors import DataError
from reid.datasets import read_dataset
from tests.reid.datasets.make_pictures import touch_pictures


def test_folders_named_by_numbers_keep_them(tmp_path: Path) -> None:
    touch_pictures(tmp_path / "0012", ["gate_c2_0001.jpg", "x.png"])
    touch_pictures(tmp_path / "7", ["c13_1.jpg"])
    dataset = read_dataset("folders", tmp_path)
    assert [(image.identity, image.camera) for image in dataset.train] == [(12, 2), (12, 0), (7, 13)]


def test_other_folders_are_numbered_alike_in_all_parts(tmp_path: Path) -> None:
    touch_pictures(tmp_path / "train" / "ada", ["1.jpg"])
    touch_pictures(tmp_path / "train" / "bob", ["1.jpg"])
    touch_pictures(tmp_path / "query" / "bob", ["c1_1.jpg"])
    touch_pictures(tmp_path / "gallery" / "bob", ["c2_1.jpg"])
    touch_pictures(tmp_path / "gallery" / "7", ["c2_1.jpg"])
    dataset = read_dataset("folders", tmp_path)
    assert [image.identity for image in dataset.train] == [2, 3]
    assert [image.identity for image in (*dataset.query, *dataset.gallery)] == [3, 1, 3]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    with pytest.raises(DataError, match="No picture of"):
        read_dataset("folders", tmp_path)

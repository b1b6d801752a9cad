from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from errors import DataError
from reid.datasets import read_dataset
from reid.datasets.cuhk03 import read_cuhk03_classic
from tests.reid.datasets.make_pictures import touch_pictures

NAMES = ["1_001_1_01.png", "1_001_2_06.png", "2_001_1_01.png", "2_001_2_07.png"]


def write_archive(root: Path, splits: list[dict[str, list[list[object]]]], *, name: str) -> Path:
    archive = root / "archive"
    touch_pictures(archive / "images_detected", NAMES)
    touch_pictures(archive / "images_labeled", NAMES[2:])
    (archive / name).write_text(json.dumps(splits), "utf-8")
    return root


def row(name: str, pid: int, camera: int) -> list[object]:
    return [f"data\\cuhk03\\images_detected\\{name}", pid, camera]


def test_identity_comes_from_the_name_and_backslashes_are_understood(tmp_path: Path) -> None:
    split = {
        "train": [row(NAMES[0], 0, 0), row(NAMES[1], 0, 1)],  # relabelled pids
        "query": [row(NAMES[2], 844, 0)],  # pids as they are
        "gallery": [row(NAMES[3], 844, 1)],
        "num_train_pids": 1,
    }
    dataset = read_dataset("cuhk03_detected", write_archive(tmp_path, [split], name="splits_new_detected.json"))
    assert [(image.identity, image.camera) for image in dataset.train] == [(10001, 1), (10001, 2)]
    assert [(image.identity, image.camera) for image in (*dataset.query, *dataset.gallery)] == [(20001, 1), (20001, 2)]
    assert all(image.path.is_file() for image in dataset.images)


def test_labelled_boxes_have_their_own_pictures_and_lists(tmp_path: Path) -> None:
    split = {"train": [], "query": [row(NAMES[2], 1, 0)], "gallery": [row(NAMES[3], 1, 1)]}
    dataset = read_dataset("cuhk03_labelled", write_archive(tmp_path, [split], name="splits_new_labeled.json"))
    assert [image.path.parent.name for image in dataset.images] == ["images_labeled"] * 2


def test_the_protocols_own_configuration_is_read_where_there_is_no_json(tmp_path: Path) -> None:
    from scipy.io import savemat

    archive = touch_pictures(tmp_path / "images_detected", NAMES).parent
    names = np.empty((4, 1), object)
    names[:, 0] = NAMES
    content = {"filelist": names, "train_idx": [[1], [2]], "query_idx": [[3]], "gallery_idx": [[4]]}
    savemat(str(archive / "cuhk03_new_protocol_config_detected.mat"), content)
    dataset = read_dataset("cuhk03_detected", tmp_path)
    assert [image.path.name for image in dataset.train] == NAMES[:2]
    assert [image.path.name for image in (*dataset.query, *dataset.gallery)] == NAMES[2:]


def test_a_classic_split_is_chosen_by_its_number(tmp_path: Path) -> None:
    splits = [
        {
            "train": [row(NAMES[0], 0, 0)],
            "query": [row(name, 1, 0) for name in NAMES[2:]],
            "gallery": [row(NAMES[3], 1, 1)],
        },
        {"train": [row(NAMES[2], 0, 0)], "query": [row(NAMES[0], 1, 0)], "gallery": [row(NAMES[1], 1, 1)]},
    ]
    write_archive(tmp_path, splits, name="splits_classic_detected.json")
    assert len(read_dataset("cuhk03_classic_detected", tmp_path).query) == 2
    assert read_cuhk03_classic(tmp_path, split_number=1).train[0].identity == 20001
    with pytest.raises(DataError, match="it has 2 splits, number 2 is not among them"):
        read_cuhk03_classic(tmp_path, split_number=2)


def test_faults_of_the_lists_are_named(tmp_path: Path) -> None:
    split = {"train": [row("1_009_1_01.png", 0, 0)], "query": [], "gallery": []}
    write_archive(tmp_path, [split], name="splits_new_detected.json")
    with pytest.raises(DataError, match=r"1_009_1_01\.png” is named in CUHK03"):
        read_dataset("cuhk03_detected", tmp_path)
    (tmp_path / "archive" / "splits_new_detected.json").write_text('[{"train": []}]')
    with pytest.raises(DataError, match="cannot be read as a list of splits of CUHK03: KeyError"):
        read_dataset("cuhk03_detected", tmp_path)
    with pytest.raises(DataError, match=r"splits_classic_detected\.json” cannot be read"):
        read_dataset("cuhk03_classic_detected", tmp_path)
    with pytest.raises(DataError, match="images_labeled”, which CUHK03"):
        read_dataset("cuhk03_labelled", tmp_path / "archive" / "images_detected")

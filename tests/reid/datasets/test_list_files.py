from __future__ import annotations

from pathlib import Path

import pytest

from errors import DataError
from reid.__main__ import main
from reid.datasets import Split, read_dataset
from reid.datasets.list_files import HEADER, class_count, make_lists, read_list
from tests.reid.datasets.make_pictures import touch_pictures


def write_gt_bbox(root: Path) -> Path:
    names = [f"{identity:04d}_c{camera}s1_000001_00.jpg" for identity in (1, 2, 9) for camera in (1, 2)]
    return touch_pictures(root / "gt_bbox", names)


def test_the_last_pictures_are_held_out_and_identities_are_the_first_four_characters(tmp_path: Path) -> None:
    make_lists(write_gt_bbox(tmp_path), tmp_path, held_out=2)
    assert (tmp_path / "train_list.txt").read_text().splitlines() == [
        HEADER,
        "1 1 1 gt_bbox/0001_c1s1_000001_00.jpg",
        "2 1 1 gt_bbox/0001_c2s1_000001_00.jpg",
        "3 2 1 gt_bbox/0002_c1s1_000001_00.jpg",
        "4 2 1 gt_bbox/0002_c2s1_000001_00.jpg",
    ]
    dataset = read_dataset("lists", tmp_path)
    assert [image.identity for image in dataset.train] == [0, 0, 1, 1]
    assert [image.identity for image in dataset.test] == [2, 2]


def test_lists_written_elsewhere_still_find_the_pictures(tmp_path: Path) -> None:
    train, _ = make_lists(write_gt_bbox(tmp_path), tmp_path / "lists", held_out=2)
    assert all(image.path.is_file() for image in read_list(train, Split.TRAIN))


def test_the_command_holds_1014_pictures_out_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = str(write_gt_bbox(tmp_path))
    assert main(["lists", "--pictures", pictures, "--out", str(tmp_path)]) == 2
    assert "has 6 pictures, and 1014 are to be held out" in capsys.readouterr().err
    assert main(["lists", "--pictures", pictures, "--out", str(tmp_path), "--held_out", "2"]) == 0
    assert "test_list.txt" in capsys.readouterr().out


def test_class_dim_is_read_from_the_list_and_must_not_contradict_it(tmp_path: Path) -> None:
    train, _ = make_lists(write_gt_bbox(tmp_path), tmp_path, held_out=2)
    images = read_list(train, Split.TRAIN)
    assert class_count(images, class_dim=None, source=train) == 2
    assert class_count(images, class_dim=2, source=train) == 2
    with pytest.raises(DataError, match=r"class_dim is 1421, but the labels of .* make 2 classes"):
        class_count(images, class_dim=1421, source=train)


@pytest.mark.parametrize("line", ["1 0 1 a.jpg", "1 x 1 a.jpg", "1 1 a.jpg"])
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "train_list.txt"
    path.write_text(f"{HEADER}\n{line}\n")
    with pytest.raises(DataError, match=f"line 2 should be “{HEADER}” with classes from 1, it is “{line}”"):
        read_list(path, Split.TRAIN)


def test_paths_may_have_spaces_and_backslashes(tmp_path: Path) -> None:
    touch_pictures(tmp_path / "my pictures", ["a b.jpg"])
    path = tmp_path / "train_list.txt"
    path.write_text(f"{HEADER}\n1 3 1 my pictures\\a b.jpg\n\n")
    (image,) = read_list(path, Split.TRAIN)
    assert image.path.is_file()
    assert image.identity == 2

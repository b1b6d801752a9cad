from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errors import DataError
from reid.datasets import ReIDImage, Split
from reid.datasets.crops import CropArrays, CropFiles, load_into_memory
from tests.reid.datasets.make_pictures import touch_pictures


def test_files_and_arrays_give_the_same_crops(tmp_path: Path) -> None:
    folder = touch_pictures(tmp_path, ["a.png", "b.png"])
    files = CropFiles([ReIDImage(folder / f"{name}.png", 5 + row, row, Split.TRAIN) for row, name in enumerate("ab")])
    arrays = load_into_memory(files, (2, 3))
    assert len(files) == len(arrays) == 2
    np.testing.assert_array_equal(files.load(1), arrays.load(1))
    assert arrays.identities.tolist() == files.identities.tolist() == [5, 6]
    assert load_into_memory(files, (7, 5)).images_bgr.shape == (2, 5, 7, 3)


def test_a_file_of_crops_comes_back_as_it_was(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 2, 3), np.uint8)
    CropArrays(pixels, np.array([1, 1, 2]), np.array([1, 2, 1])).save(tmp_path / "crops.npz")
    crops = CropArrays.from_npz(tmp_path / "crops.npz")
    np.testing.assert_array_equal(crops.images_bgr, pixels)
    assert crops.cameras.tolist() == [1, 2, 1]
    assert crops.select(np.array([2])).identities.tolist() == [2]


def test_cameras_may_be_unknown(tmp_path: Path) -> None:
    np.savez(tmp_path / "crops.npz", images_bgr=np.zeros((2, 4, 2, 3), np.uint8), identities=np.array([1, 2]))
    assert CropArrays.from_npz(tmp_path / "crops.npz").cameras.tolist() == [0, 0]


def test_what_is_no_file_of_crops_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "crops.npz"
    with pytest.raises(DataError, match="cannot be read as crops"):
        CropArrays.from_npz(path)
    np.savez(path, images_bgr=np.zeros((2, 4, 2, 3), np.uint8))
    with pytest.raises(DataError, match="identities"):
        CropArrays.from_npz(path)
    np.savez(path, images_bgr=np.zeros((2, 4, 2, 3), np.uint8), identities=np.zeros(3, np.int64))
    with pytest.raises(DataError, match=r"identities must have shape \(2,\), not \(3,\)"):
        CropArrays.from_npz(path)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    for name, content in (("a.jpg", b"no picture"), ("empty.jpg", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name}” cannot be read as a picture"):
            CropFiles([ReIDImage(tmp_path / name, 1, 1, Split.TRAIN)]).load(0)
    with pytest.raises(DataError, match="is not there, or cannot be opened"):
        CropFiles([ReIDImage(tmp_path / "none.jpg", 1, 1, Split.TRAIN)]).load(0)

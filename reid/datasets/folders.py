"""A user's own data: one folder for each identity."""

from __future__ import annotations

import re
from pathlib import Path

from errors import DataError
from reid.datasets.listing import pictures_in
from reid.datasets.records import ReIDDataset, ReIDImage, Split

_CAMERA = re.compile(r"(?:^|_)c(\d+)")


def read_folders(root: Path) -> ReIDDataset:
    """Return the pictures of ``root/<identity>/``, or of ``root/{train,query,gallery,test}/<identity>/``.

    A folder named by a number is that identity; when any is not, all are
    numbered from 1 by name. The camera comes from ``c<number>`` in a picture's
    name (``gate_c2_0001.jpg``), and is 0 where the name has none.
    Without the four folders all pictures are for training. Where cameras are not known, use
    ``test/``: its pictures are judged against each other without the rule of cameras.

    Raises
    ------
    DataError
        when there are no folders with pictures.
    """
    dataset = root.name or str(root)
    if not root.is_dir():
        raise DataError("data.folder_missing", dataset=dataset, path=str(root), holds="<identity>/")
    parts = {split: root / split.value for split in Split if (root / split.value).is_dir()}
    parts = parts or {Split.TRAIN: root}
    found = [
        (split, folder)
        for split, part in parts.items()
        for folder in sorted(path for path in part.iterdir() if path.is_dir())
    ]
    numbers = number_identities({folder.name for _, folder in found})
    images = [
        ReIDImage(path, numbers[folder.name], camera_of(path.name), split)
        for split, folder in found
        for path in pictures_in(folder)
    ]
    if not images:
        raise DataError("data.no_images", dataset=dataset, path=str(root), example="0001/c1_0001.jpg")
    return ReIDDataset(dataset, tuple(images))


def number_identities(names: set[str]) -> dict[str, int]:
    """Return a number for each folder name: its own where all are different numbers, else 1, 2, … by name."""
    if all(name.isdecimal() for name in names) and len({int(name) for name in names}) == len(names):
        return {name: int(name) for name in names}
    return {name: number for number, name in enumerate(sorted(names), start=1)}


def camera_of(name: str) -> int:
    """Return the number after ``c`` in a picture's name; 0 where there is none."""
    match = _CAMERA.search(name)
    return int(match[1]) if match else 0

"""Market-1501 and DukeMTMC-reID, which share their layout.

Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015;
Ristani et al., arXiv 1609.01775, and Zheng et al., arXiv 1701.07717.
"""

from __future__ import annotations

from pathlib import Path

from reid.datasets.listing import find_root, named_images
from reid.datasets.records import ReIDDataset, Split

_FOLDERS = {"bounding_box_train": Split.TRAIN, "query": Split.QUERY, "bounding_box_test": Split.GALLERY}


def read_market1501(root: Path) -> ReIDDataset:
    """Return Market-1501: identity −1 dropped, identity 0 kept as a distractor.

    Raises
    ------
    DataError
        for missing folders or names like no ``0002_c1s1_000451_03.jpg``.
    """
    return _read(root, "Market-1501", "0002_c1s1_000451_03.jpg")


def read_dukemtmc(root: Path) -> ReIDDataset:
    """Return DukeMTMC-reID (8 cameras).

    Raises
    ------
    DataError
        for missing folders or names like no ``0005_c2_f0046985.jpg``.
    """
    return _read(root, "DukeMTMC-reID", "0005_c2_f0046985.jpg")


def _read(root: Path, dataset: str, example: str) -> ReIDDataset:
    folder = find_root(root, list(_FOLDERS), dataset=dataset)
    images = [
        image
        for name, split in _FOLDERS.items()
        for image in named_images(folder / name, split, dataset=dataset, example=example)
    ]
    return ReIDDataset(dataset, tuple(images))

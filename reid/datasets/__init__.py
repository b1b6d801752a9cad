"""Data sets: one file for each layout, all of them read into `ReIDImage` records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from errors import DataError
from reid.datasets.cuhk03 import DETECTED, LABELLED, read_cuhk03, read_cuhk03_classic
from reid.datasets.folders import read_folders
from reid.datasets.list_files import read_list_dataset
from reid.datasets.pedestrians import read_dukemtmc, read_market1501
from reid.datasets.records import ReIDDataset, ReIDImage, Split
from reid.datasets.vehicles import VEHICLEID_SIZES, read_vehicleid, read_veri776

__all__ = ["DATASETS", "ReIDDataset", "ReIDImage", "Split", "read_dataset"]

DATASETS: Mapping[str, Callable[[Path], ReIDDataset]] = {
    "market1501": read_market1501,
    "dukemtmc": read_dukemtmc,
    **{f"cuhk03_{boxes}": partial(read_cuhk03, boxes=boxes) for boxes in (DETECTED, LABELLED)},
    **{f"cuhk03_classic_{boxes}": partial(read_cuhk03_classic, boxes=boxes) for boxes in (DETECTED, LABELLED)},
    "veri776": read_veri776,
    **{f"vehicleid_{size}": partial(read_vehicleid, size=size) for size in VEHICLEID_SIZES},
    "folders": read_folders,
    "lists": read_list_dataset,
}
"""Readers by the name that a command line takes."""


def read_dataset(name: str, root: Path) -> ReIDDataset:
    """Return the data set ``name`` that lies in ``root``.

    Raises
    ------
    DataError
        for an unknown name, and for data that are not as that set's are.
    """
    if name not in DATASETS:
        raise DataError("data.unknown", name=name, choices=", ".join(DATASETS))
    return DATASETS[name](root)

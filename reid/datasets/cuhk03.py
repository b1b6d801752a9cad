"""CUHK03 with the classic 20 splits and with the new protocol of 767 and 700 identities.

Li et al., "DeepReID", CVPR 2014; Zhong et al., "Re-ranking Person
Re-identification with k-reciprocal Encoding", arXiv 1701.08398.

The pictures are read from ``images_detected/`` and ``images_labeled/``, in the
root or in its folder ``archive/``. The original ``cuhk-03.mat`` is an HDF5 file
that holds the pictures themselves; it is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from errors import DataError
from reid.datasets.listing import find_root, read_text
from reid.datasets.records import ReIDDataset, ReIDImage, Split

DETECTED, LABELLED = "detected", "labelled"

_FOLDERS = {DETECTED: "images_detected", LABELLED: "images_labeled"}
_NAME = re.compile(r"(\d+)_(\d+)_(\d+)_(\d+)\.\w+$")
_EXAMPLE = "1_001_1_01.png"
_GROUP_STEP = 10_000
_SPLITS = {"train": Split.TRAIN, "query": Split.QUERY, "gallery": Split.GALLERY}


def read_cuhk03(root: Path, *, boxes: str = DETECTED) -> ReIDDataset:
    """Return CUHK03 by the new protocol, from ``splits_new_*.json`` or ``cuhk03_new_protocol_config_*.mat``.

    Identity and camera come from the file names ``{group}_{pid}_{view}_{n}.png``:
    in the JSON files the numbers of the training identities are relabelled and
    those of the test identities are not.

    Parameters
    ----------
    boxes : `DETECTED` or `LABELLED`.

    Raises
    ------
    DataError
        for missing folders and lists, and for names in them that have no file.
    """
    dataset = f"CUHK03 ({boxes})"
    folder = _find_folder(root, boxes, dataset)
    suffix = _list_suffix(boxes)
    json_path = folder.parent / f"splits_new_{suffix}.json"
    mat_path = folder.parent / f"cuhk03_new_protocol_config_{suffix}.mat"
    if json_path.is_file() or not mat_path.is_file():
        return _dataset(dataset, folder, _json_splits(json_path)[0], json_path)
    return _dataset(dataset, folder, _mat_split(mat_path), mat_path)


def read_cuhk03_classic(root: Path, *, boxes: str = DETECTED, split_number: int = 0) -> ReIDDataset:
    """Return one of the 20 classic splits (about 1,367 identities against 100) from ``splits_classic_*.json``.

    Query and gallery are the same pictures: the protocol draws one of each
    identity for the gallery, many times.

    Parameters
    ----------
    boxes : `DETECTED` or `LABELLED`.
    split_number : 0 to 19.

    Raises
    ------
    DataError
        as `read_cuhk03`, and for a split that is not there.
    """
    dataset = f"CUHK03 classic ({boxes})"
    folder = _find_folder(root, boxes, dataset)
    path = folder.parent / f"splits_classic_{_list_suffix(boxes)}.json"
    splits = _json_splits(path)
    if not 0 <= split_number < len(splits):
        detail = f"it has {len(splits)} splits, number {split_number} is not among them"
        raise DataError("data.unreadable", path=str(path), what=dataset, detail=detail)
    return _dataset(dataset, folder, splits[split_number], path)


def _find_folder(root: Path, boxes: str, dataset: str) -> Path:
    if boxes not in _FOLDERS:
        raise ValueError(f"boxes must be {DETECTED} or {LABELLED}, not {boxes}")
    name = _FOLDERS[boxes]
    return find_root(root, [name], dataset=dataset) / name


def _list_suffix(boxes: str) -> str:
    return _FOLDERS[boxes].removeprefix("images_")


def _json_splits(path: Path) -> list[dict[str, list[str]]]:
    """Return for each split of the file the names of its pictures, by ``train``, ``query`` and ``gallery``."""
    what = "a list of splits of CUHK03"
    try:
        document: Any = json.loads(read_text(path, what=what))
        return [{key: [str(row[0]) for row in split[key]] for key in _SPLITS} for split in document]
    except (ValueError, TypeError, KeyError, IndexError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise DataError("data.unreadable", path=str(path), what=what, detail=detail) from error


def _mat_split(path: Path) -> dict[str, list[str]]:
    """Return the same from the configuration that came with the protocol (indices from 1 into a list of files)."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(str(path), squeeze_me=True)
        names = [str(name) for name in np.ravel(content["filelist"])]
        return {key: [names[int(index) - 1] for index in np.ravel(content[f"{key}_idx"])] for key in _SPLITS}
    except (MatReadError, OSError, KeyError, IndexError, ValueError, NotImplementedError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise DataError("data.unreadable", path=str(path), what="the protocol of CUHK03", detail=detail) from error


def _dataset(dataset: str, folder: Path, names: dict[str, list[str]], source: Path) -> ReIDDataset:
    images = [image for key, split in _SPLITS.items() for image in _images(dataset, folder, names[key], split)]
    if not images:
        raise DataError("data.no_images", dataset=dataset, path=str(source), example=_EXAMPLE)
    return ReIDDataset(dataset, tuple(images))


def _images(dataset: str, folder: Path, names: Iterable[str], split: Split) -> Iterable[ReIDImage]:
    for name in names:
        path = folder / PureWindowsPath(name).name  # takes both kinds of slashes
        match = _NAME.match(path.name)
        if match is None:
            raise DataError("data.name", dataset=dataset, path=name, example=_EXAMPLE)
        if not path.is_file():
            raise DataError("data.file_missing", dataset=dataset, path=str(path))
        group, person, view = (int(part) for part in match.groups()[:3])
        yield ReIDImage(path, group * _GROUP_STEP + person, view, split)

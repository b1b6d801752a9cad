"""VeRi-776 and VehicleID.

Liu et al., "Large-scale vehicle re-identification in urban surveillance
videos", ICME 2016; Liu et al., "Deep Relative Distance Learning", CVPR 2016.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from errors import DataError
from reid.datasets.listing import find_root, named_images, pictures_in, read_text
from reid.datasets.records import ReIDDataset, ReIDImage, Split

VEHICLEID_SIZES = (800, 1600, 2400)

_VERI_FOLDERS = {"image_train": Split.TRAIN, "image_query": Split.QUERY, "image_test": Split.GALLERY}
_VERI_LABELS = {Split.TRAIN: "train_label.xml", Split.QUERY: "test_label.xml", Split.GALLERY: "test_label.xml"}
_VERI_EXAMPLE = "0002_c002_00030600_0.jpg"


def read_veri776(root: Path) -> ReIDDataset:
    """Return VeRi-776 (20 cameras), labelled by its XML files where they are, by the names of the pictures elsewhere.

    Raises
    ------
    DataError
        for missing folders, unreadable labels, and pictures without a label.
    """
    dataset = "VeRi-776"
    folder = find_root(root, list(_VERI_FOLDERS), dataset=dataset)
    images: list[ReIDImage] = []
    for name, split in _VERI_FOLDERS.items():
        labels = _read_veri_labels(folder / _VERI_LABELS[split])
        named = not labels or not any(path.name in labels for path in pictures_in(folder / name))
        if named:  # the queries are not always in test_label.xml
            images += named_images(folder / name, split, dataset=dataset, example=_VERI_EXAMPLE)
            continue
        for path in pictures_in(folder / name):
            if path.name not in labels:
                raise DataError("data.no_label", path=str(path), labels=_VERI_LABELS[split])
            images.append(ReIDImage(path, *labels[path.name], split))
    return ReIDDataset(dataset, tuple(images))


def _read_veri_labels(path: Path) -> dict[str, tuple[int, int]]:
    """Return identity and camera by picture name; empty where there is no such file."""
    if not path.is_file():
        return {}
    try:
        # The files say gb2312, which expat cannot decode; given text, it does not try.
        text = path.read_bytes().decode("gb18030")
        items = ElementTree.fromstring(text).iter("Item")  # noqa: S314  # the user's own data set; expat limits entities
        return {
            item.attrib["imageName"]: (int(item.attrib["vehicleID"]), int(item.attrib["cameraID"].lstrip("c")))
            for item in items
        }
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise DataError("data.unreadable", path=str(path), what="labels of VeRi-776", detail=detail) from error


def read_vehicleid(root: Path, *, size: int = 800) -> ReIDDataset:
    """Return VehicleID with one of its three test lists; it names no cameras.

    Raises
    ------
    DataError
        for missing folders, lists and pictures.
    """
    dataset = f"VehicleID ({size})"
    if size not in VEHICLEID_SIZES:
        raise ValueError(f"size must be one of {VEHICLEID_SIZES}, not {size}")
    folder = find_root(root, ["image", "train_test_split"], dataset=dataset)
    lists = {"train_list.txt": Split.TRAIN, f"test_list_{size}.txt": Split.TEST}
    images = [
        image
        for name, split in lists.items()
        for image in _vehicleid_images(folder / "train_test_split" / name, folder / "image", split, dataset)
    ]
    return ReIDDataset(dataset, tuple(images))


def _vehicleid_images(path: Path, folder: Path, split: Split, dataset: str) -> list[ReIDImage]:
    images: list[ReIDImage] = []
    for number, line in enumerate(read_text(path, what=f"a list of {dataset}").splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2 or not parts[1].isdecimal():
            detail = f"line {number} should be “picture vehicle”, it is “{line}”"
            raise DataError("data.unreadable", path=str(path), what=f"a list of {dataset}", detail=detail)
        picture = folder / f"{parts[0]}.jpg"
        if not picture.is_file():
            raise DataError("data.file_missing", dataset=dataset, path=str(picture))
        images.append(ReIDImage(picture, int(parts[1]), 0, split))
    if not images:
        raise DataError("data.no_images", dataset=dataset, path=str(path), example="0000001 1")
    return images

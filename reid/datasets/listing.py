"""Finding pictures and folders on the disk, with errors that say what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from errors import DataError
from reid.datasets.records import ReIDImage, Split

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

_IDENTITY_AND_CAMERA = re.compile(r"(-?\d+)_c(\d+)")


def find_root(root: Path, wanted: Sequence[str], *, dataset: str) -> Path:
    """Return ``root``, or the one folder in it, that holds all of ``wanted``.

    Archives unpack into a folder of their own (``Market-1501-v15.09.15/``), so
    one level of it is looked through.

    Raises
    ------
    DataError
        when they are not there; it names what is missing.
    """
    if not root.is_dir():
        raise DataError("data.folder_missing", dataset=dataset, path=str(root), holds=", ".join(wanted))
    children = sorted(path for path in root.iterdir() if path.is_dir())
    for folder in (root, *children):
        if all((folder / name).exists() for name in wanted):
            return folder
    missing = next((name for name in wanted if not (root / name).exists()), wanted[0])
    raise DataError("data.folder_missing", dataset=dataset, path=str(root / missing), holds=", ".join(wanted))


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder, not of its subfolders, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


def named_images(folder: Path, split: Split, *, dataset: str, example: str) -> list[ReIDImage]:
    """Return the pictures whose names begin ``<identity>_c<camera>``; identity −1 (junk) is dropped.

    Parameters
    ----------
    example : a right name, for the error.

    Raises
    ------
    DataError
        when a picture is named otherwise, or there is none.
    """
    images: list[ReIDImage] = []
    for path in pictures_in(folder):
        match = _IDENTITY_AND_CAMERA.match(path.name)
        if match is None:
            raise DataError("data.name", dataset=dataset, path=str(path), example=example)
        identity, camera = int(match[1]), int(match[2])
        if identity != -1:
            images.append(ReIDImage(path, identity, camera, split))
    if not images:
        raise DataError("data.no_images", dataset=dataset, path=str(folder), example=example)
    return images


def read_text(path: Path, *, what: str) -> str:
    """Return the text of a UTF-8 file.

    Raises
    ------
    DataError
        when it is missing or no text.
    """
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("data.unreadable", path=str(path), what=what, detail=str(error)) from error

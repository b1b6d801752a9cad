"""Paddle's list files: a header line, then ``image_id class_id super_class_id path`` for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from errors import DataError
from reid.datasets.listing import find_root, pictures_in, read_text
from reid.datasets.records import ReIDDataset, ReIDImage, Split

HEADER = "image_id class_id super_class_id path"
TRAIN_LIST, TEST_LIST = "train_list.txt", "test_list.txt"
MARKET_HELD_OUT = 1014

_WHAT = "a list file"


def read_list(path: Path, split: Split, *, root: Path | None = None) -> tuple[ReIDImage, ...]:
    """Return the pictures of a list file; an identity is the label, class_id − 1.

    Parameters
    ----------
    root : what the paths in the file start from; its own folder by default.

    Raises
    ------
    DataError
        for a missing file, a line of another form, a class below 1, and a
        picture that is not there.
    """
    folder = path.parent if root is None else root
    images: list[ReIDImage] = []
    for number, line in enumerate(read_text(path, what=_WHAT).splitlines(), start=1):
        parts = line.split(maxsplit=3)
        if number == 1 or not parts:
            continue
        if len(parts) != 4 or not parts[1].isdecimal() or int(parts[1]) < 1:
            detail = f"line {number} should be “{HEADER}” with classes from 1, it is “{line}”"
            raise DataError("data.unreadable", path=str(path), what=_WHAT, detail=detail)
        picture = folder / parts[3].replace("\\", "/")
        if not picture.is_file():
            raise DataError("data.file_missing", dataset=path.name, path=str(picture))
        images.append(ReIDImage(picture, int(parts[1]) - 1, 0, split))
    if not images:
        raise DataError("data.no_images", dataset=path.name, path=str(path), example="1 1 1 gt_bbox/0001.jpg")
    return tuple(images)


def read_list_dataset(root: Path) -> ReIDDataset:
    """Return ``train_list.txt`` and ``test_list.txt`` of a folder.

    Raises
    ------
    DataError
        as `read_list`.
    """
    folder = find_root(root, [TRAIN_LIST, TEST_LIST], dataset="list file")
    train = read_list(folder / TRAIN_LIST, Split.TRAIN)
    return ReIDDataset(root.name, (*train, *read_list(folder / TEST_LIST, Split.TEST)))


def class_count(images: Sequence[ReIDImage], *, class_dim: int | None, source: Path) -> int:
    """Return how many classes the labels of a list need.

    Parameters
    ----------
    class_dim : what the user says; None leaves it to the list.

    Raises
    ------
    DataError
        when the user's number contradicts the list.
    """
    found = max(image.identity for image in images) + 1
    if class_dim is not None and class_dim != found:
        raise DataError("data.class_dim", path=str(source), given=class_dim, found=found)
    return found


def make_lists(
    pictures: Path, out: Path, *, held_out: int = MARKET_HELD_OUT, identity_length: int = 4
) -> tuple[Path, Path]:
    """Write ``train_list.txt`` and ``test_list.txt`` for a folder of pictures, by name.

    Parameters
    ----------
    pictures : e.g. Market-1501's ``gt_bbox``.
    out : gets both lists; their paths start from it, or are absolute where ``pictures`` lies elsewhere.
    held_out : the last so many pictures go to the test list.
    identity_length : an identity is so many first characters of a name.

    Returns
    -------
    the paths of the train and the test list.

    Raises
    ------
    DataError
        when the folder is missing, or has no more pictures than are held out.
    """
    if not pictures.is_dir():
        raise DataError("data.folder_missing", dataset="list file", path=str(pictures), holds="0001_c1s1_000151_00.jpg")
    paths = pictures_in(pictures)
    if len(paths) <= held_out:
        raise DataError("data.held_out", path=str(pictures), count=len(paths), held_out=held_out)
    classes: dict[str, int] = {}
    lines: list[str] = []
    out.mkdir(parents=True, exist_ok=True)
    base, folder = out.resolve(), pictures.resolve()
    for number, path in enumerate(paths, start=1):
        class_id = classes.setdefault(path.name[:identity_length], len(classes) + 1)
        place = folder.relative_to(base) if folder.is_relative_to(base) else folder
        lines.append(f"{number} {class_id} 1 {(place / path.name).as_posix()}")
    cut = len(lines) - held_out
    targets = (out / TRAIN_LIST, out / TEST_LIST)
    for target, part in zip(targets, (lines[:cut], lines[cut:]), strict=True):
        target.write_text("\n".join([HEADER, *part]) + "\n", "utf-8")
    return targets

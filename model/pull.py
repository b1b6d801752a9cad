"""Pulling public weights: download, check, remember, and put them where ``auto`` finds them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from errors import ModelError
from model.download import Downloader, OnProgress, Wanted, hash_file
from model.paddle_files import find_paddle_files
from model.paddledet_config import CONFIG_NAME
from model.public_weights import PublicWeights, Purpose
from model.unpack import unpack

WEIGHTS_DIR = Path("weights")
DETECTION_DIR = Path("model/detection")
EMBEDDING_DIR = Path("model/embedding")

_SEEN_NAME = "seen.json"


class Verdict(str, Enum):
    """What a file on disk turned out to be."""

    ABSENT = "not pulled"
    RIGHT = "as published"
    AS_FIRST_SEEN = "as at the first download"
    UNKNOWN = "no checksum known"
    WRONG = "not the file that is wanted"


@dataclass(frozen=True)
class Pulled:
    """A file that is here and checked.

    Attributes
    ----------
    verdict : `RIGHT`, or `AS_FIRST_SEEN` where the publisher gives no whole checksum.
    was_there : whether it needed no download.
    """

    path: Path
    sha256: str
    verdict: Verdict
    was_there: bool


class WeightsFolder:
    """The folder of downloaded files, and the checksums that were seen at first download.

    Parameters
    ----------
    path : made when the first file comes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def pull(
        self,
        entry: PublicWeights,
        downloader: Downloader,
        *,
        url: str | None = None,
        on_progress: OnProgress = lambda done, total: None,
    ) -> Pulled:
        """Make sure that the file of ``entry`` is here and right.

        Parameters
        ----------
        url : fetch it from there instead, e.g. from a mirror; it is checked all the same.

        Raises
        ------
        ModelError
            when it cannot be fetched, or is not what is wanted. Nothing of it is kept then.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / entry.file_name
        wanted = self._wanted(entry)
        if was_there := target.is_file():
            sha256, size_bytes = hash_file(target)
            if not sha256.startswith(wanted.sha256 or wanted.sha256_start):
                known = wanted.sha256 or wanted.sha256_start
                raise ModelError("pull.changed_file", path=str(target), found=sha256, wanted=known)
            wanted.check(target, sha256, size_bytes)
        else:
            sha256 = downloader.fetch(url or entry.url, target, wanted, on_progress=on_progress)
        if not entry.sha256:
            self._remember(entry, sha256)
        return Pulled(target, sha256, Verdict.RIGHT if entry.sha256 else Verdict.AS_FIRST_SEEN, was_there)

    def verify(self, entry: PublicWeights) -> Verdict:
        """Say what the file of ``entry`` is; its content is read, never loaded."""
        target = self.path / entry.file_name
        if not target.is_file():
            return Verdict.ABSENT
        sha256, size_bytes = hash_file(target)
        try:
            self._wanted(entry).check(target, sha256, size_bytes)
        except ModelError:
            return Verdict.WRONG
        if entry.sha256:
            return Verdict.RIGHT
        return Verdict.AS_FIRST_SEEN if entry.name in self._seen() else Verdict.UNKNOWN

    def _wanted(self, entry: PublicWeights) -> Wanted:
        """Return what the publisher says, or what was seen at the first download where that says nothing."""
        sha256 = entry.sha256 or self._seen().get(entry.name, "")
        return Wanted(sha256=sha256, sha256_start=entry.sha256_start, size_bytes=entry.size_bytes)

    def _seen(self) -> dict[str, str]:
        path = self.path / _SEEN_NAME
        if not path.is_file():
            return {}
        try:
            return {str(name): str(sha256) for name, sha256 in json.loads(path.read_bytes()).items()}
        except (ValueError, AttributeError) as error:
            detail = "it is not the list of checksums that was written there; remove it"
            raise ModelError("model.export_unreadable", path=str(path), detail=detail) from error

    def _remember(self, entry: PublicWeights, sha256: str) -> None:
        seen = self._seen() | {entry.name: sha256}
        path = self.path / _SEEN_NAME
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(dict(sorted(seen.items())), indent=2) + "\n", "utf-8")
        draft.replace(path)


@dataclass(frozen=True, kw_only=True)
class ModelFolders:
    """Where ``auto`` looks for weights."""

    detection: Path = DETECTION_DIR
    embedding: Path = EMBEDDING_DIR


def use(entry: PublicWeights, file: Path, folders: ModelFolders, *, set_aside: Callable[[Path], None]) -> list[Path]:
    """Put pulled weights where ``auto`` finds them, and return the folders that hold them now.

    Parameters
    ----------
    set_aside : called with a folder that has something in it; empties it, or raises. See `refuse_taken` and
        `keep_beside`.

    Raises
    ------
    ModelError
        for a checkpoint, which no worker reads; for a file that does not hold
        what it should; and what ``set_aside`` raises.
    """
    if entry.purpose is Purpose.CHECKPOINT:
        raise ModelError("pull.not_usable", name=entry.name, path=str(file), folder=str(folders.embedding))
    folders.detection.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folders.detection.parent) as name:
        contents = _contents_for(entry, file, folders, Path(name))
        for folder in contents:
            set_aside(folder)
        for folder, files in contents.items():
            _place(files, folder)
        return list(contents)


def _contents_for(entry: PublicWeights, file: Path, folders: ModelFolders, scratch: Path) -> dict[Path, list[Path]]:
    """Return what goes into which folder; what has to be made of the file is made in ``scratch``."""
    if file.suffix == ".onnx":
        return {folders.detection: [file]}
    if entry.architecture:
        _export(entry, file, scratch)
        return {folders.embedding: sorted(scratch.iterdir())}
    unpack(file, scratch)
    exports = _exports_in(scratch)
    if not exports:
        raise ModelError("model.export_unreadable", path=str(file), detail="it holds no exported model")
    return {target: sorted(export.iterdir()) for export, target in _targets(entry, exports, folders, file).items()}


def refuse_taken(folder: Path) -> None:
    """Refuse a folder that has something in it.

    Raises
    ------
    ModelError
        naming what is there.
    """
    names = [path.name for path in _contents(folder)]
    if names:
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        raise ModelError("pull.folder_taken", path=str(folder), names=shown)


def keep_beside(folder: Path) -> None:
    """Move what a folder holds into ``<folder>.before-1``, ``-2``, …, so that nothing is lost."""
    if _contents(folder):
        number = 1
        while (beside := folder.with_name(f"{folder.name}.before-{number}")).exists():
            number += 1
        folder.rename(beside)


def _contents(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []


def _place(files: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        draft = folder / f".{file.name}.draft"
        if file.is_dir():
            shutil.copytree(file, draft)
        else:
            shutil.copyfile(file, draft)
        draft.replace(folder / file.name)


def _export(entry: PublicWeights, file: Path, folder: Path) -> None:
    """Export a checkpoint for paddle.inference, at the size that its network is usually trained on."""
    from model.export import export_checkpoint
    from model.networks.catalogue import ARCHITECTURES

    width, height = ARCHITECTURES[entry.architecture].input_size_wh
    export_checkpoint(file, folder, architecture=entry.architecture, size_hw=(height, width))


def _exports_in(root: Path) -> list[Path]:
    """Return the folders below that hold one exported model each."""
    folders = [root, *sorted(path for path in root.rglob("*") if path.is_dir())]
    return [folder for folder in folders if find_paddle_files(folder) is not None]


def _targets(entry: PublicWeights, exports: list[Path], folders: ModelFolders, file: Path) -> dict[Path, Path]:
    """Return where each export goes; a detector is told by its configuration where an archive holds both."""
    if entry.purpose is Purpose.BOTH:
        targets = {
            export: folders.detection if (export / CONFIG_NAME).is_file() else folders.embedding for export in exports
        }
        if len(exports) == len(set(targets.values())) == 2:
            return targets
    elif len(exports) == 1:
        return {exports[0]: folders.detection if entry.purpose is Purpose.DETECTOR else folders.embedding}
    names = ", ".join(export.name for export in exports)
    detail = f"it holds other models than expected ({names})"
    raise ModelError("model.export_unreadable", path=str(file), detail=detail)

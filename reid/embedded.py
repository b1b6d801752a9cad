"""A data set as a model sees it: made from pictures, kept in a file, read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from errors import DataError
from model.protocols import Embedder
from reid.datasets.records import ReIDDataset, ReIDImage, check_cross_camera
from reid.embed_files import embed_files
from reid.labelled import LabelledFeatures

_FEATURES_NAME = "features.npz"


class Protocol(str, Enum):
    """Which rule queries and gallery follow."""

    MARKET1501 = "market1501"
    CUHK03_CLASSIC = "cuhk03_classic"
    VEHICLEID = "vehicleid"
    LEAVE_ONE_OUT = "leave_one_out"


@dataclass(frozen=True, eq=False)
class EmbeddedImages:
    """Pictures with their labels and embeddings: (N,) files in the order of the (N, D) features."""

    paths: tuple[Path, ...]
    labelled: LabelledFeatures


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedded:
    """A data set as a model sees it.

    Attributes
    ----------
    dataset, model : names, as shown.
    query, gallery : the same object where the protocol divides them itself.
    """

    dataset: str
    model: str
    protocol: Protocol
    query: EmbeddedImages
    gallery: EmbeddedImages

    @property
    def images(self) -> LabelledFeatures:
        """All pictures together."""
        if self.query is self.gallery:
            return self.query.labelled
        parts = (self.query.labelled, self.gallery.labelled)
        return LabelledFeatures(
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.identities for part in parts]),
            np.concatenate([part.cameras for part in parts]),
        )


def choose_protocol(dataset_name: str, dataset: ReIDDataset) -> Protocol:
    """Return the protocol that belongs to a data set: by its name where that has one of its own, else by its parts."""
    if dataset_name.startswith("vehicleid"):
        return Protocol.VEHICLEID
    if dataset_name.startswith("cuhk03_classic"):
        return Protocol.CUHK03_CLASSIC
    return Protocol.MARKET1501 if dataset.query else Protocol.LEAVE_ONE_OUT


def embed_dataset(
    dataset: ReIDDataset,
    embedder: Embedder,
    protocol: Protocol,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Embedded:
    """Embed what a protocol needs of a data set: query and gallery, or its test pictures (all, where it has none).

    Parameters
    ----------
    on_progress : called with the pictures that are done, and how many there are.

    Raises
    ------
    DataError
        when a part is empty, when no query can be found by another camera where the protocol wants that, and when a
        file is no picture.
    """
    if protocol in (Protocol.VEHICLEID, Protocol.LEAVE_ONE_OUT):
        parts: tuple[Sequence[ReIDImage], ...] = (dataset.test or dataset.images,)
    else:
        parts = (dataset.query, dataset.gallery)
    for name, part in zip(("query", "gallery"), parts, strict=False):
        if not part:
            raise DataError("data.empty_split", dataset=dataset.name, split=name)
    if protocol is Protocol.MARKET1501:
        check_cross_camera(*parts, dataset=dataset.name)
    total = sum(len(part) for part in parts)
    embedded: list[EmbeddedImages] = []
    done = 0
    for part in parts:
        paths = tuple(image.path for image in part)
        features = embed_files(embedder, paths, on_progress=partial(_add_progress, on_progress, done, total))
        identities = np.array([image.identity for image in part], np.int64)
        cameras = np.array([image.camera for image in part], np.int64)
        embedded.append(EmbeddedImages(paths, LabelledFeatures(features, identities, cameras)))
        done += len(part)
    return Embedded(
        dataset=dataset.name, model=embedder.info.name, protocol=protocol, query=embedded[0], gallery=embedded[-1]
    )


def _add_progress(on_progress: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    on_progress(before + done, total)


def save_embedded(embedded: Embedded, folder: Path) -> Path:
    """Write what `load_embedded` reads into ``folder`` and return the file."""
    facts = {"dataset": embedded.dataset, "model": embedded.model, "protocol": embedded.protocol.value}
    arrays: dict[str, Any] = {"facts": np.array(json.dumps(facts))}
    parts = {"query": embedded.query}
    if embedded.gallery is not embedded.query:
        parts["gallery"] = embedded.gallery
    for name, part in parts.items():
        arrays[f"{name}_paths"] = np.array([str(path.absolute()) for path in part.paths], np.str_)
        arrays[f"{name}_features"] = part.labelled.features
        arrays[f"{name}_identities"] = part.labelled.identities
        arrays[f"{name}_cameras"] = part.labelled.cameras
    folder.mkdir(parents=True, exist_ok=True)
    path, draft = folder / _FEATURES_NAME, folder / f".{_FEATURES_NAME}.draft"
    with draft.open("wb") as file:
        np.savez(file, **arrays)
    draft.replace(path)
    return path


def load_embedded(folder: Path) -> Embedded:
    """Return what `save_embedded` wrote.

    Raises
    ------
    DataError
        when it is not there or cannot be read.
    """
    path = folder / _FEATURES_NAME
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            query = _part(arrays, "query")
            gallery = _part(arrays, "gallery") if "gallery_paths" in arrays else query
            return Embedded(
                dataset=facts["dataset"],
                model=facts["model"],
                protocol=Protocol(facts["protocol"]),
                query=query,
                gallery=gallery,
            )
    except (OSError, KeyError, ValueError, TypeError, BadZipFile) as error:
        what = "embeddings that `python -m reid evaluate --report` keeps"
        raise DataError("data.unreadable", path=str(path), what=what, detail=str(error)) from error


def _part(arrays: Any, name: str) -> EmbeddedImages:
    labelled = LabelledFeatures(arrays[f"{name}_features"], arrays[f"{name}_identities"], arrays[f"{name}_cameras"])
    return EmbeddedImages(tuple(Path(text) for text in arrays[f"{name}_paths"].tolist()), labelled)

"""A folder of pictures that can be searched, with its embeddings kept beside the pictures.

``gallery/<identity>/*.jpg`` tells identities by their folders (people, or plates
of vehicles); pictures directly in the folder have none. An embedding is made once
for each picture and model, and anew when the file's size or time has changed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from errors import DataError
from model.protocols import Embedder
from records import FloatArray, ModelInfo
from reid.datasets.crops import read_picture
from reid.datasets.listing import PICTURE_SUFFIXES
from reid.distance_blocks import unit_rows
from reid.rerank import rerank

_log = logging.getLogger(__name__)

_BATCH = 32
_RERANKED = 200


@dataclass(frozen=True)
class GalleryPicture:
    """One picture of a gallery.

    Attributes
    ----------
    identity : the name of its folder; empty directly in the gallery.
    """

    path: Path
    identity: str


@dataclass(frozen=True)
class Answer:
    """A picture that may show whom was asked for.

    Attributes
    ----------
    score : cosine similarity to the query, −1 to 1, also where the order is that of re-ranking.
    """

    picture: GalleryPicture
    score: float


@dataclass(frozen=True, eq=False)
class Gallery:
    """Pictures and their embeddings.

    Attributes
    ----------
    pictures : (N,) by path; features : (N, D) float32 of unit length.
    unreadable : files that are no pictures; they are left out.
    embedded : how many embeddings were made now; the others were kept from before.
    """

    pictures: tuple[GalleryPicture, ...]
    features: FloatArray
    unreadable: tuple[Path, ...] = ()
    embedded: int = 0

    def search(self, queries: FloatArray, *, top: int = 20, min_score: float = -1.0) -> list[Answer]:
        """Return the best answers for one person or vehicle, the best first.

        Parameters
        ----------
        queries : (Q, D) float32, Q ≥ 1 pictures of the same person; their mean is asked for.
        min_score : lowest cosine similarity.
        """
        scores = self._scores(queries)
        return self._answers(np.argsort(-scores, kind="stable"), scores, top, min_score)

    def search_reranked(
        self, queries: FloatArray, *, top: int = 20, min_score: float = -1.0, among: int = _RERANKED
    ) -> list[Answer]:
        """Return the best answers in the order of k-reciprocal re-ranking among the first ``among``; see `search`."""
        scores = self._scores(queries)
        first = np.argsort(-scores, kind="stable")[: max(among, top)]
        order = np.argsort(rerank(self._mean(queries), self.features[first])[0], kind="stable") if len(first) else first
        return self._answers(first[order], scores, top, min_score)

    def _mean(self, queries: FloatArray) -> FloatArray:
        if queries.ndim != 2 or len(queries) == 0 or queries.shape[1] != self.features.shape[1]:
            raise ValueError(f"queries must have shape (1 or more, {self.features.shape[1]}), not {queries.shape}")
        return unit_rows(unit_rows(queries).mean(axis=0, keepdims=True))

    def _scores(self, queries: FloatArray) -> FloatArray:
        scores: FloatArray = self.features @ self._mean(queries)[0]
        return scores

    def _answers(self, order: np.ndarray, scores: FloatArray, top: int, min_score: float) -> list[Answer]:
        chosen = [int(place) for place in order if scores[place] >= min_score][:top]
        return [Answer(self.pictures[place], float(scores[place])) for place in chosen]


def open_gallery(
    folder: Path, embedder: Embedder, *, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Gallery:
    """Read a gallery's embeddings, making those that are missing or old, and keep them in the folder.

    Where the folder cannot be written to, nothing is kept.

    Parameters
    ----------
    on_progress : called with the pictures that are embedded, and how many there are to embed.

    Raises
    ------
    DataError
        when the folder is missing or holds no pictures.
    """
    pictures = list_pictures(folder)
    cache = folder / f".embeddings-{_model_key(embedder.info)}.npz"
    kept = _read_cache(cache, embedder.dimension)
    facts = [_facts_of(folder, picture.path) for picture in pictures]
    missing = [place for place, fact in enumerate(facts) if fact not in kept]
    unreadable: list[Path] = []
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        crops = {}
        for place in batch:
            try:
                crops[place] = read_picture(pictures[place].path)
            except DataError:  # noqa: PERF203  # decoding costs far more
                unreadable.append(pictures[place].path)
        if crops:
            features = embedder.embed(list(crops.values()))
            kept.update({facts[place]: feature for place, feature in zip(crops, features, strict=True)})
        on_progress(start + len(batch), len(missing))
    found = [place for place, fact in enumerate(facts) if fact in kept]
    gallery = Gallery(
        tuple(pictures[place] for place in found),
        np.stack([kept[facts[place]] for place in found]) if found else np.zeros((0, embedder.dimension), np.float32),
        tuple(unreadable),
        len(missing) - len(unreadable),
    )
    if not found:
        raise DataError("data.no_images", dataset=folder.name, path=str(folder), example="person/1.jpg")
    if gallery.embedded or len(kept) != len(found):
        _write_cache(cache, [facts[place] for place in found], gallery.features)
    return gallery


def list_pictures(folder: Path) -> list[GalleryPicture]:
    """Return the pictures of a gallery by path; what begins with a dot is passed over.

    Raises
    ------
    DataError
        when the folder is missing or holds no pictures.
    """
    if not folder.is_dir():
        raise DataError("data.folder_missing", dataset="the gallery", path=str(folder), holds="<identity>/")
    pictures = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() in PICTURE_SUFFIXES and not any(part.startswith(".") for part in parts):
            pictures.append(GalleryPicture(path, parts[0] if len(parts) > 1 else ""))
    if not pictures:
        raise DataError("data.no_images", dataset="the gallery", path=str(folder), example="person/1.jpg")
    return pictures


def _facts_of(folder: Path, path: Path) -> str:
    """Return what changes when a picture does: its place, size and time."""
    facts = path.stat()
    return f"{path.relative_to(folder).as_posix()}\n{facts.st_size}\n{facts.st_mtime_ns}"


def _model_key(info: ModelInfo) -> str:
    """Return digits that change when the model does: its name, its files and their sizes and times."""
    digest = hashlib.sha256(f"{info.name}\n{info.source}".encode())
    source = Path(info.source) if info.source else None
    files = [] if source is None else [source] if source.is_file() else sorted(source.glob("*"))
    for file in files:
        facts = file.stat()
        digest.update(f"\n{file.name}\n{facts.st_size}\n{facts.st_mtime_ns}".encode())
    return digest.hexdigest()[:12]


def _read_cache(path: Path, dimension: int) -> dict[str, FloatArray]:
    """Return kept embeddings by the facts of their pictures; none where the file is absent or not as written."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts, features = arrays["facts"].tolist(), arrays["features"]
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        _log.warning("gallery cache=%s unreadable, made anew: %s", path, error)
        return {}
    if features.shape != (len(facts), dimension):
        return {}
    return dict(zip(facts, features.astype(np.float32), strict=True))


def _write_cache(path: Path, facts: list[str], features: FloatArray) -> None:
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb") as file:
            np.savez(file, facts=np.array(facts, np.str_), features=features)
        draft.replace(path)
    except OSError as error:
        _log.warning("gallery cache=%s not written: %s", path, error)

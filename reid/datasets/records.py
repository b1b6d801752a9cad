"""What every data set becomes: pictures with an identity, a camera and a split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from errors import DataError

DISTRACTOR = 0
"""The identity of gallery pictures that match nobody, as in Market-1501."""


class Split(str, Enum):
    """What a picture is for. `TEST` pictures are divided by their protocol itself (leave-one-out, repeats)."""

    TRAIN = "train"
    QUERY = "query"
    GALLERY = "gallery"
    TEST = "test"


@dataclass(frozen=True)
class ReIDImage:
    """One picture of one person or vehicle.

    Attributes
    ----------
    identity : the same number for the same person or vehicle; `DISTRACTOR` matches nobody.
    camera : number of the camera; 0 where the data set does not tell.
    """

    path: Path
    identity: int
    camera: int
    split: Split


@dataclass(frozen=True)
class ReIDDataset:
    """All pictures of a data set, sorted by split as its protocol has them."""

    name: str
    images: tuple[ReIDImage, ...]

    def of(self, split: Split) -> tuple[ReIDImage, ...]:
        """Return the pictures of one split."""
        return tuple(image for image in self.images if image.split is split)

    @property
    def train(self) -> tuple[ReIDImage, ...]:
        """The pictures to train on."""
        return self.of(Split.TRAIN)

    @property
    def query(self) -> tuple[ReIDImage, ...]:
        """The pictures that are looked for."""
        return self.of(Split.QUERY)

    @property
    def gallery(self) -> tuple[ReIDImage, ...]:
        """The pictures that are searched."""
        return self.of(Split.GALLERY)

    @property
    def test(self) -> tuple[ReIDImage, ...]:
        """The pictures whose protocol makes query and gallery of them."""
        return self.of(Split.TEST)


def check_training_images(images: Iterable[ReIDImage], *, dataset: str, min_identities: int = 2) -> None:
    """Refuse pictures that nothing can be learnt from.

    Raises
    ------
    DataError
        for too few identities, or when no identity has two pictures.
    """
    counts: dict[int, int] = {}
    for image in images:
        counts[image.identity] = counts.get(image.identity, 0) + 1
    if len(counts) < min_identities:
        raise DataError("data.too_few_identities", dataset=dataset, count=len(counts), limit=min_identities)
    if max(counts.values()) < 2:
        raise DataError("data.no_pairs", dataset=dataset, count=len(counts))


def check_cross_camera(query: Iterable[ReIDImage], gallery: Iterable[ReIDImage], *, dataset: str) -> None:
    """Refuse to judge across cameras what cannot be judged.

    Raises
    ------
    DataError
        when a side is empty, when all pictures come from one camera, or when no
        query's identity is in the gallery under another camera.
    """
    queries = {(image.identity, image.camera) for image in query}
    candidates = {(image.identity, image.camera) for image in gallery}
    for split, found in ((Split.QUERY, queries), (Split.GALLERY, candidates)):
        if not found:
            raise DataError("data.empty_split", dataset=dataset, split=split.value)
    cameras = {camera for _, camera in queries | candidates}
    if len(cameras) == 1:
        raise DataError("data.one_camera", dataset=dataset, camera=next(iter(cameras)))
    cameras_of: dict[int, set[int]] = {}
    for identity, camera in candidates:
        cameras_of.setdefault(identity, set()).add(camera)
    if not any(cameras_of.get(identity, set()) - {camera} for identity, camera in queries):
        raise DataError("data.no_other_camera", dataset=dataset)

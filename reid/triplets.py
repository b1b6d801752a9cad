"""Triplets of pictures for `ReIDModel.train`: the API of roboflow/trackers' ``TripletsDataset``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from errors import DataError
from model.embedding_spec import Preprocessing
from model.network_input import prepare_crops
from reid.datasets.crops import read_picture
from reid.datasets.listing import named_images, pictures_in
from reid.datasets.records import Split

if TYPE_CHECKING:
    import torch

Transform: TypeAlias = Callable[[Any], Any]
Triplet: TypeAlias = "tuple[torch.Tensor, torch.Tensor, torch.Tensor]"


class TripletsDataset:
    """Every picture once as an anchor, with another of its identity and one of another identity.

    A picture that is alone of its identity is its own positive. Which pictures go
    with an anchor depends on ``random_state`` and the epoch alone. Made for torch's
    ``DataLoader``.

    Parameters
    ----------
    tracker_id_to_images : paths of pictures by identity.
    transforms : one or several functions, applied in turn to (h, w, 3) uint8 RGB,
        ending in (3, H, W) float; None: 128 wide, 256 high, statistics of ImageNet.

    Raises
    ------
    DataError
        for fewer than two identities with pictures.
    """

    def __init__(
        self,
        tracker_id_to_images: Mapping[str, Sequence[str | Path]],
        transforms: Transform | Sequence[Transform] | None = None,
        *,
        random_state: int | None = None,
    ) -> None:
        self.tracker_id_to_images = {
            identity: [Path(path) for path in paths] for identity, paths in tracker_id_to_images.items() if paths
        }
        if len(self.tracker_id_to_images) < 2:
            count = len(self.tracker_id_to_images)
            raise DataError("data.too_few_identities", dataset="the triplets", count=count, limit=2)
        self._given_transforms = transforms
        self._transforms = (transforms,) if callable(transforms) else tuple(transforms or ())
        self._preprocessing = Preprocessing(sizes_wh=((128, 256),))
        self._seed = random_state or 0
        self._epoch = 0
        self._identities = list(self.tracker_id_to_images)
        self._anchors = [
            (identity, place) for identity, paths in self.tracker_id_to_images.items() for place in range(len(paths))
        ]

    @classmethod
    def from_image_directories(
        cls,
        root_directory: str | Path,
        transforms: Transform | Sequence[Transform] | None = None,
        image_extensions: Sequence[str] | None = None,
        *,
        random_state: int | None = None,
    ) -> TripletsDataset:
        """Return the pictures of ``root_directory/<identity>/``.

        Parameters
        ----------
        image_extensions : e.g. ``[".jpg"]``; None takes every kind of picture.

        Raises
        ------
        DataError
            when the folder is missing or holds fewer than two identities.
        """
        root = Path(root_directory)
        if not root.is_dir():
            raise DataError("data.folder_missing", dataset="the triplets", path=str(root), holds="<identity>/")
        wanted = None if image_extensions is None else {extension.lower() for extension in image_extensions}
        found = {
            folder.name: [path for path in pictures_in(folder) if wanted is None or path.suffix.lower() in wanted]
            for folder in sorted(path for path in root.iterdir() if path.is_dir())
        }
        return cls(found, transforms, random_state=random_state)

    def split(
        self, split_ratio: float = 0.8, random_state: int | None = None, shuffle: bool = True
    ) -> tuple[TripletsDataset, TripletsDataset]:
        """Return two data sets without a common identity, the first with ``split_ratio`` of them.

        Raises
        ------
        ValueError
            for a ratio that leaves a part with fewer than two identities.
        """
        order = np.arange(len(self._identities))
        if shuffle:
            order = np.random.default_rng(random_state).permutation(order)
        cut = round(len(order) * split_ratio)
        if not 2 <= cut <= len(order) - 2:
            raise ValueError(
                f"split_ratio {split_ratio} leaves {cut} and {len(order) - cut} identities; each part needs 2"
            )
        parts = (
            {self._identities[index]: self.tracker_id_to_images[self._identities[index]] for index in sorted(chosen)}
            for chosen in (order[:cut].tolist(), order[cut:].tolist())
        )
        first, second = (TripletsDataset(part, self._given_transforms, random_state=self._seed) for part in parts)
        return first, second

    def set_epoch(self, epoch: int) -> None:
        """Draw other positives and negatives; `ReIDModel.train` calls it for every epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return how many anchors there are: all pictures."""
        return len(self._anchors)

    def __getitem__(self, index: int) -> Triplet:
        """Return anchor, positive and negative, each (3, H, W) float32."""
        import torch

        identity, place = self._anchors[index]
        generator = np.random.default_rng((self._seed, self._epoch, index))
        own = self.tracker_id_to_images[identity]
        positive = (place + int(generator.integers(1, max(2, len(own))))) % len(own)
        turn = int(generator.integers(1, len(self._identities)))
        other_name = self._identities[(self._identities.index(identity) + turn) % len(self._identities)]
        others = self.tracker_id_to_images[other_name]
        paths = (own[place], own[positive], others[int(generator.integers(len(others)))])
        anchor, same, other = (torch.from_numpy(self._prepared(path)) for path in paths)
        return anchor, same, other

    def _prepared(self, path: Path) -> Any:
        """Return (3, H, W) float32."""
        picture_bgr = read_picture(path)
        if not self._transforms:
            return prepare_crops([picture_bgr], self._preprocessing)[0]
        value: Any = np.ascontiguousarray(picture_bgr[..., ::-1])
        for transform in self._transforms:
            value = transform(value)
        return np.asarray(value, np.float32)


def get_market1501_dataset(
    data_dir: str | Path,
    split_ratio: float | None = None,
    random_state: int | None = None,
    shuffle: bool = True,
    transforms: Transform | Sequence[Transform] | None = None,
) -> TripletsDataset | tuple[TripletsDataset, TripletsDataset]:
    """Return the training pictures of Market-1501 as triplets.

    Parameters
    ----------
    data_dir : the data set's folder, or its ``bounding_box_train``.
    split_ratio : share of the identities in the first of two data sets; None returns one.

    Raises
    ------
    DataError
        when the pictures are missing or not named as in Market-1501.
    """
    folder = Path(data_dir)
    if (folder / "bounding_box_train").is_dir():
        folder = folder / "bounding_box_train"
    if not folder.is_dir():
        raise DataError("data.folder_missing", dataset="Market-1501", path=str(folder), holds="bounding_box_train")
    found: dict[str, list[Path]] = {}
    for image in named_images(folder, Split.TRAIN, dataset="Market-1501", example="0002_c1s1_000451_03.jpg"):
        found.setdefault(f"{image.identity:04d}", []).append(image.path)
    dataset = TripletsDataset(found, transforms, random_state=random_state)
    return dataset if split_ratio is None else dataset.split(split_ratio, random_state, shuffle)

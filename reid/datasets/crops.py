"""Labelled crops as training and judging read them: from files, or from one array in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import cv2
import numpy as np

from errors import DataError
from records import Image, IntArray
from reid.datasets.records import ReIDImage


class CropSet(Protocol):
    """N crops with their labels.

    Attributes
    ----------
    identities, cameras : (N,) int64.
    """

    @property
    def identities(self) -> IntArray:
        """The identity of each crop."""

    @property
    def cameras(self) -> IntArray:
        """The camera of each crop."""

    def __len__(self) -> int:
        """Return N."""

    def load(self, row: int) -> Image:
        """Return one crop, (h, w, 3) uint8 BGR; sizes may differ. Must not be written to."""


class CropFiles:
    """Crops that are read from their files whenever they are wanted."""

    def __init__(self, images: Sequence[ReIDImage]) -> None:
        self.images = tuple(images)
        self.identities: IntArray = np.array([image.identity for image in self.images], np.int64)
        self.cameras: IntArray = np.array([image.camera for image in self.images], np.int64)

    def __len__(self) -> int:
        return len(self.images)

    def load(self, row: int) -> Image:
        """Return one crop; see `CropSet.load`.

        Raises
        ------
        DataError
            when the file is no picture.
        """
        return read_picture(self.images[row].path)


class CropArrays:
    """Crops of one size in one array, for speed.

    Parameters
    ----------
    images_bgr : (N, H, W, 3) uint8.
    identities, cameras : (N,) int64; without cameras all are 0.

    Raises
    ------
    ValueError
        when the shapes or types disagree.
    """

    def __init__(self, images_bgr: Image, identities: IntArray, cameras: IntArray | None = None) -> None:
        count = len(images_bgr)
        if images_bgr.ndim != 4 or images_bgr.shape[3] != 3 or images_bgr.dtype != np.uint8:
            raise ValueError(f"images_bgr must be (N, H, W, 3) uint8, not {images_bgr.shape} {images_bgr.dtype}")
        self.images_bgr = images_bgr
        self.identities: IntArray = np.asarray(identities, np.int64)
        self.cameras: IntArray = np.zeros(count, np.int64) if cameras is None else np.asarray(cameras, np.int64)
        for name in ("identities", "cameras"):
            if getattr(self, name).shape != (count,):
                raise ValueError(f"{name} must have shape ({count},), not {getattr(self, name).shape}")

    def __len__(self) -> int:
        return len(self.images_bgr)

    def load(self, row: int) -> Image:
        """Return one crop; see `CropSet.load`."""
        crop: Image = self.images_bgr[row]
        return crop

    @classmethod
    def from_npz(cls, path: Path) -> CropArrays:
        """Read ``images_bgr``, ``identities`` and, where it is there, ``cameras``.

        Raises
        ------
        DataError
            when the file is missing or holds something else.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(arrays["images_bgr"], arrays["identities"], arrays.get("cameras"))
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            what = "crops (images_bgr, identities, cameras)"
            raise DataError("data.unreadable", path=str(path), what=what, detail=str(error)) from error

    def save(self, path: Path) -> None:
        """Write what `from_npz` reads."""
        with path.open("wb") as file:
            np.savez(file, images_bgr=self.images_bgr, identities=self.identities, cameras=self.cameras)

    def select(self, rows: IntArray) -> CropArrays:
        """Return the crops of the chosen rows."""
        return CropArrays(self.images_bgr[rows], self.identities[rows], self.cameras[rows])


def load_into_memory(crops: CropSet, size_wh: tuple[int, int]) -> CropArrays:
    """Return all crops resized to ``size_wh``: decoded once instead of at every use."""
    width, height = size_wh
    pixels = np.empty((len(crops), height, width, 3), np.uint8)
    for row in range(len(crops)):
        pixels[row] = cv2.resize(crops.load(row), size_wh, interpolation=cv2.INTER_AREA)
    return CropArrays(pixels, crops.identities, crops.cameras)


def read_picture(path: Path) -> Image:
    """Return a picture file as (H, W, 3) uint8 BGR.

    Raises
    ------
    DataError
        when it is missing or no picture.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DataError("data.file_missing", dataset=path.parent.name, path=str(path)) from error
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    if image is None:
        raise DataError("data.unreadable", path=str(path), what="a picture", detail="OpenCV cannot decode it")
    return np.asarray(image, np.uint8)

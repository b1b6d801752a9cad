"""What a detector and an embedder look like from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from records import Detections, FloatArray, Image, ModelInfo


class Detector(Protocol):
    """Finds people, and vehicles where the backend knows them, in pictures."""

    @property
    def info(self) -> ModelInfo:
        """What ran, as shown to the user."""

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        """Return the boxes of each picture.

        Parameters
        ----------
        images_bgr : (H, W, 3) uint8 pictures, sizes may differ; may be empty.

        Returns
        -------
        one `Detections` a picture, in order, best score first.
        """


class Embedder(Protocol):
    """Turns crops of people or vehicles into vectors whose cosine tells how alike they are."""

    @property
    def info(self) -> ModelInfo:
        """What ran, as shown to the user."""

    @property
    def dimension(self) -> int:
        """Length D of a vector."""

    @property
    def max_cosine_distance(self) -> float:
        """The cosine distance that suits this embedder as DeepSORT's gate."""

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        """Return one vector of unit length for each crop.

        Parameters
        ----------
        crops_bgr : (h, w, 3) uint8 with h, w ≥ 1, sizes may differ; may be empty.

        Returns
        -------
        (N, D) float32; (0, D) for no crops.
        """

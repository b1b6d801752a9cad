"""Embeddings with what is known of each picture: whose it is and which camera took it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Embeddings and their labels.

    Attributes
    ----------
    features : (N, D) float32, of any length; N may be 0.
    identities : (N,) int64; -1 marks a picture that shows nobody of use, and is never compared.
    cameras : (N,) int64.

    Raises
    ------
    ValueError
        when the shapes disagree, or a feature is not finite.
    """

    features: FloatArray
    identities: IntArray
    cameras: IntArray

    def __post_init__(self) -> None:
        if self.features.ndim != 2:
            raise ValueError(f"features must have shape (N, D), not {self.features.shape}")
        for name in ("identities", "cameras"):
            if getattr(self, name).shape != (len(self.features),):
                raise ValueError(f"{name} must have shape ({len(self.features)},), not {getattr(self, name).shape}")
        if not np.isfinite(self.features).all():
            raise ValueError("features must be finite; the network gave values that are not numbers")

    def __len__(self) -> int:
        return len(self.features)

    def select(self, mask_or_indices: NDArray[Any]) -> LabelledFeatures:
        """Return the chosen rows."""
        return LabelledFeatures(
            self.features[mask_or_indices], self.identities[mask_or_indices], self.cameras[mask_or_indices]
        )


class IdentityIndex:
    """The positions of each identity in an array of labels.

    Parameters
    ----------
    identities : (N,) int64.

    Attributes
    ----------
    names : (I,) int64, the identities, rising.
    nowhere : no position at all.
    """

    def __init__(self, identities: IntArray) -> None:
        self._order = np.argsort(identities, kind="stable")
        self.names, self._starts = np.unique(identities[self._order], return_index=True)
        self._ends = np.append(self._starts[1:], len(identities))
        self.nowhere = self._order[:0]

    def positions(self, identity: int) -> IntArray:
        """Return where ``identity`` is, rising; empty where it is not."""
        place = int(np.searchsorted(self.names, identity))
        if place == len(self.names) or self.names[place] != identity:
            return self.nowhere
        return self._order[self._starts[place] : self._ends[place]]

    def draw(self, generator: np.random.Generator, repeats: int) -> IntArray:
        """Return (repeats, identities) positions: one picture of each identity, drawn anew for each repeat."""
        counts = self._ends - self._starts
        offsets = (generator.random((repeats, len(counts))) * counts).astype(np.int64)
        drawn: IntArray = self._order[self._starts + offsets]
        return drawn

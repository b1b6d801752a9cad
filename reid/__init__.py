"""The re-identification library: features, distances, training and judging.

``from reid import ReIDModel, calculate_distance_matrix``. Importing this loads no
network library; the names below are loaded when they are first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reid.distances import calculate_distance_matrix
    from reid.reid_model import ReIDModel
    from reid.triplets import TripletsDataset, get_market1501_dataset

_SOURCES = {
    "ReIDModel": "reid.reid_model",
    "TripletsDataset": "reid.triplets",
    "calculate_distance_matrix": "reid.distances",
    "get_market1501_dataset": "reid.triplets",
}

__all__ = ["ReIDModel", "TripletsDataset", "calculate_distance_matrix", "get_market1501_dataset"]


def __getattr__(name: str) -> Any:
    if name not in _SOURCES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_SOURCES[name]), name)

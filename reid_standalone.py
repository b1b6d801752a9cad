"""The library's names under that of the earlier stand-alone module: ``from reid_standalone import ReIDModel``."""

from __future__ import annotations

from reid import ReIDModel, TripletsDataset, calculate_distance_matrix, get_market1501_dataset

__all__ = ["ReIDModel", "TripletsDataset", "calculate_distance_matrix", "get_market1501_dataset"]

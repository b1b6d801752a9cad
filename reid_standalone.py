"""`ReIDModel` and `calculate_distance_matrix` under the name of the earlier stand-alone module."""

from __future__ import annotations

from reid.distances import calculate_distance_matrix
from reid.reid_model import ReIDModel

__all__ = ["ReIDModel", "calculate_distance_matrix"]

"""Embedding picture files, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from model.protocols import Embedder
from records import FloatArray
from reid.datasets.crops import read_picture

_BATCH = 32


def embed_files(
    embedder: Embedder,
    paths: Sequence[Path],
    *,
    batch_size: int = _BATCH,
    on_progress: Callable[[int], None] = lambda done: None,
) -> FloatArray:
    """Return (N, D) float32 of unit length, in the order of the files.

    Parameters
    ----------
    on_progress : called with how many files are done.

    Raises
    ------
    DataError
        for a file that is no picture.
    """
    features = np.zeros((len(paths), embedder.dimension), np.float32)
    for start in range(0, len(paths), batch_size):
        end = min(start + batch_size, len(paths))
        features[start:end] = embedder.embed([read_picture(path) for path in paths[start:end]])
        on_progress(end)
    return features

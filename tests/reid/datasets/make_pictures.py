"""Tiny pictures on the disk, for tests of layouts: what they show does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np


def touch_pictures(folder: Path, names: Iterable[str]) -> Path:
    """Write a 2×3 picture for every name and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.zeros((3, 2, 3), np.uint8)
    for name in names:
        is_written = cv2.imwrite(str(folder / name), picture)
        assert is_written
    return folder

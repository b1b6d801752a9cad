"""A small data set in Market-1501's layout whose identities are told by colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

IDENTITIES, CAMERAS = 6, 3


def write_market(root: Path, *, noise: float = 300.0) -> Path:
    """Write ``bounding_box_train``, ``query`` and ``bounding_box_test``; each identity wears two colours of its own.

    Parameters
    ----------
    noise : standard deviation of each picture's pixels, of 255.
    """
    generator = np.random.default_rng(0)
    colours = generator.integers(30, 226, (IDENTITIES, 2, 3))
    for folder, per_camera in (("bounding_box_train", 1), ("query", 1), ("bounding_box_test", 2)):
        (root / folder).mkdir(parents=True)
        for identity in range(IDENTITIES):
            for camera in range(1, CAMERAS + 1):
                for number in range(per_camera):
                    image = np.repeat(colours[identity], 32, axis=0)[:, None].repeat(32, axis=1)
                    noisy = image * (0.7 + 0.15 * camera) + generator.normal(0, noise, image.shape)
                    name = f"{identity + 1:04d}_c{camera}s1_{number:06d}_00.png"
                    cv2.imwrite(str(root / folder / name), noisy.clip(0, 255).astype(np.uint8))
    return root

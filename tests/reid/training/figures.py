"""Small drawn people in two cameras: a body, legs and a head in an identity's own colours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from records import Image
from reid.datasets.crops import CropArrays

SIZE_WH = (16, 32)


def draw_figure(identity: int, camera: int, generator: np.random.Generator) -> Image:
    """Return one picture (32, 16, 3) of an identity, as a camera with its own light and background sees it."""
    own = np.random.default_rng(1000 + identity)
    shirt, trousers, skin = (own.integers(30, 226, 3) for _ in range(3))
    width, height = 32, 64
    picture = np.full((height, width, 3), 90 + 60 * camera, np.float32)
    picture += generator.normal(0, 12, picture.shape)
    x, y = width // 2 + int(generator.integers(-3, 4)), 12 + int(generator.integers(-2, 3))
    half = 6 + int(own.integers(0, 4))
    cv2.rectangle(picture, (x - half, y + 6), (x + half, y + 26), shirt.tolist(), -1)
    cv2.rectangle(picture, (x - half + 1, y + 27), (x + half - 1, y + 48), trousers.tolist(), -1)
    cv2.circle(picture, (x, y), 5, skin.tolist(), -1)
    picture *= (0.8, 1.1)[camera % 2] + generator.normal(0, 0.05)
    return cv2.resize(np.clip(picture, 0, 255).astype(np.uint8), SIZE_WH, interpolation=cv2.INTER_AREA)


def draw_crops(identities: range, *, each: int = 6, seed: int = 0) -> CropArrays:
    """Return ``each`` pictures of every identity, taken by cameras 1 and 2 in turn."""
    generator = np.random.default_rng(seed)
    rows = [(identity, 1 + number % 2) for identity in identities for number in range(each)]
    pictures = np.stack([draw_figure(identity, camera, generator) for identity, camera in rows])
    labels = np.array(rows, np.int64)
    return CropArrays(pictures, labels[:, 0], labels[:, 1])


def write_market1501(root: Path, *, train: range, test: range, each: int = 6) -> Path:
    """Write drawn people in Market-1501's layout; of each test identity one picture a camera is a query."""
    for folder, identities in (("bounding_box_train", train), ("query", test), ("bounding_box_test", test)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        crops = draw_crops(identities, each=each, seed=len(folder))
        for row in range(len(crops)):
            number = row % each
            if (folder == "query") == (number < 2) or folder == "bounding_box_train":
                name = f"{crops.identities[row]:04d}_c{crops.cameras[row]}s1_{number:06d}_00.png"
                cv2.imwrite(str(root / folder / name), crops.load(row))
    return root

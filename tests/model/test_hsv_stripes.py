from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from model.hsv_stripes import HsvStripes
from records import FloatArray, Image
from tests.model.sequences import visible_crops


def dressed(top_bgr: tuple[int, int, int], bottom_bgr: tuple[int, int, int], size: tuple[int, int] = (96, 40)) -> Image:
    """Return a crop whose upper and lower half have one colour each."""
    crop = np.empty((*size, 3), np.uint8)
    crop[: size[0] // 2], crop[size[0] // 2 :] = top_bgr, bottom_bgr
    return crop


def noise(seed: int, height: int, width: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def plain_descriptor(crop_bgr: Image) -> FloatArray:
    """Compute the descriptor pixel by pixel."""
    hsv = cv2.cvtColor(cv2.resize(crop_bgr, (32, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2HSV)
    stripes = []
    for stripe in range(8):
        histograms = [np.zeros(24), np.zeros(16), np.zeros(16)]
        for y in range(stripe * 8, stripe * 8 + 8):
            for x in range(32):
                hue, saturation, value = (int(level) for level in hsv[y, x])
                weight = np.exp(-0.5 * (((x + 0.5) / 32 - 0.5) / 0.2) ** 2)
                histograms[0][min(hue * 24 // 180, 23)] += weight * saturation
                histograms[1][saturation * 16 // 256] += weight
                histograms[2][value * 16 // 256] += weight
        stripes += [histogram / histogram.sum() if histogram.sum() else histogram for histogram in histograms]
    roots = np.sqrt(np.concatenate(stripes))
    return (roots / np.linalg.norm(roots)).astype(np.float32)


def test_descriptor_equals_one_computed_pixel_by_pixel() -> None:
    crops = [noise(0, 90, 30), noise(1, 17, 50), noise(2, 200, 64), dressed((200, 10, 10), (10, 10, 10))]
    got = HsvStripes().embed(crops)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [plain_descriptor(crop) for crop in crops], atol=2e-6)


def test_descriptors_have_unit_length_whatever_the_crop() -> None:
    black, white = np.zeros((50, 20, 3), np.uint8), np.full((50, 20, 3), 255, np.uint8)
    embedder = HsvStripes()
    vectors = embedder.embed([black, white, noise(3, 1, 1), noise(4, 1, 300), noise(5, 300, 1)])
    assert vectors.shape == (5, embedder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_no_crops_give_no_rows() -> None:
    assert HsvStripes().embed([]).shape == (0, HsvStripes.dimension)


def test_a_crop_is_described_alike_alone_and_among_others() -> None:
    crops = [noise(seed, 40 + seed % 7, 20 + seed % 5) for seed in range(300)]  # more than one batch
    together = HsvStripes().embed(crops)
    for row in (0, 255, 256, 299):
        np.testing.assert_array_equal(HsvStripes().embed([crops[row]])[0], together[row])


def test_same_clothes_at_another_size_are_nearer_than_swapped_clothes() -> None:
    red, blue = (20, 20, 200), (200, 20, 20)
    same, larger, swapped = HsvStripes().embed([dressed(red, blue), dressed(red, blue, (180, 70)), dressed(blue, red)])
    assert same @ larger > 0.99
    assert same @ swapped < 0.8


def test_crops_that_are_views_into_a_picture_are_taken() -> None:
    image = noise(6, 100, 100)
    view = image[10:90:1, 20:50]
    np.testing.assert_array_equal(HsvStripes().embed([view]), HsvStripes().embed([view.copy()]))


def separation(vectors: FloatArray, identities: NDArray[np.int64], numbers: NDArray[np.int64]) -> float:
    """Return the AUC of same against different person over pairs 10 to 150 frames apart."""
    gaps = numbers[None, :] - numbers[:, None]
    wanted = (gaps >= 10) & (gaps <= 150)
    is_same = identities[None, :] == identities[:, None]
    similarities = vectors @ vectors.T
    same, different = similarities[wanted & is_same], similarities[wanted & ~is_same]
    ranks = rankdata(np.concatenate([same, different]))[: len(same)]
    return float((ranks.sum() - len(same) * (len(same) + 1) / 2) / (len(same) * len(different)))


@pytest.mark.parametrize(
    ("name", "step", "floor"), [("PETS09-S2L1", 10, 0.91), ("TUD-Campus", 4, 0.98), ("TUD-Stadtmitte", 5, 0.97)]
)
def test_same_person_is_told_from_others_on_real_crops(shared_dir: Path, name: str, step: int, floor: float) -> None:
    crops, identities, numbers = visible_crops(shared_dir / "data" / name, step=step)
    assert separation(HsvStripes().embed(crops), identities, numbers) >= floor

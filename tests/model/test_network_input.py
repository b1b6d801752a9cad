from __future__ import annotations

import numpy as np
import pytest

from model.embedding_spec import COVER, Preprocessing
from model.network_input import normalise_pixels, prepare_crops


def test_cover_cuts_the_middle_out_in_the_crops_own_proportions() -> None:
    crop = np.zeros((120, 40, 3), np.uint8)
    crop[38:82] = 255
    tensor = prepare_crops([crop], Preprocessing(sizes_wh=((64, 64),), mean=(0, 0, 0), std=(1, 1, 1), fit=COVER))
    assert tensor.shape == (1, 3, 64, 64)
    assert tensor.min() > 0.99


def test_stretch_keeps_head_and_feet() -> None:
    crop = np.zeros((120, 40, 3), np.uint8)
    crop[40:80] = 255
    tensor = prepare_crops([crop], Preprocessing(sizes_wh=((64, 64),), mean=(0, 0, 0), std=(1, 1, 1)))
    assert tensor[0, :, :20].max() == 0
    assert tensor[0, :, -20:].max() == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (64, 64), (63, 65)])
def test_cover_takes_crops_of_any_size(size: tuple[int, int]) -> None:
    crop = np.full((*size, 3), 7, np.uint8)
    tensor = prepare_crops([crop], Preprocessing(sizes_wh=((32, 48),), fit=COVER))
    assert tensor.shape == (1, 3, 48, 32)


def test_channels_are_turned_to_red_first_and_normalised() -> None:
    pixels = np.array([10, 20, 30], np.uint8).reshape(1, 1, 1, 3)
    got = normalise_pixels(pixels, Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.2)))
    expected = [(30 / 255 - 0.1) / 0.5, (20 / 255 - 0.2) / 0.25, (10 / 255 - 0.3) / 0.2]
    np.testing.assert_allclose(got.ravel(), expected, rtol=1e-5)


def test_an_unknown_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="stretch or cover, not squash"):
        Preprocessing(fit="squash")

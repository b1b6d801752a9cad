"""Stored pictures are turned upright."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from video.picture import Orientation, turn_upright


@pytest.mark.parametrize(("transposed", "flipped_x", "flipped_y"), list(product([False, True], repeat=3)))
def test_turning_moves_each_pixel_where_the_words_say(transposed: bool, flipped_x: bool, flipped_y: bool) -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    orientation = Orientation(transposed, flipped_x, flipped_y)
    turned = turn_upright(image, orientation)
    height, width = turned.shape[:2]
    assert (width, height) == orientation.size(7, 5)
    assert turned.flags.c_contiguous
    for y, x in product(range(height), range(width)):
        column = width - 1 - x if flipped_x else x
        row = height - 1 - y if flipped_y else y
        stored = image[column, row] if transposed else image[row, column]
        np.testing.assert_array_equal(turned[y, x], stored)


@pytest.mark.parametrize(
    ("orientation", "degrees"),
    [
        (Orientation(), 0),
        (Orientation(True, True, False), 90),
        (Orientation(False, True, True), 180),
        (Orientation(True, False, True), 270),
        (Orientation(False, True, False), 0),
    ],
)
def test_the_clockwise_rotation_is_named(orientation: Orientation, degrees: int) -> None:
    assert orientation.rotation_deg == degrees


def test_an_upright_picture_is_not_copied() -> None:
    image = np.zeros((5, 7, 3), np.uint8)
    assert turn_upright(image, Orientation()) is image

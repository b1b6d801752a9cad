from __future__ import annotations

import numpy as np
import pytest

from model.crops import cut_crops
from records import FloatArray, Image


def picture() -> Image:
    """Return 6×8 pixels, each different: value = 10·row + column."""
    rows, columns = np.mgrid[:6, :8]
    return np.repeat((10 * rows + columns)[..., None], 3, axis=2).astype(np.uint8)


def boxes(*rows: tuple[float, float, float, float]) -> FloatArray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_crop_holds_every_pixel_that_the_box_touches() -> None:
    (crop,) = cut_crops(picture(), boxes((1.2, 2.0, 3.1, 4.0)))
    assert crop[..., 0].tolist() == [[21, 22, 23], [31, 32, 33]]


def test_box_over_the_border_is_clipped() -> None:
    (crop,) = cut_crops(picture(), boxes((-5, -5, 2, 1)))
    assert crop[..., 0].tolist() == [[0, 1]]
    (crop,) = cut_crops(picture(), boxes((6, 4, 100, 100)))
    assert crop[..., 0].tolist() == [[46, 47], [56, 57]]


@pytest.mark.parametrize(
    ("box", "pixel"),
    [
        ((3, 3, 3, 3), 33),
        ((5, 4, 2, 1), 45),
        ((100, 100, 120, 130), 57),
        ((-30, -30, -20, -20), 0),
        ((-30, 2, -20, 3), 20),
        ((8, 6, 9, 7), 57),
    ],
)
def test_empty_and_outlying_boxes_give_the_nearest_pixel(box: tuple[float, ...], pixel: int) -> None:
    (crop,) = cut_crops(picture(), np.array([box], np.float32))
    assert crop[..., 0].tolist() == [[pixel]]


def test_crops_keep_the_order_of_the_boxes_and_none_gives_none() -> None:
    crops = cut_crops(picture(), boxes((0, 0, 1, 1), (7, 5, 8, 6), (0, 5, 8, 6)))
    assert [crop.shape for crop in crops] == [(1, 1, 3), (1, 1, 3), (1, 8, 3)]
    assert cut_crops(picture(), boxes()) == []


def test_box_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        cut_crops(picture(), boxes((0, 0, float("nan"), 3)))

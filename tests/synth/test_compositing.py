"""Truth about pictures that were put together: boxes, shares, order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.compositing import Placed, composite, place_sprite

GREY = np.full((60, 80, 3), 0.5, np.float32)
FAR = np.full((60, 80), 100.0, np.float32)


def block(left: int, top: int, width: int, height: int, depth: float, tone: float = 1.0, identity: int = 0) -> Placed:
    alpha = np.ones((height, width), np.float32)
    image = np.full((height, width, 3), tone, np.float32)
    return Placed(image, alpha, left, top, depth, (left + width / 2, top + height), (0.0, 0.0), 0, identity)


def changed(image: NDArray[np.float32]) -> list[int]:
    rows, columns = np.nonzero((image != GREY).any(axis=2))
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def test_a_box_is_where_the_pixels_changed() -> None:
    made = composite(GREY, FAR, [block(10, 20, 8, 16, 5)], shadow=0)
    assert made.boxes_xyxy.tolist() == [changed(made.image_rgb)] == [[10, 20, 18, 36]]
    assert made.visibility.tolist() == [1]


def test_a_soft_edge_belongs_to_the_box_where_it_is_more_than_half() -> None:
    item = block(10, 20, 6, 6, 5)
    item.alpha[:, 0], item.alpha[:, -1] = 0.4, 0.6
    assert composite(GREY, FAR, [item], shadow=0).boxes_xyxy.tolist() == [[11, 20, 16, 26]]


def test_the_nearer_one_hides_the_farther_whatever_their_order() -> None:
    near, far = block(10, 10, 10, 20, 3, tone=1.0), block(15, 10, 10, 20, 6, tone=0.0)
    for placed, expected in (([near, far], [1, 0.5]), ([far, near], [0.5, 1])):
        made = composite(GREY, FAR, placed, shadow=0)
        assert made.visibility.tolist() == expected
        assert made.image_rgb[15, 16, 0] == 1.0


def test_what_stands_before_a_person_hides_them() -> None:
    depth = FAR.copy()
    depth[:, 14:] = 2.0
    made = composite(GREY, depth, [block(10, 20, 8, 16, 5)], shadow=0)
    assert made.visibility.tolist() == [0.5]
    assert made.boxes_xyxy.tolist() == [[10, 20, 18, 36]], "the box is that of the whole person"
    assert changed(made.image_rgb) == [10, 20, 14, 36]


def test_a_box_goes_on_outside_the_picture() -> None:
    made = composite(GREY, FAR, [block(-4, 50, 8, 20, 5), block(200, 0, 5, 5, 5)], shadow=0)
    assert made.boxes_xyxy.tolist() == [[-4, 50, 4, 70], [200, 0, 205, 5]]
    assert np.allclose(made.visibility, [0.25, 0])


def test_nothing_placed_leaves_the_backdrop_as_it_is() -> None:
    made = composite(GREY, FAR, [])
    assert (made.image_rgb == GREY).all()
    assert made.boxes_xyxy.shape == (0, 4)


def test_a_contact_shadow_darkens_the_ground_and_no_box() -> None:
    rgba = np.full((20, 8, 4), 255, np.uint8)
    item = place_sprite(rgba, (4.0, 19.0), 1.0, (30.0, 40.0), depth_m=5, class_id=0)
    made = composite(GREY, FAR, [item], shadow=0.5)
    assert made.boxes_xyxy.tolist() == [[26, 21, 34, 41]]
    assert made.image_rgb[42, 30, 0] < 0.5


def test_a_sprite_is_scaled_around_its_anchor() -> None:
    rgba = np.full((20, 8, 4), 255, np.uint8)
    item = place_sprite(rgba, (4.0, 20.0), 2.0, (30.0, 50.0), depth_m=5, class_id=3, identity=7)
    assert (item.left, item.top, item.alpha.shape) == (22, 10, (40, 16))
    assert (item.class_id, item.identity) == (3, 7)

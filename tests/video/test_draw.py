"""Drawn pictures show their tracks, in the track's own colour, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from records import FloatArray, Image, IntArray
from video.draw import TRACK_COLOURS, Annotator


def bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return blue, green, red


def tracks(*boxes: tuple[float, float, float, float]) -> tuple[FloatArray, IntArray, list[str]]:
    numbers = np.arange(1, len(boxes) + 1, dtype=np.int64)
    return np.array(boxes, np.float32).reshape(-1, 4), numbers, [f"{number} person" for number in numbers]


def count_dark(image: Image) -> int:
    """Count pixels darker than anything in these tests but letters."""
    return int((image.sum(axis=2) < 200).sum())


@pytest.mark.parametrize(("width", "height"), [(640, 480), (3840, 2160), (120, 90), (480, 854)])
def test_boxes_are_drawn_in_the_tracks_colour_and_grow_with_the_picture(width: int, height: int) -> None:
    scene = np.full((height, width, 3), 100, np.uint8)
    box = (width * 0.3, height * 0.3, width * 0.5, height * 0.8)
    drawn = Annotator(width, height).draw(scene, *tracks(box))
    row = drawn[int(height * 0.6)]
    coloured = np.flatnonzero((row == bgr(TRACK_COLOURS[1])).all(axis=1))
    assert abs(coloured.min() - box[0]) <= max(3, width * 0.004)
    assert abs(coloured.max() - box[2]) <= max(3, width * 0.004)
    assert max(1, min(width, height) / 400) <= len(coloured) / 2 <= max(3, min(width, height) / 150)
    label = drawn[int(height * 0.2) : int(box[1]) - 1]
    assert count_dark(label) > 20, "black letters above the box"


def test_the_picture_that_came_in_stays_as_it_is() -> None:
    scene = np.full((480, 640, 3), 100, np.uint8)
    drawn = Annotator(640, 480).draw(scene, *tracks((10, 100, 60, 200)))
    assert (scene == 100).all()
    assert (drawn != 100).any()


def test_without_tracks_nothing_is_drawn() -> None:
    scene = np.full((480, 640, 3), 100, np.uint8)
    drawn = Annotator(640, 480).draw(scene, *tracks())
    np.testing.assert_array_equal(drawn, scene)
    assert drawn is not scene


def test_a_trail_follows_the_feet() -> None:
    annotator = Annotator(640, 480)
    for step in range(20):
        left = 100 + 10 * step
        drawn = annotator.draw(np.full((480, 640, 3), 100, np.uint8), *tracks((left, 200, left + 40, 300)))
    colour = bgr(TRACK_COLOURS[1])
    assert (drawn[300, 130] == colour).all(), "twenty frames back"
    assert (drawn[300, 60] == 100).all(), "where it never was"
    empty = annotator.draw(np.full((480, 640, 3), 100, np.uint8), *tracks())
    assert (empty == 100).all()


def test_a_tracks_colour_depends_on_its_number_alone() -> None:
    scene = np.full((480, 640, 3), 100, np.uint8)
    box = np.array([[100, 200, 150, 300]], np.float32)
    for number in (5, 17):
        annotator = Annotator(640, 480)
        annotator.draw(scene, *tracks((300, 200, 350, 300), (400, 200, 450, 300)))
        drawn = annotator.draw(scene, box, np.array([number]), [str(number)])
        assert (drawn[250, 100] == bgr(TRACK_COLOURS[5])).all()


def test_a_label_at_the_upper_border_stays_inside() -> None:
    scene = np.full((480, 640, 3), 100, np.uint8)
    drawn = Annotator(640, 480).draw(scene, *tracks((200, 0, 260, 150)))
    assert count_dark(drawn[:20, 200:280]) > 40


@pytest.mark.parametrize(
    "box", [(-50, -50, 20, 20), (600, 440, 700, 600), (0, 0, 640, 480), (700, 500, 800, 600), (10, 10, 10, 10)]
)
def test_boxes_at_and_beyond_the_border_do_no_harm(box: tuple[float, float, float, float]) -> None:
    drawn = Annotator(640, 480).draw(np.zeros((480, 640, 3), np.uint8), *tracks(box))
    assert drawn.shape == (480, 640, 3)


def test_letters_without_a_font_become_question_marks() -> None:
    scene = np.full((480, 640, 3), 100, np.uint8)
    boxes, numbers, _ = tracks((100, 200, 150, 300))
    drawn = [Annotator(640, 480).draw(scene, boxes, numbers, [label]) for label in ("1 行人", "1 ??")]
    np.testing.assert_array_equal(*drawn)


def test_lengths_that_disagree_are_named() -> None:
    boxes, numbers, labels = tracks((100, 200, 150, 300))
    with pytest.raises(ValueError, match="1 tracks"):
        Annotator(640, 480).draw(np.zeros((480, 640, 3), np.uint8), boxes, numbers, [*labels, "2"])


@pytest.mark.parametrize("colour", TRACK_COLOURS)
def test_black_text_is_readable_on_every_colour(colour: str) -> None:
    """The contrast after WCAG 2: ``(L + 0.05) / 0.05`` against black, 7 or more."""
    channels = np.array(bgr(colour)[::-1]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    assert (linear @ [0.2126, 0.7152, 0.0722] + 0.05) / 0.05 >= 7

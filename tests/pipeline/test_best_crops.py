"""Which crop of a track is kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.best_crops import MAX_CROP_SIDE, CropSlots, encode_jpeg, rate_boxes, sharpness
from records import FloatArray, Image


def _boxes(*boxes: tuple[float, float, float, float]) -> FloatArray:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _scores(*scores: float) -> FloatArray:
    return np.array(scores, np.float32)


def _noise(height: int, width: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_no_boxes_have_no_ratings() -> None:
    assert rate_boxes(_boxes(), _scores(), 640, 480).shape == (0,)


def test_a_large_box_rates_above_a_small_one() -> None:
    small, large = rate_boxes(_boxes((10, 10, 30, 60), (100, 100, 160, 250)), _scores(0.8, 0.8), 640, 480)
    assert large > small > 0


def test_beyond_full_size_more_pixels_do_not_count() -> None:
    a, b = rate_boxes(_boxes((10, 10, 210, 310), (300, 10, 600, 460)), _scores(0.8, 0.8), 640, 480)
    assert a == pytest.approx(b)


@pytest.mark.parametrize("box", [(0, 100, 60, 250), (100, 0, 160, 150), (580, 100, 640, 250), (100, 330, 160, 480)])
def test_a_box_cut_by_any_border_rates_below_a_whole_one(box: tuple[float, float, float, float]) -> None:
    cut, whole = rate_boxes(_boxes(box, (300, 150, 360, 300)), _scores(0.8, 0.8), 640, 480)
    assert cut < 0.5 * whole


def test_a_covered_box_rates_below_a_free_one() -> None:
    covered, _, free = rate_boxes(
        _boxes((100, 100, 160, 250), (110, 110, 170, 260), (300, 100, 360, 250)), _scores(0.8, 0.8, 0.8), 640, 480
    )
    assert 0 < covered < 0.5 * free


def test_the_score_counts() -> None:
    low, high = rate_boxes(_boxes((10, 10, 60, 160), (300, 10, 350, 160)), _scores(0.3, 0.9), 640, 480)
    assert high == pytest.approx(3 * low)


def test_a_blurred_crop_is_less_sharp() -> None:
    crop = _noise(200, 80)
    blurred = cv2.GaussianBlur(crop, (0, 0), 6).astype(np.uint8)
    assert 0 < sharpness(blurred) < 0.5 * sharpness(crop) < 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
def test_a_sliver_has_a_sharpness(shape: tuple[int, int]) -> None:
    assert 0 < sharpness(_noise(*shape)) < 1


def _offer(slots: CropSlots, crop: Image, rating: float, second: float) -> None:
    slots.offer(crop, rating, second, frame=round(second * 10), detection=round(second * 100))


def test_the_better_crop_is_kept_in_any_order() -> None:
    good, bad = _noise(100, 40, seed=1), _noise(100, 40, seed=2)
    for order in ([(good, 0.9, 0.3), (bad, 0.2, 0.7)], [(bad, 0.2, 0.3), (good, 0.9, 0.7)]):
        slots = CropSlots(1, 0.0)
        for crop, rating, second in order:
            _offer(slots, crop, rating, second)
        (kept,) = slots.crops()
        np.testing.assert_array_equal(kept.image_bgr, good)


def test_a_hardly_better_crop_does_not_replace() -> None:
    slots = CropSlots(1, 0.0)
    _offer(slots, _noise(100, 40), 0.80, 0.0)
    _offer(slots, _noise(100, 40), 0.82, 0.1)
    assert [crop.frame for crop in slots.crops()] == [0]


def test_a_sharp_crop_wins_over_a_blurred_one_of_the_same_rating() -> None:
    crop = _noise(100, 40)
    slots = CropSlots(1, 0.0)
    _offer(slots, cv2.GaussianBlur(crop, (0, 0), 5).astype(np.uint8), 0.5, 0.0)
    _offer(slots, crop, 0.5, 0.1)
    assert [crop.frame for crop in slots.crops()] == [1]


def test_a_huge_crop_is_kept_smaller_in_its_own_proportions() -> None:
    slots = CropSlots(1, 0.0)
    _offer(slots, _noise(1600, 800), 0.9, 0.0)
    kept = cv2.imdecode(np.frombuffer(encode_jpeg(slots.crops()[0].image_bgr), np.uint8), cv2.IMREAD_COLOR)
    assert kept is not None
    assert kept.shape == (MAX_CROP_SIDE, MAX_CROP_SIDE // 2, 3)


def test_a_one_pixel_crop_is_kept() -> None:
    slots = CropSlots(3, 0.0)
    _offer(slots, _noise(1, 1), 0.01, 0.4)
    assert [crop.detection for crop in slots.crops()] == [40]


def test_a_kept_crop_does_not_hold_its_frame() -> None:
    frame = _noise(100, 100)
    slots = CropSlots(1, 0.0)
    _offer(slots, frame[10:60, 10:30], 0.5, 0.0)
    before = slots.crops()[0].image_bgr.copy()
    frame[:] = 0
    np.testing.assert_array_equal(slots.crops()[0].image_bgr, before)


@pytest.mark.parametrize("seconds", [3, 10, 100, 1000])
def test_crops_are_few_and_spread_over_the_time(seconds: int) -> None:
    slots = CropSlots(4, 5.0)
    crop = _noise(40, 20)
    for tick in range(seconds * 4):
        _offer(slots, crop, 0.5, 5.0 + tick / 4)
    times = [kept.frame / 10 - 5 for kept in slots.crops()]
    assert 2 <= len(times) <= 4
    assert times[0] < 0.5 * seconds <= times[-1] + seconds / 2
    assert min(np.diff(times)) >= seconds / 8


def test_the_best_crop_survives_when_slots_join() -> None:
    slots = CropSlots(2, 0.0)
    crop = _noise(40, 20)
    for second in range(64):
        _offer(slots, crop, 0.9 if second == 13 else 0.3, float(second))
    assert 130 in [kept.frame for kept in slots.crops()]


def test_no_crops_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 crop"):
        CropSlots(0, 0.0)

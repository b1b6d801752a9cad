"""The tracker over arrays gives what the plain one gives, and the same every time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from deep_sort.tracker import Tracker, TrackerOptions
from tests.deep_sort.plain_deep_sort import PlainDeepSort

Scene = list[tuple[np.ndarray, np.ndarray]]


def random_scene(seed: int, *, frame_count: int = 120, people: int = 5) -> Scene:
    """Return boxes (N, 4) and features (N, 8) of people who wander, hide, come back, and of false alarms."""
    rng = np.random.default_rng(seed)
    looks = rng.uniform(0, 1, (people, 8))
    centres, speeds = rng.uniform(100, 400, (people, 2)), rng.normal(0, 3, (people, 2))
    sizes = rng.uniform([30, 80], [50, 120], (people, 2))
    hidden_until = np.zeros(people)
    scene = []
    for frame in range(frame_count):
        speeds += rng.normal(0, 0.5, speeds.shape)
        centres += speeds
        speeds[(centres < 50) | (centres > 450)] *= -1
        hiding = rng.uniform(size=people) < 0.04
        hidden_until[hiding] = frame + rng.integers(1, 25, hiding.sum())
        visible = np.flatnonzero((hidden_until <= frame) & (rng.uniform(size=people) < 0.9))
        noisy = centres[visible] + rng.normal(0, 1.5, (len(visible), 2))
        boxes = np.concatenate([noisy - sizes[visible] / 2, noisy + sizes[visible] / 2], axis=1)
        features = looks[visible] + rng.normal(0, 0.08, (len(visible), 8))
        if rng.uniform() < 0.2:
            corner = rng.uniform(0, 400, 2)
            boxes = np.concatenate([boxes, [[*corner, *(corner + np.array([40, 100]))]]])
            features = np.concatenate([features, rng.uniform(0, 1, (1, 8))])
        order = rng.permutation(len(boxes))
        scene.append((boxes[order].astype(np.float32), features[order].astype(np.float32)))
    return scene


def tracks_of(tracker: Tracker, scene: Scene) -> Iterator[tuple[list[int], np.ndarray, list[int]]]:
    for boxes, features in scene:
        tracked = tracker.step(boxes, np.ones(len(boxes), np.float32), features)
        yield tracked.track_numbers.tolist(), tracked.boxes_xyxy, tracked.detection_indices.tolist()


OPTIONS = [
    TrackerOptions(max_cosine_distance=0.05, nn_budget=10, max_age=15),
    TrackerOptions(max_cosine_distance=0.03, nn_budget=3, max_age=8, n_init=1, max_iou_distance=0.5),
    TrackerOptions(max_cosine_distance=0.2, nn_budget=100, max_age=30, n_init=2),
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_tracks_are_those_of_the_plain_tracker(seed: int, options: TrackerOptions) -> None:
    scene = random_scene(seed)
    plain = PlainDeepSort(options)
    points = 0
    for (boxes, features), (numbers, tracked, rows) in zip(scene, tracks_of(Tracker(options), scene), strict=True):
        expected = plain.step(boxes, features)
        assert (numbers, rows) == ([number for number, _, _ in expected], [row for _, _, row in expected])
        np.testing.assert_allclose(tracked, np.array([box for _, box, _ in expected]).reshape(-1, 4), atol=1e-3)
        points += len(numbers)
    assert points > 200
    assert plain.next_number > 5


def test_the_same_input_gives_the_same_output() -> None:
    scene = random_scene(9)
    runs = [list(tracks_of(Tracker(OPTIONS[0]), scene)) for _ in range(2)]
    for (numbers, boxes, rows), (others, other_boxes, other_rows) in zip(*runs, strict=True):
        assert (numbers, rows) == (others, other_rows)
        np.testing.assert_array_equal(boxes, other_boxes)


def test_the_order_of_boxes_in_a_frame_changes_no_track() -> None:
    scene = random_scene(10)
    reversed_scene = [(boxes[::-1], features[::-1]) for boxes, features in scene]
    renamed: dict[int, int] = {}
    runs = tracks_of(Tracker(OPTIONS[0]), scene), tracks_of(Tracker(OPTIONS[0]), reversed_scene)
    for (boxes, _), (numbers, _, rows), (others, _, other_rows) in zip(scene, *runs, strict=True):
        by_row = dict(zip(rows, numbers, strict=True))
        assert {len(boxes) - 1 - row for row in other_rows} == set(by_row)
        for row, other in zip(other_rows, others, strict=True):
            number = by_row[len(boxes) - 1 - row]
            assert renamed.setdefault(number, other) == other
    assert len(renamed) > 5

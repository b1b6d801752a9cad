"""Going over the tracks of a whole video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from deep_sort.gap_filling import FillingOptions
from deep_sort.linking_options import LinkingOptions
from deep_sort.pieces import FeatureSums, PieceCutter, split_gap_s
from deep_sort.refine import RefinedColumns, RefineOptions, TrackColumns, carry, refine
from tests.deep_sort.fusion_scenes import GREEN, RED
from tests.deep_sort.scenes import person

RATE = 10.0
WIDTH = 2000


@dataclass
class Scene:
    """Boxes as a tracker would give them, in any order of track."""

    boxes: dict[int, list[tuple[int, list[float], tuple[float, ...] | None, float]]] = field(default_factory=dict)

    def walk(
        self, track: int, frames: Sequence[int], *, left: float, speed: float = 0.0, looks: tuple[float, ...] | None = None,
        score: float = 0.9, top: float = 100.0,
    ) -> Scene:  # fmt: skip
        """Add a person who is at ``left + speed · frame`` in each frame."""
        for frame in frames:
            entry = (track, person(left + speed * frame, top), looks, score)
            self.boxes.setdefault(frame, []).append(entry)
        return self

    def refine(
        self, frame_count: int, options: RefineOptions | None = None, to_first_frame: np.ndarray | None = None
    ) -> RefinedColumns:
        cutter, sums = PieceCutter(split_gap_s(RATE)), FeatureSums()
        frames, pieces, boxes, scores = [], [], [], []
        for frame in range(frame_count):
            seen = self.boxes.get(frame, [])
            numbers = cutter.step(np.array([track for track, *_ in seen], np.int64), frame / RATE)
            sums.add(
                numbers,
                np.array([looks or (0, 0, 0) for _, _, looks, _ in seen]).reshape(-1, 3),
                np.array([s for *_, s in seen]),
            )
            frames += [frame] * len(seen)
            pieces += numbers.tolist()
            boxes += [box for _, box, _, _ in seen]
            scores += [score for *_, score in seen]
        columns = TrackColumns(
            frames=np.array(frames, np.int64),
            pieces=np.array(pieces, np.int64),
            boxes_xyxy=np.array(boxes, np.float32).reshape(-1, 4),
            scores=np.array(scores, np.float32),
            features=(sums,),
        )
        return refine(
            columns,
            frame_times_s=np.arange(frame_count) / RATE,
            frame_width=WIDTH,
            options=options,
            to_first_frame=to_first_frame,
        )


def frames_of(refined: RefinedColumns) -> dict[int, list[int]]:
    return {
        int(number): refined.frames[refined.track_numbers == number].tolist()
        for number in np.unique(refined.track_numbers)
    }


def test_a_broken_track_is_linked_and_its_gap_filled_along_the_way() -> None:
    scene = (
        Scene().walk(5, range(20), left=100, speed=5, looks=RED).walk(9, range(30, 50), left=100, speed=5, looks=RED)
    )
    refined = scene.refine(50)
    assert frames_of(refined) == {1: list(range(50))}
    np.testing.assert_allclose(refined.boxes_xyxy, [person(100 + 5 * k) for k in range(50)], atol=0.5)
    assert refined.rows.tolist() == [*range(20), *[-1] * 10, *range(20, 40)]


def test_pieces_of_different_looks_are_not_linked() -> None:
    scene = (
        Scene().walk(1, range(20), left=100, speed=5, looks=RED).walk(2, range(30, 50), left=100, speed=5, looks=GREEN)
    )
    assert frames_of(scene.refine(50)) == {1: list(range(20)), 2: list(range(30, 50))}


def test_pieces_without_looks_are_linked_by_motion_alone() -> None:
    scene = Scene().walk(1, range(20), left=100, speed=5).walk(2, range(26, 50), left=100, speed=5)
    assert frames_of(scene.refine(50)) == {1: list(range(50))}
    astray = Scene().walk(1, range(20), left=100, speed=5).walk(2, range(26, 50), left=330, speed=5)
    assert frames_of(astray.refine(50)) == {1: list(range(20)), 2: list(range(26, 50))}


def test_a_track_that_went_on_as_somebody_else_after_a_gap_is_taken_apart() -> None:
    scene = Scene().walk(1, range(20), left=100, looks=RED).walk(1, range(30, 50), left=100, looks=GREEN)
    assert frames_of(scene.refine(50)) == {1: list(range(20)), 2: list(range(30, 50))}


def test_swapped_halves_find_their_own_people_again() -> None:
    scene = (
        Scene()
        .walk(1, range(20), left=100, looks=RED)
        .walk(2, range(20), left=160, looks=GREEN)
        .walk(1, range(26, 50), left=160, looks=GREEN)
        .walk(2, range(26, 50), left=100, looks=RED)
    )
    refined = scene.refine(50)
    assert frames_of(refined) == {1: list(range(50)), 2: list(range(50))}
    for number, left in ((1, 100), (2, 160)):
        assert refined.boxes_xyxy[refined.track_numbers == number, 0] == pytest.approx(left, abs=1)


def test_two_people_in_one_frame_never_become_one() -> None:
    scene = Scene().walk(1, range(20), left=100, looks=RED).walk(2, range(19, 40), left=104, looks=RED)
    assert len(frames_of(scene.refine(40))) == 2


@pytest.mark.parametrize("seed", range(5))
def test_no_identity_has_two_boxes_in_a_frame_and_rows_keep_their_boxes_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = Scene()
    for track in range(60):
        start = int(rng.integers(0, 280))
        frames = [k for k in range(start, min(start + int(rng.integers(2, 60)), 300)) if rng.random() < 0.8]
        looks = tuple(np.abs(rng.normal(size=3)))
        scene.walk(
            track, frames, left=rng.uniform(0, 300), speed=rng.normal(0, 2), looks=looks, score=rng.uniform(0.5, 1)
        )
    refined = scene.refine(300)
    pairs = np.column_stack([refined.frames, refined.track_numbers])
    assert len(np.unique(pairs, axis=0)) == len(pairs) > 0
    is_seen = refined.rows >= 0
    assert len(np.unique(refined.rows[is_seen])) == is_seen.sum()
    flat = [frame for frame in sorted(scene.boxes) for _ in scene.boxes[frame]]
    assert [flat[row] for row in refined.rows[is_seen]] == refined.frames[is_seen].tolist()
    assert np.array_equal(np.lexsort((refined.track_numbers, refined.frames)), np.arange(len(pairs)))
    firsts = [min(frames) for _, frames in sorted(frames_of(refined).items())]
    assert firsts == sorted(firsts)
    again = scene.refine(300)
    for name in ("frames", "track_numbers", "boxes_xyxy", "rows"):
        assert np.array_equal(getattr(refined, name), getattr(again, name))


def test_gaps_are_filled_up_to_the_limit_only() -> None:
    options = RefineOptions(filling=FillingOptions(max_gap_s=1.0))
    short = Scene().walk(1, range(20), left=100, looks=RED).walk(2, range(29, 60), left=100, looks=RED)
    assert frames_of(short.refine(60, options)) == {1: list(range(60))}
    long = Scene().walk(1, range(20), left=100, looks=RED).walk(2, range(31, 60), left=100, looks=RED)
    assert frames_of(long.refine(60, options)) == {1: [*range(20), *range(31, 60)]}


def test_longer_gaps_than_the_limit_are_not_linked() -> None:
    scene = Scene().walk(1, range(20), left=100, looks=RED).walk(2, range(50, 70), left=100, looks=RED)
    assert len(frames_of(scene.refine(70, RefineOptions(linking=LinkingOptions(max_gap_s=2.9))))) == 2
    assert len(frames_of(scene.refine(70, RefineOptions(linking=LinkingOptions(max_gap_s=3.2))))) == 1


def test_smoothing_takes_the_noise_and_leaves_the_walk() -> None:
    rng = np.random.default_rng(3)
    scene = Scene()
    for frame in range(60):
        scene.walk(1, [frame], left=100 + 4 * frame + rng.normal(0, 4), looks=RED)
    truth = 100 + 4.0 * np.arange(60)
    raw = np.array([scene.boxes[frame][0][1][0] for frame in range(60)])
    smooth = scene.refine(60).boxes_xyxy[:, 0]
    assert np.abs(smooth - truth).mean() < 0.7 * np.abs(raw - truth).mean()
    assert abs(smooth[-1] - truth[-1]) < 6


@pytest.mark.parametrize(
    ("frames", "score"), [([10, 11], 0.9), ([10, 11, 12], 0.9), (list(range(10, 30)), 0.5), ([10, 13, 16, 19, 22], 0.9)]
)
def test_ghosts_are_removed(frames: list[int], score: float) -> None:
    scene = Scene().walk(1, range(40), left=100, looks=RED).walk(2, frames, left=900, looks=GREEN, score=score)
    assert frames_of(scene.refine(40)) == {1: list(range(40))}


def test_the_double_of_a_track_is_removed() -> None:
    scene = Scene().walk(1, range(40), left=100, looks=RED).walk(2, range(5, 30), left=104, looks=RED, score=0.8)
    refined = scene.refine(40)
    assert frames_of(refined) == {1: list(range(40))}
    beside = Scene().walk(1, range(40), left=100, looks=RED).walk(2, range(5, 30), left=135, looks=RED, score=0.8)
    assert len(frames_of(beside.refine(40))) == 2


def test_a_piece_of_one_box_is_nobody() -> None:
    assert len(Scene().walk(1, [3], left=100).refine(10).frames) == 0


def test_nothing_gives_nothing() -> None:
    for frame_count in (0, 1, 5):
        refined = Scene().refine(frame_count)
        assert refined.boxes_xyxy.shape == (0, 4)
        assert refined.boxes_xyxy.dtype == np.float32
        assert len(refined.frames) == len(refined.track_numbers) == len(refined.rows) == 0


def test_five_hundred_people_a_frame() -> None:
    scene = Scene()
    for track in range(500):
        scene.walk(track, range(8), left=60 * (track % 25), top=120 * (track // 25), looks=RED)
    assert len(frames_of(scene.refine(8))) == 500


def test_a_panning_camera_s_ground_is_used_and_boxes_come_back_to_their_frames() -> None:
    offsets = 150 * np.sin(np.arange(50) / 2)
    ground = np.tile(np.eye(3), (50, 1, 1))
    ground[:, 0, 2] = -offsets
    scene = Scene()
    for track, frames in ((1, range(20)), (2, range(28, 50))):
        for frame in frames:
            scene.walk(track, [frame], left=800 + offsets[frame])
    refined = scene.refine(50, to_first_frame=ground)
    assert frames_of(refined) == {1: list(range(50))}
    np.testing.assert_allclose(refined.boxes_xyxy[:, 0], 800 + offsets, atol=1)
    assert frames_of(scene.refine(50)) != {1: list(range(50))}


def test_carry_moves_centres_and_scales_sides() -> None:
    turn = np.array([[[0.0, -2.0, 5.0], [2.0, 0.0, 7.0], [0.0, 0.0, 1.0]]])
    np.testing.assert_allclose(carry(np.array([[8.0, 16.0, 12.0, 24.0]]), turn), [[-39, 19, -31, 35]])


def columns(**changes: object) -> TrackColumns:
    values = {
        "frames": np.array([0, 1]),
        "pieces": np.array([0, 0]),
        "boxes_xyxy": np.array([person(1), person(2)], np.float32),
        "scores": np.ones(2),
    }
    return TrackColumns(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pieces": np.zeros(3, np.int64)}, r"pieces must have shape \(2,\)"),
        ({"boxes_xyxy": np.zeros((2, 3))}, r"boxes_xyxy must have shape \(2, 4\)"),
        ({"boxes_xyxy": np.full((2, 4), np.nan)}, "finite"),
        ({"frames": np.array([1, 0])}, "in order"),
        ({"frames": np.array([-1, 0])}, "0 or more"),
    ],
)
def test_bad_columns_are_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        columns(**changes)


@pytest.mark.parametrize(
    ("times_s", "ground", "reason"),
    [
        ([0.0], None, "frame 1 has no time"),
        ([0.0, 0.0], None, "rising"),
        ([0.0, np.nan], None, "finite"),
        ([0.0, 0.1], np.eye(3), "to_first_frame"),
    ],
)
def test_bad_times_and_matrices_are_refused(times_s: list[float], ground: np.ndarray | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        refine(columns(), frame_times_s=np.array(times_s), frame_width=WIDTH, to_first_frame=ground)


@pytest.mark.parametrize(("frame_count", "enough"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3), (20, 4)])
def test_about_half_of_a_short_video_makes_somebody(frame_count: int, enough: int) -> None:
    """In a longer one it takes three boxes and .3 s, which are four boxes here."""
    for seen, count in ((enough, 1), (enough - 1, 0)):
        refined = Scene().walk(1, range(seen), left=100, score=0.8).refine(frame_count)
        assert len(frames_of(refined)) == count, seen


def test_a_weak_box_is_nobody_even_in_a_single_frame() -> None:
    assert not len(Scene().walk(1, [0], left=100, score=0.5).refine(1).frames)


def test_more_embedders_than_scales_are_refused() -> None:
    one = np.zeros(0, np.int64)
    boxes = np.zeros((0, 4), np.float32)
    columns = TrackColumns(
        frames=one, pieces=one, boxes_xyxy=boxes, scores=one, features=(FeatureSums(), FeatureSums())
    )
    with pytest.raises(ValueError, match="there are 2 embedders and 1 scales"):
        refine(columns, frame_times_s=np.arange(3), frame_width=WIDTH)

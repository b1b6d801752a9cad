"""Progress over two passes, with a clock that the test winds."""

from __future__ import annotations

import pytest

from pipeline.progress import ProgressMeter
from records import Progress


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def _run(meter: ProgressMeter, clock: Clock, frames: int, frame_s: float) -> None:
    for _ in range(frames):
        clock.now_s += frame_s
        meter.advance()


def test_one_stage_ends_at_one_with_nothing_left() -> None:
    seen: list[Progress] = []
    clock = Clock()
    meter = ProgressMeter(seen.append, pixels=100, clock=clock)
    meter.begin("analyse", 10, is_last=True)
    _run(meter, clock, 10, 0.1)
    assert seen[0] == Progress("analyse", 0.0, 0, 10, None, None)
    assert [progress.frames_done for progress in seen] == list(range(11))
    assert seen[5].fraction == pytest.approx(0.5)
    assert seen[5].eta_s == pytest.approx(0.5)
    assert seen[5].frames_per_s == pytest.approx(10)
    assert seen[-1].fraction == pytest.approx(1.0)
    assert seen[-1].eta_s == pytest.approx(0.0)


def test_the_first_of_two_stages_leaves_room_for_the_second() -> None:
    seen: list[Progress] = []
    clock = Clock()
    meter = ProgressMeter(seen.append, pixels=1920 * 1080, clock=clock)
    meter.begin("analyse", 100, is_last=False)
    _run(meter, clock, 100, 0.1)
    assert 0.5 < seen[-1].fraction < 0.8
    assert seen[-1].eta_s is not None
    assert seen[-1].eta_s > 1
    meter.finish_stage()
    meter.begin("render", 100, is_last=True)
    _run(meter, clock, 100, 0.05)
    assert seen[-1].stage == "render"
    assert seen[-1].fraction == pytest.approx(1.0)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)


def test_the_fraction_never_falls_when_frames_get_slower() -> None:
    seen: list[Progress] = []
    clock = Clock()
    meter = ProgressMeter(seen.append, pixels=100, clock=clock)
    meter.begin("analyse", 200, is_last=True)
    _run(meter, clock, 100, 0.01)
    _run(meter, clock, 50, 1.0)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert seen[-1].frames_per_s == pytest.approx(1.0, rel=0.05)


def test_an_unknown_length_has_no_estimate() -> None:
    seen: list[Progress] = []
    clock = Clock()
    meter = ProgressMeter(seen.append, pixels=100, clock=clock)
    meter.begin("analyse", None, is_last=False)
    _run(meter, clock, 5, 0.1)
    assert {progress.frames_total for progress in seen} == {None}
    assert {progress.eta_s for progress in seen} == {None}
    assert seen[-1].fraction == 0.0
    assert seen[-1].frames_per_s == pytest.approx(10)


def test_a_container_that_counts_too_few_frames_does_not_pass_the_end() -> None:
    seen: list[Progress] = []
    clock = Clock()
    meter = ProgressMeter(seen.append, pixels=100, clock=clock)
    meter.begin("analyse", 3, is_last=True)
    _run(meter, clock, 6, 0.1)
    assert (seen[-1].frames_done, seen[-1].frames_total) == (6, 6)
    assert max(progress.fraction for progress in seen) <= 1.0
    assert all(progress.eta_s is None or progress.eta_s >= 0 for progress in seen)


def test_frames_within_one_tick_of_the_clock_have_no_rate() -> None:
    seen: list[Progress] = []
    meter = ProgressMeter(seen.append, pixels=100, clock=Clock())
    meter.begin("analyse", 2, is_last=True)
    meter.advance()
    assert seen[-1].frames_per_s is None


def test_what_the_callback_raises_comes_through() -> None:
    def stop(progress: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        ProgressMeter(stop, pixels=100).begin("analyse", 1, is_last=True)


def test_slow_batches_do_not_look_fast() -> None:
    seen: list[Progress] = []
    clock = Clock()
    meter = ProgressMeter(seen.append, pixels=100, clock=clock)
    meter.begin("analyse", 200, is_last=False)
    for _ in range(20):
        clock.now_s += 40  # a batch of four frames that end together
        _run(meter, clock, 4, 0.001)
        assert seen[-1].fraction <= 1.25 * seen[-1].frames_done / 200
        assert seen[-1].frames_per_s is not None
        assert seen[-1].frames_per_s < 0.2

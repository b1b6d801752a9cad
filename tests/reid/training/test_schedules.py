from __future__ import annotations

import pytest

from reid.training.schedules import Cosine, Piecewise


def test_the_rate_falls_to_a_tenth_at_each_step() -> None:
    schedule = Piecewise(rate=0.001, steps=(5000, 7000, 9000))
    rates = [schedule.rate_at(iteration) for iteration in (0, 4999, 5000, 6999, 7000, 9000, 12000)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-6, 1e-6])


def test_warming_up_ends_at_the_full_rate() -> None:
    schedule = Piecewise(rate=1.0, warmup=4)
    assert [schedule.rate_at(iteration) for iteration in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_a_cosine_falls_from_the_rate_to_its_floor() -> None:
    schedule = Cosine(rate=2.0, total=100, floor=0.1)
    assert schedule.rate_at(0) == 2.0
    assert schedule.rate_at(50) == pytest.approx(1.1)
    assert schedule.rate_at(100) == schedule.rate_at(1000) == pytest.approx(0.2)
    rates = [schedule.rate_at(iteration) for iteration in range(101)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Piecewise(rate=0),
        lambda: Piecewise(rate=1, steps=(5, 3)),
        lambda: Cosine(rate=1, total=0),
        lambda: Cosine(rate=1, total=5, floor=2),
    ],
)
def test_schedules_that_make_no_sense_are_refused(build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="not"):
        build()

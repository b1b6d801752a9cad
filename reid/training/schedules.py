"""Learning rates as functions of the iteration, so that resuming needs no state of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """A learning rate for every iteration."""

    def rate_at(self, iteration: int) -> float:
        """Return the learning rate of iteration 0, 1, 2, …"""


@dataclass(frozen=True, kw_only=True)
class Piecewise:
    """The rate times ``factor`` after each of ``steps``; without steps it is constant.

    Attributes
    ----------
    warmup : iterations over which the rate rises evenly to its full height.
    """

    rate: float
    steps: tuple[int, ...] = ()
    factor: float = 0.1
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.rate <= 0 or list(self.steps) != sorted(self.steps) or self.warmup < 0:
            raise ValueError(
                f"rate must be above 0, steps must rise and warmup must be 0 or more, not {self.rate}, "
                f"{self.steps} and {self.warmup}"
            )

    def rate_at(self, iteration: int) -> float:
        """Return the learning rate; see `Schedule.rate_at`."""
        passed = sum(iteration >= step for step in self.steps)
        return self.rate * self.factor**passed * _warm(iteration, self.warmup)


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """Half a cosine from the rate down to ``rate · floor`` at ``total`` iterations (arXiv 1608.03983)."""

    rate: float
    total: int
    floor: float = 0.01
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.total < 1 or not 0 <= self.floor <= 1 or self.warmup < 0:
            raise ValueError(
                f"rate must be above 0, total 1 or more, floor 0 to 1 and warmup 0 or more, not {self.rate}, "
                f"{self.total}, {self.floor} and {self.warmup}"
            )

    def rate_at(self, iteration: int) -> float:
        """Return the learning rate; see `Schedule.rate_at`."""
        share = min(1.0, iteration / self.total)
        height = self.floor + (1 - self.floor) * (1 + math.cos(math.pi * share)) / 2
        return self.rate * height * _warm(iteration, self.warmup)


def _warm(iteration: int, warmup: int) -> float:
    return min(1.0, (iteration + 1) / warmup) if warmup else 1.0

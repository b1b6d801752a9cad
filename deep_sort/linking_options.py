"""The settings of linking."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

_GATE_OF_HSV_STRIPES = 0.13


@dataclass(frozen=True, kw_only=True)
class AppearanceScale:
    """What cosine distances of mean features tell about two pieces; it depends on the embedder.

    The defaults suit histograms of the colours of stripes (`model.hsv_stripes`).

    Attributes
    ----------
    usual_same, spread_same : of pieces of one person.
    usual_other, spread_other : of pieces of two persons.
    max_for, max_against : evidence of appearance says no more than this, in nats, for and against a join.
    min_weight : sum of weights from which the features of a piece count fully.

    Raises
    ------
    ValueError
        for values that are not finite and above 0, or if one person's distance is not the smaller one.
    """

    usual_same: float = 0.11
    spread_same: float = 0.05
    usual_other: float = 0.34
    spread_other: float = 0.09
    max_for: float = 6.0
    max_against: float = 9.0
    min_weight: float = 2.0

    def __post_init__(self) -> None:
        _check_positive(self, [entry.name for entry in fields(self)])
        if self.usual_same >= self.usual_other:
            raise ValueError(f"usual_same must be below usual_other, they are {self.usual_same}, {self.usual_other}")

    @property
    def separation(self) -> float:
        """How many standard deviations one person's distances and two persons' lie apart (d′)."""
        return (self.usual_other - self.usual_same) / math.hypot(self.spread_same, self.spread_other)

    @classmethod
    def of_gate(cls, max_cosine_distance: float) -> AppearanceScale:
        """Return the scale for an embedder of which DeepSORT's gate is known: all distances grow with it."""
        factor = max_cosine_distance / _GATE_OF_HSV_STRIPES
        return cls(
            usual_same=cls.usual_same * factor,
            spread_same=cls.spread_same * factor,
            usual_other=cls.usual_other * factor,
            spread_other=cls.spread_other * factor,
        )


@dataclass(frozen=True, kw_only=True)
class LinkingOptions:
    """The settings of `link`; lengths in heights of the box, speeds in heights a second.

    Attributes
    ----------
    max_gap_s : longer gaps are never bridged.
    end_s : length of the stretch that tells where a piece ends and how fast.
    position_sigma, drift_sigma : error of a prediction at once, and gained a second.
    size_sigma, size_drift : the same of the logarithm of the height.
    speed_memory_s : people keep their speed for about so long.
    density : strangers who begin, a square height and gap: the more of them, the less a near beginning tells.
    border_density : the same for a piece that ends at the picture's border and one that begins there.
    border_margin : a box nearer to the left or right border than this is at it.
    max_speed : faster is impossible.
    appearances : what distances of features mean, a scale for each embedder that looked at the pieces; their evidence
        adds up.

    Raises
    ------
    ValueError
        for values that are not finite and above 0; ``max_gap_s`` may be 0: nothing is linked.
    """

    max_gap_s: float = 3.0
    end_s: float = 0.6
    position_sigma: float = 0.25
    drift_sigma: float = 0.5
    size_sigma: float = 0.12
    size_drift: float = 0.1
    speed_memory_s: float = 0.7
    density: float = 0.05
    border_density: float = 2.0
    border_margin: float = 0.1
    max_speed: float = 3.0
    appearances: tuple[AppearanceScale, ...] = field(default_factory=lambda: (AppearanceScale(),))

    def __post_init__(self) -> None:
        names = [entry.name for entry in fields(self) if entry.name not in ("max_gap_s", "appearances")]
        _check_positive(self, names)
        if not (math.isfinite(self.max_gap_s) and self.max_gap_s >= 0):
            raise ValueError(f"max_gap_s must be 0 or more, not {self.max_gap_s}")


def _check_positive(options: object, names: list[str]) -> None:
    for name in names:
        value = getattr(options, name)
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be above 0, not {value}")

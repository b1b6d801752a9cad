"""The settings of the fusion tracker."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from deep_sort.axis_filter import MotionNoise


@dataclass(frozen=True, kw_only=True)
class FusionOptions:
    """The settings of a fusion tracker; lengths of time in seconds, so that one set fits every frame rate.

    Attributes
    ----------
    frame_rate : frames a second that the tracker is shown; above 0.
    n_init : boxes of high score after which a track is confirmed; a track that is not yet ends with its first miss.
    high_score : boxes from here on take part in the first round.
    low_score : boxes from here on take part in the second round; lower ones are passed over.
    start_score : boxes from here on may begin a track.
    min_low_iou : overlap that the second round asks for.
    low_round_s : tracks that were not seen for longer take no part in the second round.
    max_start_iou : a box that overlaps one already matched by more begins no track: it is its double.
    max_lost_s : how long a track lives without being seen. While it lives it defends its place and its looks.
    max_squared_distance : pairs farther apart (squared Mahalanobis distance, four dimensions) never match.
    usual_squared_distance : a distance that costs 1.
    usual_appearance : a cosine distance that costs 1. It depends on the embedder, as does ``unsure_appearance``.
    unsure_appearance : the cosine distance a box counts as having whose feature tells nothing.
    max_cost : pairs of a higher sum of both costs never match.
    max_hidden : the looks of a box are not learnt if another box hides a larger share.
    memory_s : looks fade by a factor e in this time.
    noise : of the Kalman filter.

    Raises
    ------
    ValueError
        for values that are not finite, below 0, or in conflict with each other.
    """

    frame_rate: float
    n_init: int
    high_score: float = 0.5
    low_score: float = 0.1
    start_score: float = 0.6
    min_low_iou: float = 0.5
    low_round_s: float = 0.4
    max_start_iou: float = 0.7
    max_lost_s: float = 2.5
    max_squared_distance: float = 25.0
    usual_squared_distance: float = 10.0
    usual_appearance: float = 0.12
    unsure_appearance: float = 0.14
    max_cost: float = 2.0
    max_hidden: float = 0.7
    memory_s: float = 1.0
    noise: MotionNoise = field(default_factory=MotionNoise)

    def __post_init__(self) -> None:
        for name in ("frame_rate", *_POSITIVE):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be above 0, not {value}")
        for name in _SHARES:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie from 0 to 1, not {value}")
        if self.n_init < 1:
            raise ValueError(f"n_init must be 1 or more, not {self.n_init}")
        if not self.low_score <= self.high_score <= self.start_score:
            scores = f"{self.low_score}, {self.high_score}, {self.start_score}"
            raise ValueError(f"low_score, high_score and start_score must not fall, they are {scores}")

    def suited_to(self, usual_same: float) -> FusionOptions:
        """Return the settings for another embedder, given the distance that is usual for one person."""
        factor = usual_same / _USUAL_SAME
        return replace(
            self,
            usual_appearance=self.usual_appearance * factor,
            unsure_appearance=min(self.unsure_appearance * factor, 1.0),
        )

    @classmethod
    def recorded(cls, frame_rate: float) -> FusionOptions:
        """Return the settings for a recording that `refine` goes over afterwards: every box counts at once."""
        return cls(frame_rate=frame_rate, n_init=1)

    @classmethod
    def online(cls, frame_rate: float) -> FusionOptions:
        """Return the settings for live video: a track shows when it was seen twice."""
        return cls(frame_rate=frame_rate, n_init=2)


_USUAL_SAME = 0.11  # of the histograms of stripes that the settings were tuned with; see `linking_options`
_POSITIVE = (
    "max_lost_s", "max_squared_distance", "usual_squared_distance", "usual_appearance", "max_cost", "max_hidden",
    "memory_s", "low_round_s",
)  # fmt: skip
_SHARES = (
    "high_score", "low_score", "start_score", "min_low_iou", "max_start_iou", "max_hidden", "unsure_appearance",
)  # fmt: skip

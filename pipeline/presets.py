"""Three ways to trade time for accuracy, measured in bench/RESULTS.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What a preset decides where the user does not.

    Attributes
    ----------
    analysed_rate : frames a second that are enough to analyse; infinite for all. The frames between get their boxes by
        interpolation.
    crops_per_track : crops of each track that an embedding network looks at.
    weights_rank : which one of several YOLOX files is taken, 0 the smallest, 1 the largest.
    input_sides : long side of the picture as a detector sees it, by the detector's name, where its weights leave that
        open; detectors that are not named take what suits them.
    """

    analysed_rate: float
    crops_per_track: int
    weights_rank: float
    input_sides: Mapping[str, int]

    def stride(self, frame_rate: float) -> int:
        """Return every how manieth frame is analysed: so many that `analysed_rate` is kept, at most every third."""
        if math.isinf(self.analysed_rate):
            return 1
        return min(max(int(frame_rate / self.analysed_rate), 1), _MAX_STRIDE)


_MAX_STRIDE = 3
DEFAULT_PRESET = "balanced"
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "fast": Preset(
            analysed_rate=3.0,
            crops_per_track=2,
            weights_rank=0.0,
            input_sides={"builtin": 416, "hog": 896, "yolox": 416},
        ),
        "balanced": Preset(
            analysed_rate=math.inf,
            crops_per_track=4,
            weights_rank=0.5,
            input_sides={"hog": 1104, "yolox": 640},
        ),
        "accurate": Preset(
            analysed_rate=math.inf,
            crops_per_track=8,
            weights_rank=1.0,
            input_sides={"hog": 1104, "yolox": 832},
        ),
    }
)


def preset_of(name: str) -> Preset:
    """Return a preset by its name.

    Raises
    ------
    ValueError
        when there is none of that name.
    """
    if name not in PRESETS:
        raise ValueError(f"the preset is “{name}”; one of {', '.join(PRESETS)} is wanted")
    return PRESETS[name]

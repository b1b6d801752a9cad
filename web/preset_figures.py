"""What the presets cost and are worth: the figures of bench/RESULTS.md, which a test compares with these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class PresetFigures:
    """Of whole jobs with the built-in detector, over three public sequences.

    Attributes
    ----------
    frames_per_s : on two idle processor cores, rounded.
    hota : accuracy in per cent, rounded; 100 is perfect.
    """

    frames_per_s: int
    hota: int


PRESET_FIGURES: Mapping[str, PresetFigures] = MappingProxyType(
    {
        "fast": PresetFigures(frames_per_s=75, hota=62),
        "balanced": PresetFigures(frames_per_s=35, hota=62),
        "accurate": PresetFigures(frames_per_s=37, hota=62),
    }
)

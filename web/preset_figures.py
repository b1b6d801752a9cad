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
    cpu_ms : processor time a frame, rounded; two cores share it.
    hota : accuracy in per cent, rounded; 100 is perfect.
    """

    cpu_ms: int
    hota: int


PRESET_FIGURES: Mapping[str, PresetFigures] = MappingProxyType(
    {
        "fast": PresetFigures(cpu_ms=18, hota=60),
        "balanced": PresetFigures(cpu_ms=34, hota=61),
        "accurate": PresetFigures(cpu_ms=41, hota=64),
    }
)

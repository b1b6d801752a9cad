"""Presets, and the weights they choose."""

from __future__ import annotations

import pytest

from pipeline.presets import DEFAULT_PRESET, PRESETS, preset_of


def test_only_fast_leaves_frames_out() -> None:
    for frame_rate in (1.0, 7.0, 25.0, 60.0):
        assert preset_of("balanced").stride(frame_rate) == preset_of("accurate").stride(frame_rate) == 1


@pytest.mark.parametrize(("frame_rate", "stride"), [(0.5, 1), (3, 1), (5.9, 1), (7, 2), (10, 3), (25, 3), (60, 3)])
def test_fast_keeps_some_frames_of_each_second(frame_rate: float, stride: int) -> None:
    assert preset_of("fast").stride(frame_rate) == stride


def test_more_accurate_presets_look_at_more() -> None:
    crops = [PRESETS[name].crops_per_track for name in ("fast", "balanced", "accurate")]
    ranks = [PRESETS[name].weights_rank for name in ("fast", "balanced", "accurate")]
    assert crops == sorted(crops)
    assert ranks == sorted(ranks)
    assert DEFAULT_PRESET == "balanced"


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ValueError, match="“best”; one of fast, balanced, accurate"):
        preset_of("best")

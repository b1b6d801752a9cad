"""Which weights are built, and from which score on boxes are wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.hsv_stripes import HsvStripes
from pipeline.models import ModelChoice, build_models, weak_score_of, with_descriptor
from tests.pipeline.scripted import BlockDetector, ColourEmbedder


def test_a_network_gets_a_descriptor_beside_it_and_a_descriptor_none() -> None:
    assert isinstance(with_descriptor(BlockDetector(), ColourEmbedder()).descriptor, HsvStripes)
    assert with_descriptor(BlockDetector(), HsvStripes()).descriptor is None


def test_weak_boxes_are_wanted_where_scores_mean_something(tmp_path: Path) -> None:
    assert weak_score_of("yolox", tmp_path) == weak_score_of("builtin", tmp_path) == 0.1
    assert weak_score_of("hog", tmp_path) is None
    assert weak_score_of("paddledet", tmp_path) == 0.1
    assert weak_score_of("auto", tmp_path) == 0.1, "nothing lies there: the built-in one"
    assert weak_score_of("auto", tmp_path / "yolox.onnx") == 0.1


@pytest.mark.parametrize(("preset", "name"), [("fast", "nano"), ("balanced", "tiny"), ("accurate", "large")])
def test_a_preset_takes_its_weights_by_size(tmp_path: Path, preset: str, name: str) -> None:
    for size, file in enumerate(("nano", "tiny", "large")):
        (tmp_path / f"{'cab'[size]}_{file}.onnx").write_bytes(b"no network" * (size + 1))
    choice = ModelChoice(det_model_dir=tmp_path, emb_model_dir=tmp_path, preset=preset)
    with pytest.raises(Exception, match=f"_{name}.onnx"):
        build_models(choice, threads=1)

"""Scores that are probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synth.banks import BackdropBank, SpriteBank
from synth.detector.calibrate import Calibration, calibrate, fit
from synth.detector.network import Network
from synth.pictures import PictureMaker


def test_a_known_calibration_is_found_again() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(-1, 2, 20000)
    is_right = rng.uniform(size=len(logits)) < 1 / (1 + np.exp(-(1.7 * logits + 0.6)))
    found = fit(logits, is_right)
    assert found.scale == pytest.approx(1.7, abs=0.1)
    assert found.offset == pytest.approx(0.6, abs=0.1)


def test_right_boxes_alone_tell_nothing() -> None:
    with pytest.raises(ValueError, match="there are 3 and 0"):
        fit(np.zeros(3), np.ones(3, bool))


def test_a_network_that_knows_nothing_is_told_so(banks: tuple[SpriteBank, BackdropBank]) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = Network().eval()
    for head in network.heads:
        with torch.no_grad():
            head[-1].bias[4:] = 0.0  # type: ignore[index,union-attr]  # the last layer of a head
    rng = np.random.default_rng(3)
    pictures = [PictureMaker(*banks, side=96).make(rng) for _ in range(4)]
    found = calibrate(network, pictures)
    assert isinstance(found, Calibration)
    assert 1 / (1 + np.exp(-found.offset)) < 0.2, "at a raw score of one half"

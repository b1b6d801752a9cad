"""The detector learns, goes on where it stopped, and is the same network after the export."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from model.builtin_detector import BuiltinDetector
from model.onnx_session import open_session
from records import CLASS_NAMES
from synth.detector.assignment import Truth
from synth.detector.export import export_detector
from synth.detector.losses import detection_loss
from synth.detector.network import STRIDES, Network, cells, decode
from synth.detector.train import Recipe, train


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_cells_are_the_rows_of_the_answers() -> None:
    network = Network().eval()
    middles, strides = cells(64, 96)
    with torch.no_grad():
        raw = network(torch.rand(2, 3, 64, 96))
    assert raw.shape == (2, len(middles), 4 + len(CLASS_NAMES))
    assert len(middles) == sum(64 * 96 // stride**2 for stride in STRIDES)
    assert middles[0].tolist() == [4, 4]
    assert middles[-1].tolist() == [80, 48]
    assert strides[-1] == 32


def test_before_learning_cells_guess_upright_boxes_and_hardly_anything() -> None:
    torch.manual_seed(0)
    network = Network().eval()
    middles, strides = cells(64, 64)
    with torch.no_grad():
        raw = network(torch.rand(1, 3, 64, 64))
    boxes = decode(raw, middles, strides)[0]
    sides = boxes[:, 2:] - boxes[:, :2]
    assert torch.allclose(sides[:, 1] / sides[:, 0], torch.tensor(1.3 / 0.55), rtol=0.1)
    assert float(raw[..., 4:].sigmoid().max()) < 0.03


def test_a_few_steps_on_one_picture_lower_the_loss() -> None:
    torch.manual_seed(0)
    network = Network()
    middles, strides = cells(64, 64)
    picture = torch.zeros(2, 3, 64, 64)
    picture[:, :, 12:52, 20:38] = 1
    flags = torch.ones(2, 1, dtype=torch.bool)
    truth = Truth(torch.tensor([[[20.0, 12, 38, 52]]] * 2), torch.zeros(2, 1, dtype=torch.int64), flags, ~flags)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    totals = []
    for _ in range(12):
        loss = detection_loss(network(picture), middles, strides, truth)
        optimizer.zero_grad()
        loss.total.backward()  # type: ignore[no-untyped-call]  # torch annotates it in part
        optimizer.step()
        totals.append(float(loss.total.detach()))
    assert totals[-1] < 0.75 * totals[0]


def test_a_training_that_stopped_goes_on(bank_folder: Path, tmp_path: Path) -> None:
    one, two = (Recipe(steps=steps, batch=2, workers=0, seed=4) for steps in (1, 2))
    train(bank_folder, tmp_path, one)
    first = torch.load(tmp_path / "state.pt", weights_only=True)
    train(bank_folder, tmp_path, two)
    second = torch.load(tmp_path / "state.pt", weights_only=True)
    assert (first["step"], second["step"]) == (1, 2)
    assert second["seconds"] > first["seconds"]
    assert json.loads((tmp_path / "recipe.json").read_text())["steps"] == 2
    assert set(torch.load(tmp_path / "detector.pt", weights_only=True)) == set(Network().state_dict())


def test_the_export_answers_as_the_network_does_at_any_size(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Network().eval()
    torch.save(network.state_dict(), tmp_path / "w.pt")
    path = tmp_path / "d.onnx"
    export_detector(tmp_path / "w.pt", path, origin="a test")
    model = onnx.load(str(path))
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "classes": ",".join(CLASS_NAMES),
        "origin": "a test",
        "calibration": "scale 1.0000, offset 0.0000",
    }
    assert path.stat().st_size < 2.5 * sum(value.numel() for value in network.parameters())
    session = open_session(path, threads=1, use_gpu=False)
    for height, width in ((64, 96), (96, 32)):
        picture = np.random.default_rng(2).uniform(0, 255, (1, 3, height, width)).astype(np.float32)
        with torch.no_grad():
            raw = network(torch.from_numpy(picture[:, ::-1] / 255))
            boxes, scores = decode(raw, *cells(height, width)), raw[..., 4:].sigmoid()
        got_boxes, got_scores = session.run(None, {"pictures_bgr": picture})
        assert np.abs(got_boxes - boxes.numpy()).max() < 0.2, "16-bit weights"
        assert np.abs(got_scores - scores.numpy()).max() < 2e-3
    BuiltinDetector(path, threads=1)

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from synth.embedder.batches import BatchMaker, BatchPlan
from synth.embedder.export import export_embedder
from synth.embedder.network import ColourEmbedder, Layout
from synth.embedder.sprites import StorePlan, open_store, render_store
from synth.embedder.train import TrainPlan, tensors, train

PLAN = StorePlan(identities=12, cameras=2, cameras_each=2, views_each=2, seed=4)
BATCHES = BatchPlan(identities=10, crops_each=4)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sprites")
    render_store(folder, PLAN)
    return folder


def test_sprites_are_kept_and_those_of_another_plan_refused(store: Path) -> None:
    written = (store / "rgba.npy").stat().st_mtime_ns
    render_store(store, PLAN)
    assert (store / "rgba.npy").stat().st_mtime_ns == written
    with pytest.raises(ValueError, match="another plan"):
        render_store(store, StorePlan(identities=13))


def test_batches_have_as_many_crops_of_each_identity_and_are_the_same_again(store: Path) -> None:
    first, second = (BatchMaker(open_store(store), BATCHES, seed=3).make() for _ in range(2))
    assert first.images_rgb.shape == (40, 128, 64, 3)
    assert first.masks.shape == (40, 32, 16)
    assert np.unique(first.labels, return_counts=True)[1].tolist() == [4] * 10
    np.testing.assert_array_equal(first.images_rgb, second.images_rgb)


def test_a_batch_wants_enough_people_in_a_camera(store: Path) -> None:
    with pytest.raises(ValueError, match="render more"):
        BatchMaker(open_store(store), BatchPlan(identities=13), seed=3)


def test_training_starts_as_a_histogram_learns_and_goes_on(store: Path, tmp_path: Path) -> None:
    layout = Layout(bins=16, width=8)
    plan = TrainPlan(iterations=2, layout=layout, batches=BATCHES)
    network = train(store, plan, tmp_path)
    crops, _, labels = tensors(BatchMaker(open_store(store), BATCHES, seed=8).make())
    with torch.no_grad():
        vectors = network.eval()(crops)
    similarity = vectors @ vectors.T
    same = labels[:, None] == labels
    assert similarity[same].mean() > similarity[~same].mean() + 0.2
    assert torch.load(tmp_path / "last.pt", weights_only=True)["done"] == 2
    train(store, TrainPlan(iterations=3, layout=layout, batches=BATCHES), tmp_path)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["done"] == 3


def test_the_exported_network_answers_as_the_network_does_for_any_number_of_crops(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ColourEmbedder(Layout(bins=16, width=8)).eval()
    assert export_embedder(network, tmp_path / "net.onnx") > 0.999
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    for count in (1, 5):
        crops = torch.rand(count, 3, 128, 64)
        (answer,) = session.run(None, {"crops": crops.numpy() * 255})
        with torch.no_grad():
            np.testing.assert_allclose(answer, network(crops).numpy(), atol=5e-3)

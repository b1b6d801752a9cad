from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from model.embedding_spec import Preprocessing
from model.networks.build import build_network
from model.networks.checkpoints import save_checkpoint
from model.networks.weights import write_weights
from reid.embedders import open_embedder
from reid.gallery import open_gallery
from tests.reid.labelled_pictures import write_market

CROPS = [np.random.default_rng(seed).integers(0, 256, (60 + seed, 30, 3)).astype(np.uint8) for seed in range(3)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of a network that sees 32×64 pixels."""
    path = tmp_path_factory.mktemp("weights") / "people.safetensors"
    network = build_network("osnet_x0_25", embedding_size=16, seed=3)
    save_checkpoint(path, network, preprocessing=Preprocessing(sizes_wh=((32, 64),)), origin="a test")
    return path


def test_a_checkpoint_s_file_is_an_embedder(checkpoint: Path) -> None:
    embedder = open_embedder(str(checkpoint))
    vectors = embedder.embed(CROPS)
    assert vectors.shape == (3, embedder.dimension) == (3, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (embedder.info.name, embedder.info.source, embedder.info.device) == ("people", str(checkpoint), "cpu")
    assert embedder.embed([]).shape == (0, 16)
    assert embedder.embed(CROPS[:1]) == pytest.approx(vectors[:1], abs=1e-5)


def test_weights_of_others_are_named_with_their_network(tmp_path: Path) -> None:
    network = build_network("osnet_x0_25", seed=3)
    write_weights(network, tmp_path / "osnet.pth")
    embedder = open_embedder("osnet_x0_25", weights=tmp_path / "osnet.pth")
    assert embedder.dimension == 512
    with pytest.raises(ModelError, match="osnet_x0_25"):
        open_embedder("osnet_x0_25")
    with pytest.raises(ModelError, match=r"cannot be used|were found"):
        open_embedder("osnet_x0_25", weights=tmp_path / "missing.pth")


def test_a_checkpoint_that_was_trained_on_makes_a_gallery_anew(checkpoint: Path, tmp_path: Path) -> None:
    gallery = write_market(tmp_path / "market") / "query"
    weights = tmp_path / "people.safetensors"
    weights.write_bytes(checkpoint.read_bytes())
    assert [open_gallery(gallery, open_embedder(str(weights))).embedded for _ in range(2)] == [18, 0]
    network = build_network("osnet_x0_25", embedding_size=16, seed=4)
    save_checkpoint(weights, network, preprocessing=Preprocessing(sizes_wh=((32, 64),)), origin="trained on")
    assert open_gallery(gallery, open_embedder(str(weights))).embedded == 18

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from model.embedding_spec import COVER, Preprocessing
from model.networks.build import build_network
from model.networks.checkpoints import find_info, load_checkpoint, read_info, save_checkpoint
from model.networks.weight_files import write_safetensors
from model.networks.weights import write_weights
from tests.model.networks.random_values import random_values

PREPROCESSING = Preprocessing(sizes_wh=((32, 64),), mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), fit=COVER)


def checkpoint(path: Path, *, framework: str = "torch") -> dict[str, np.ndarray]:
    network = build_network("siamese_encoder", framework, embedding_size=24)  # type: ignore[call-overload]
    values = random_values(network.definition)
    network.load_tensors(values)
    save_checkpoint(path, network, preprocessing=PREPROCESSING, origin="osnet recipe, 市场", details={"classes": "7"})
    return values


@pytest.mark.parametrize(("writer", "reader"), [("torch", "paddle"), ("paddle", "torch")])
def test_checkpoint_of_one_framework_loads_in_the_other(tmp_path: Path, writer: str, reader: str) -> None:
    values = checkpoint(tmp_path / "a.safetensors", framework=writer)
    network, info = load_checkpoint(tmp_path / "a.safetensors", reader)  # type: ignore[call-overload]
    assert (network.framework, network.architecture, network.dimension) == (reader, "siamese_encoder", 24)
    for name, value in network.tensors().items():
        np.testing.assert_array_equal(value, values[name])
    assert (info.architecture, info.embedding_size) == ("siamese_encoder", 24)
    assert info.preprocessing == PREPROCESSING
    assert (info.origin, dict(info.details)) == ("osnet recipe, 市场", {"classes": "7"})


def test_second_checkpoint_replaces_the_first_and_leaves_nothing_else(tmp_path: Path) -> None:
    checkpoint(tmp_path / "a.safetensors")
    checkpoint(tmp_path / "a.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_weights_of_other_people_say_nothing_of_themselves(tmp_path: Path) -> None:
    write_weights(build_network("siamese_encoder"), tmp_path / "a.safetensors")
    assert find_info(tmp_path / "a.safetensors") is None
    with pytest.raises(ModelError, match="no checkpoint of ours"):
        read_info(tmp_path / "a.safetensors")


def test_checkpoint_whose_tensors_are_not_its_network_s_is_refused(tmp_path: Path) -> None:
    from model.networks.weight_files import read_safetensors

    checkpoint(tmp_path / "a.safetensors")
    arrays, metadata = read_safetensors(tmp_path / "a.safetensors")
    del arrays["fc.bias"]
    write_safetensors(tmp_path / "a.safetensors", arrays, metadata)
    with pytest.raises(ModelError, match=r"fc\.bias is missing"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("change", [{"embedding_size": "many"}, {"preprocessing": "{}"}, {"details": "["}])
def test_checkpoint_with_damaged_metadata_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    from model.networks.weight_files import read_safetensors

    checkpoint(tmp_path / "a.safetensors")
    arrays, metadata = read_safetensors(tmp_path / "a.safetensors")
    write_safetensors(tmp_path / "a.safetensors", arrays, {**metadata, **change})
    with pytest.raises(ModelError, match="what it says of itself is damaged"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.safetensors"):
        load_checkpoint(tmp_path / "nowhere.safetensors")

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from errors import ModelError
from model.networks.build import build_network
from model.networks.pdparams import read_pdparams
from model.networks.resnet_vd import PLANS
from model.networks.weights import load_weights
from tests.model.networks import plain_resnet_vd
from tests.model.networks.random_values import random_values

if TYPE_CHECKING:
    from model.networks.paddle_network import PaddleNetwork


def network(architecture: str = "resnet18_vd", *, embedding_size: int = 16, seed: int = 0) -> PaddleNetwork:
    """Return a network in evaluation whose every parameter and statistic is random."""
    built = build_network(architecture, "paddle", embedding_size=embedding_size)
    built.load_tensors(random_values(built.definition, seed=seed))
    built.eval()
    return built


def save(built: PaddleNetwork, path: Path) -> Path:
    import paddle

    paddle.save(built.state_dict(), str(path))
    return path


def old_name(name: str, depths: tuple[int, ...]) -> str:
    """Return a parameter's name in PaddleClas' first release."""
    head, rest = name.split(".", 1)
    rest = f".{rest}".replace(".conv.", "._conv.").replace(".bn.", "._batch_norm.")[1:]
    if head == "stem":
        index, rest = rest.split(".", 1)
        return f"conv1_{int(index) + 1}.{rest}"
    if head == "fc":
        return f"out.{rest}"
    index, rest = rest.split(".", 1)
    block = int(index)
    for stage, depth in enumerate(depths):
        if block < depth:
            return f"bb_{stage}_{block}.{rest}"
        block -= depth
    raise AssertionError(name)


def test_parameters_are_named_as_in_paddleclas() -> None:
    names = set(network("resnet50_vd").state_dict())
    convolutions = {"stem.0", "stem.2", "blocks.0.conv0", "blocks.0.conv2", "blocks.0.short", "blocks.15.conv1"}
    parts = ("conv.weight", "bn.weight", "bn.bias", "bn._mean", "bn._variance")
    assert {f"{layer}.{part}" for layer in convolutions for part in parts} <= names
    assert {"fc.weight", "fc.bias"} <= names
    assert not [name for name in names if name.startswith(("blocks.16", "blocks.1.short", "stem.3"))]


@pytest.mark.parametrize(("architecture", "size"), [("resnet18_vd", (40, 27)), ("resnet50_vd", (33, 32))])
def test_network_computes_what_the_plain_one_does(architecture: str, size: tuple[int, int]) -> None:
    import paddle

    built = network(architecture)
    pictures = np.random.default_rng(1).standard_normal((2, 3, *size)).astype(np.float32)
    got = built(paddle.to_tensor(pictures)).numpy()
    parameters = {name: tensor.numpy().astype(np.float64) for name, tensor in built.state_dict().items()}
    expected = plain_resnet_vd.forward(parameters, pictures.astype(np.float64), PLANS[built.architecture].depths)
    assert got.shape == (2, 16)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_without_embedding_layer_the_pooled_feature_comes_out() -> None:
    import paddle

    built = network(embedding_size=0)
    assert built.dimension == 512
    assert built(paddle.zeros([1, 3, 32, 32])).shape == [1, 512]
    assert not [name for name in built.state_dict() if name.startswith("fc")]


def test_checkpoint_loads_by_name(tmp_path: Path) -> None:
    source, target = network(seed=1), network(seed=2)
    load_weights(target, save(source, tmp_path / "a.pdparams"))
    for name, tensor in source.state_dict().items():
        np.testing.assert_array_equal(target.state_dict()[name].numpy(), tensor.numpy(), err_msg=name)


@pytest.mark.parametrize("architecture", ["resnet18_vd", "resnet34_vd"])
def test_checkpoint_with_the_names_of_the_first_release_loads(tmp_path: Path, architecture: str) -> None:
    source, target = network(architecture, seed=1), network(architecture, seed=2)
    old = {
        old_name(name, PLANS[source.architecture].depths): tensor.numpy()
        for name, tensor in source.state_dict().items()
    }
    assert {"conv1_1._conv.weight", "bb_0_0.short._batch_norm._mean", "bb_3_1.conv0._conv.weight", "out.bias"} <= set(
        old
    )
    path = tmp_path / "old.pdparams"
    path.write_bytes(pickle.dumps(old, protocol=2))
    load_weights(target, path)
    for name, tensor in source.state_dict().items():
        np.testing.assert_array_equal(target.state_dict()[name].numpy(), tensor.numpy(), err_msg=name)


def test_classifier_of_a_checkpoint_is_left_out_where_the_network_has_none(tmp_path: Path) -> None:
    source, target = network(seed=1), network(seed=2, embedding_size=0)
    load_weights(target, save(source, tmp_path / "a.pdparams"))
    np.testing.assert_array_equal(
        target.state_dict()["stem.0.conv.weight"].numpy(), source.state_dict()["stem.0.conv.weight"].numpy()
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.pop("stem.1.bn._mean"), "stem.1.bn._mean is missing"),
        (lambda state: state.update(extra=np.zeros(3)), "extra is not part of it"),
        (
            lambda state: state.update({"fc.weight": np.zeros((512, 1000), np.float32)}),
            r"fc.weight has shape \(512, 1000\) instead of \(512, 16\)",
        ),
    ],
)
def test_mismatch_names_the_tensor_and_changes_nothing(tmp_path: Path, change, reason: str) -> None:  # type: ignore[no-untyped-def]
    target = network(seed=2)
    before = target.state_dict()["stem.0.conv.weight"].numpy().copy()
    state = {name: tensor.numpy() for name, tensor in network(seed=1).state_dict().items()}
    change(state)
    path = tmp_path / "a.pdparams"
    path.write_bytes(pickle.dumps(state))
    with pytest.raises(ModelError, match=reason):
        load_weights(target, path)
    np.testing.assert_array_equal(target.state_dict()["stem.0.conv.weight"].numpy(), before)


def test_checkpoint_of_another_depth_is_refused(tmp_path: Path) -> None:
    path = save(network("resnet34_vd"), tmp_path / "a.pdparams")
    with pytest.raises(ModelError, match=r"do not fit resnet18_vd with embedding size 16: .*; and \d+ more"):
        load_weights(network("resnet18_vd"), path)


class _Attack:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (Path.touch, (self.marker,))


def test_checkpoint_that_would_run_a_program_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    path, marker = tmp_path / "evil.pdparams", tmp_path / "ran"
    path.write_bytes(pickle.dumps({"fc.weight": _Attack(marker)}))
    with pytest.raises(ModelError, match="it asks for"):
        read_pdparams(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"hello world", pickle.dumps([1, 2]), pickle.dumps({"a": "text"}), pickle.dumps({"a": np.zeros(3)})[:-20]],
)
def test_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pdparams"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be used"):
        read_pdparams(path)


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.pdparams"):
        read_pdparams(tmp_path / "nowhere.pdparams")

"""Each network once, in both frameworks."""

from __future__ import annotations

import numpy as np
import pytest

from errors import ModelError
from model.networks.build import build_network
from model.networks.catalogue import ARCHITECTURES, define_network
from model.networks.tensors import count_parameters, first_values
from records import FloatArray
from tests.model.networks import plain_networks
from tests.model.networks.random_values import random_values

PUBLISHED_PARAMETERS = {
    "osnet_x0_25": 201_864,
    "osnet_x1_0": 2_169_508,
    "osnet_ibn_x1_0": 2_170_532,
    "resnet50": 23_508_032,
    "resnet50_ibn_a": 23_508_032,
}


def torch_vectors(network, images: FloatArray) -> FloatArray:  # type: ignore[no-untyped-def]
    import torch

    network.eval()
    with torch.no_grad():
        vectors: FloatArray = network(torch.from_numpy(images)).numpy()
    return vectors


def paddle_vectors(network, images: FloatArray) -> FloatArray:  # type: ignore[no-untyped-def]
    import paddle

    network.eval()
    with paddle.no_grad():
        vectors: FloatArray = network(paddle.to_tensor(images)).numpy()
    return vectors


@pytest.mark.parametrize(("name", "count"), PUBLISHED_PARAMETERS.items())
def test_network_has_the_published_number_of_parameters(name: str, count: int) -> None:
    assert count_parameters(define_network(name)) == count


def test_resnet101_vd_has_the_published_number_of_parameters_with_1000_classes() -> None:
    assert count_parameters(define_network("ResNet101_vd", embedding_size=1000)) == 44_568_392


@pytest.mark.parametrize("name", ["osnet_x0_25", "resnet50_ibn_a", "siamese_encoder"])
def test_parameters_that_are_counted_are_those_that_a_framework_trains(name: str) -> None:
    network = build_network(name)
    assert sum(parameter.numel() for parameter in network.parameters()) == count_parameters(network.definition)


@pytest.mark.parametrize(
    "name",
    [
        "osnet_x0_25",
        "osnet_ibn_x1_0",
        "osnet_ain_x0_25",
        "resnet18_vd",
        "resnet50_ibn_a",
        "siamese_encoder",
    ],
)
def test_both_frameworks_give_the_same_vectors_for_the_same_weights(name: str) -> None:
    in_torch, in_paddle = build_network(name), build_network(name, "paddle")
    values = random_values(in_torch.definition)
    in_torch.load_tensors(values)
    in_paddle.load_tensors(values)
    for height, width in ((64, 32), (47, 65)):
        images = np.random.default_rng(1).standard_normal((2, 3, height, width)).astype(np.float32)
        expected = torch_vectors(in_torch, images)
        assert expected.shape == (2, in_torch.dimension)
        difference = np.abs(paddle_vectors(in_paddle, images) - expected).max() / np.abs(expected).max()
        assert difference < 1e-5, (height, width)


@pytest.mark.parametrize("name", ["osnet_x0_25", "osnet_ibn_x1_0", "osnet_ain_x0_25", "resnet50_ibn_a"])
def test_network_computes_what_the_plain_one_does(name: str) -> None:
    network = build_network(name)
    values = random_values(network.definition)
    network.load_tensors(values)
    images = np.random.default_rng(1).standard_normal((2, 3, 75, 50)).astype(np.float32)
    parameters = {tensor: value.astype(np.float64) for tensor, value in values.items()}
    if name.startswith("osnet"):
        expected = plain_networks.osnet(parameters, images.astype(np.float64), is_norm_inside="_ain_" in name)
    else:
        expected = plain_networks.resnet50(parameters, images.astype(np.float64))
    got = torch_vectors(network, images)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["osnet_ibn_x1_0", "resnet18_vd"])
def test_both_frameworks_start_from_the_same_values_and_give_them_back(name: str) -> None:
    in_torch, in_paddle = build_network(name, seed=3).tensors(), build_network(name, "paddle", seed=3).tensors()
    assert in_torch.keys() == in_paddle.keys()
    for tensor, value in in_torch.items():
        np.testing.assert_array_equal(in_paddle[tensor], value, err_msg=tensor)


def test_another_seed_gives_other_values() -> None:
    definition = define_network("osnet_x0_25")
    one, other = (first_values(definition, seed=seed)["conv1.conv.weight"] for seed in (1, 2))
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_embedding_size_is_the_length_of_the_vectors(name: str) -> None:
    assert define_network(name, embedding_size=24).dimension == 24
    pooled = define_network(name, embedding_size=0)
    assert pooled.dimension >= 128
    assert not [tensor for tensor in first_values(pooled, seed=0) if tensor.startswith("fc.")]


def test_vectors_of_the_siamese_encoder_have_unit_length() -> None:
    images = np.random.default_rng(0).standard_normal((3, 3, 40, 20)).astype(np.float32)
    vectors = torch_vectors(build_network("siamese_encoder", embedding_size=16), images)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_name_is_found_however_it_is_written() -> None:
    assert define_network("OSNet-x0_25").name == "osnet_x0_25"
    assert define_network("ResNet101_vd").name == "resnet101_vd"


def test_unknown_name_is_refused_with_what_is_close_to_it() -> None:
    with pytest.raises(ModelError, match=r"no network named “osnet_x0_26”.*osnet_x0_25") as close:
        build_network("osnet_x0_26")
    assert "resnet18_vd" not in str(close.value)
    with pytest.raises(ModelError, match=r"osnet_x1_0.*siamese_encoder"):
        build_network("zebra")


def test_unknown_framework_is_refused() -> None:
    with pytest.raises(ModelError, match=r"no framework named “jax”.*torch, paddle"):
        build_network("osnet_x0_25", "jax")  # type: ignore[call-overload]


def test_negative_embedding_size_is_refused() -> None:
    with pytest.raises(ValueError, match="not -1"):
        build_network("osnet_x0_25", embedding_size=-1)


@pytest.mark.parametrize("framework", ["torch", "paddle"])
def test_values_that_do_not_fit_are_named_and_nothing_is_changed(framework: str) -> None:
    network = build_network("siamese_encoder", framework, embedding_size=8)  # type: ignore[call-overload]
    values = random_values(network.definition)
    values["fc.weight"] = np.zeros((9, 256), np.float32)
    del values["stages.0.bn.bias"]
    with pytest.raises(
        ModelError,
        match=r"siamese_encoder with embedding size 8: fc.weight has shape \(9, 256\) instead of \(8, 256\); "
        r"stages.0.bn.bias is missing",
    ):
        network.load_tensors(values, source="a.safetensors")
    np.testing.assert_array_equal(
        network.tensors()["stages.0.conv.weight"], first_values(network.definition, seed=0)["stages.0.conv.weight"]
    )


def test_copied_network_has_weights_of_its_own() -> None:
    import copy

    import torch

    network = build_network("siamese_encoder", embedding_size=8)
    other = copy.deepcopy(network)
    with torch.no_grad():
        other.child("fc").weight.zero_()  # type: ignore[operator, union-attr]
    assert np.abs(network.tensors()["fc.weight"]).max() > 0
    images = np.ones((2, 3, 32, 32), np.float32)
    assert np.abs(torch_vectors(other, images) - torch_vectors(network, images)).max() > 0.01

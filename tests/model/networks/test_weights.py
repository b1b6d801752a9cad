"""Weights under the names of those who publish them, and under both frameworks'."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch

from errors import ModelError
from model.networks.build import build_network
from model.networks.catalogue import define_network
from model.networks.naming import namings
from model.networks.restore import restore_network
from model.networks.weight_files import find_weights, read_arrays, write_arrays
from model.networks.weights import load_backbone, load_weights, read_embedding_size, read_weights, write_weights
from records import FloatArray
from tests.model.networks import published_names as published
from tests.model.networks.random_values import random_values

AIN, VD, BOT, BOT_IBN = "osnet_ain_x0_25", "resnet50_vd", "bot_resnet50", "bot_resnet50_ibn_a"


@pytest.mark.parametrize(
    ("network", "names", "pairs"),
    [
        ("osnet_x0_25", published.torchreid_osnet(), {}),
        ("osnet_ibn_x1_0", published.torchreid_osnet(has_ibn=True), {}),
        ("resnet50", published.torchvision_resnet50(), {}),
        ("resnet50_ibn_a", published.torchvision_resnet50(has_ibn=True), {}),
        (
            AIN,
            published.torchreid_osnet_ain(),
            {
                "conv3.1.conv2c.2.conv1.weight": "conv3.1.conv2.2.layers.2.conv1.weight",
                "conv4.0.conv2a.bn.bias": "conv4.0.conv2.0.layers.0.bn.bias",
                "conv2.2.0.conv.weight": "pool2.0.conv.weight",
            },
        ),
        (
            VD,
            published.timm_resnet50d(),
            {
                "stem.2.bn.weight": "bn1.weight",
                "blocks.3.conv1.bn.running_var": "layer2.0.bn2.running_var",
                "blocks.15.conv2.conv.weight": "layer4.2.conv3.weight",
                "blocks.7.short.bn.bias": "layer3.0.downsample.2.bias",
            },
        ),
        (
            BOT,
            published.fastreid_bot(has_ibn=False, bottleneck="heads.bottleneck.0"),
            {"layer4.0.conv2.weight": "backbone.layer4.0.conv2.weight", "bottleneck.bias": "heads.bottleneck.0.bias"},
        ),
        (
            BOT_IBN,
            published.fastreid_bot(has_ibn=True, bottleneck="heads.bnneck"),
            {"bottleneck.running_var": "heads.bnneck.running_var"},
        ),
    ],
)
def test_published_names_are_known(network: str, names: Iterable[str], pairs: dict[str, str]) -> None:
    expected = set(names)
    tables = [naming.published for naming in namings(define_network(network), is_paddle=False)]
    (table,) = [table for table in tables if set(table.values()) == expected]
    assert pairs.items() <= table.items()


@pytest.mark.parametrize(
    ("network", "names", "pairs"),
    [
        ("resnet50", published.paddleclas_resnet50(), {"bn1.running_mean": "stem.0.bn._mean"}),
        (
            "paddle_strong_baseline",
            published.paddleclas_strong_baseline(),
            {
                "layer4.0.downsample.0.weight": "backbone.blocks.13.short.conv.weight",
                "layer2.3.bn2.running_var": "backbone.blocks.6.conv1.bn._variance",
                "bottleneck.bias": "neck.feat_bn.bias",
            },
        ),
    ],
)
def test_names_of_paddleclas_are_known(network: str, names: Iterable[str], pairs: dict[str, str]) -> None:
    expected = set(names)
    tables = [naming.published for naming in namings(define_network(network), is_paddle=True)]
    (table,) = [table for table in tables if set(table.values()) == expected]
    assert pairs.items() <= table.items()


def test_strong_baseline_of_paddleclas_loads_without_its_classifier(tmp_path: Path) -> None:
    definition = define_network("paddle_strong_baseline")
    values = random_values(definition)
    naming = list(namings(definition, is_paddle=True))[-1]
    state = {naming.published[name]: value for name, value in values.items()}
    write_arrays(tmp_path / "a.pdparams", {**state, "head.fc.weight": np.zeros((2048, 751), np.float32)})
    loaded = read_weights(definition, tmp_path / "a.pdparams")
    for name, value in values.items():
        np.testing.assert_array_equal(loaded[name], value)


def published_file(path: Path, network: str, *, extra: dict[str, object] | None = None) -> dict[str, FloatArray]:
    """Write a .pth under a network's last naming; return its values under the network's own names."""
    definition = define_network(network)
    values = random_values(definition, seed=5)
    naming = list(namings(definition, is_paddle=False))[-1]
    state: dict[str, object] = {naming.published[name]: torch.from_numpy(value) for name, value in values.items()}
    torch.save({**state, **(extra or {})}, path)
    return values


@pytest.mark.parametrize("network", ["osnet_x0_25", AIN, "resnet18_vd"])
def test_published_weights_load_into_either_framework(tmp_path: Path, network: str) -> None:
    classifier = {"classifier.weight": torch.zeros(7, 512), "classifier.bias": torch.zeros(7)}
    extra = classifier if "osnet" in network else {"fc.weight": torch.zeros(7, 512), "fc.bias": torch.zeros(7)}
    values = published_file(tmp_path / "a.pth", network, extra=extra)
    for framework in ("torch", "paddle"):
        built = build_network(network, framework)  # type: ignore[call-overload]
        load_weights(built, tmp_path / "a.pth")
        for name, value in built.tensors().items():
            np.testing.assert_array_equal(value, values[name], err_msg=name)


@pytest.mark.parametrize("is_zip", [True, False])
def test_checkpoint_of_a_training_loads(tmp_path: Path, is_zip: bool) -> None:
    values = random_values(define_network("osnet_x0_25"))
    state = {f"module.{name}": torch.from_numpy(value) for name, value in values.items()}
    state["module.conv1.bn.num_batches_tracked"] = torch.tensor(9)
    state["module.classifier.weight"] = torch.zeros(3, 512)
    training = {"state_dict": state, "epoch": 3, "rank1": np.float64(0.5), "optimizer": {"param_groups": [{"lr": 0.1}]}}
    path = tmp_path / "model.pth.tar"
    torch.save(training, path, _use_new_zipfile_serialization=is_zip)
    loaded = read_weights(define_network("osnet_x0_25"), path)
    for name, value in values.items():
        np.testing.assert_array_equal(loaded[name], value)


def test_checkpoint_with_a_number_of_an_older_numpy_loads(tmp_path: Path) -> None:
    training = {"state_dict": {"a": torch.ones(2)}, "rank1": np.float64(0.5)}
    path = tmp_path / "model.pth"
    torch.save(training, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    np.testing.assert_array_equal(read_arrays(path)["a"], [1, 1])


@pytest.mark.parametrize("suffix", [".pdparams", ".pth", ".safetensors"])
def test_weights_go_from_either_framework_to_the_other(tmp_path: Path, suffix: str) -> None:
    values = random_values(define_network("osnet_ain_x0_25", embedding_size=24))
    for source, target in (("torch", "paddle"), ("paddle", "torch")):
        first, second = (
            build_network("osnet_ain_x0_25", framework, embedding_size=24)  # type: ignore[call-overload]
            for framework in (source, target)
        )
        first.load_tensors(values)
        write_weights(first, tmp_path / f"a{suffix}")
        load_weights(second, tmp_path / f"a{suffix}")
        for name, value in second.tensors().items():
            np.testing.assert_array_equal(value, values[name], err_msg=name)
    assert read_embedding_size("osnet_ain_x0_25", tmp_path / f"a{suffix}") == 24


def test_each_framework_itself_reads_what_is_written_for_it(tmp_path: Path) -> None:
    import paddle

    network = build_network("siamese_encoder", embedding_size=8)
    write_weights(network, tmp_path / "a.pdparams")
    state = paddle.load(str(tmp_path / "a.pdparams"))
    missing, unexpected = build_network("siamese_encoder", "paddle", embedding_size=8).set_state_dict(state)
    assert (missing, unexpected) == ([], [])
    write_weights(network, tmp_path / "a.pth")
    faults = build_network("siamese_encoder", embedding_size=8).load_state_dict(
        torch.load(tmp_path / "a.pth", weights_only=True), strict=False
    )
    assert faults.unexpected_keys == []
    assert all(name.endswith("num_batches_tracked") for name in faults.missing_keys)


def test_backbone_alone_leaves_the_last_layer_as_it_is(tmp_path: Path) -> None:
    source = build_network("siamese_encoder", embedding_size=16, seed=1)
    target = build_network("siamese_encoder", embedding_size=8, seed=2)
    write_weights(source, tmp_path / "a.safetensors")
    before = target.tensors()["fc.weight"]
    load_backbone(target, tmp_path / "a.safetensors")
    after = target.tensors()
    np.testing.assert_array_equal(after["fc.weight"], before)
    np.testing.assert_array_equal(after["stages.2.conv.weight"], source.tensors()["stages.2.conv.weight"])
    with pytest.raises(ModelError, match=r"fc\.weight has shape \(16, 256\) instead of \(8, 256\)"):
        load_weights(target, tmp_path / "a.safetensors")


def test_embedding_size_of_weights_without_last_layer_is_none(tmp_path: Path) -> None:
    write_weights(build_network("resnet18_vd"), tmp_path / "a.pdparams")
    assert read_embedding_size("resnet18_vd", tmp_path / "a.pdparams") == 0


def test_classifier_of_imagenet_is_no_embedding(tmp_path: Path) -> None:
    write_weights(build_network("resnet18_vd", embedding_size=1000), tmp_path / "ssld.pdparams")
    assert read_embedding_size("resnet18_vd", tmp_path / "ssld.pdparams") == 0
    assert restore_network(tmp_path / "ssld.pdparams", architecture="ResNet18_vd").dimension == 512
    assert (
        restore_network(tmp_path / "ssld.pdparams", architecture="ResNet18_vd", embedding_size=1000).dimension == 1000
    )


def test_mismatch_names_the_tensors_as_the_file_does(tmp_path: Path) -> None:
    published_file(
        tmp_path / "a.pth", AIN, extra={"pool2.0.conv.weight": torch.zeros(2, 2, 1, 1), "surprise": torch.zeros(1)}
    )
    with pytest.raises(ModelError) as refused:
        read_weights(define_network(AIN), tmp_path / "a.pth")
    assert "pool2.0.conv.weight has shape (2, 2, 1, 1) instead of (64, 64, 1, 1)" in str(refused.value)
    assert "surprise is not part of it" in str(refused.value)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_weights(build_network("siamese_encoder"), tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"do not fit osnet_x0_25 with embedding size 512: .* and \d+ more"):
        read_weights(define_network("osnet_x0_25"), tmp_path / "a.pth")


class _Attack:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (os.mkdir, (str(self.marker),))


def test_checkpoint_of_pytorch_that_would_run_a_program_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    torch.save({"state_dict": {"fc.weight": _Attack(tmp_path / "ran")}}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="holds arrays alone"):
        read_arrays(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".pdparams"])
@pytest.mark.parametrize("content", [b"", b"hello world", b"PK\x03\x04 and no more"])
def test_file_that_is_no_checkpoint_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be used"):
        read_arrays(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("content", [{}, {"a": "text"}, [1, 2], {"state_dict": {"a": 3}}])
def test_checkpoint_without_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"is no tensor|no named tensors"):
        read_arrays(tmp_path / "a.pth")


def test_kind_of_file_that_is_not_known_is_refused(tmp_path: Path) -> None:
    for refused in (lambda: read_arrays(tmp_path / "a.h5"), lambda: write_arrays(tmp_path / "a.h5", {})):
        with pytest.raises(ModelError, match=r"no kind of weights file named “a.h5”.*\.safetensors, \.pdparams"):
            refused()


def test_weights_are_found_by_folder_and_by_prefix(tmp_path: Path) -> None:
    for name in ("model.safetensors", "model.pdparams", "training.safetensors", "notes.txt"):
        (tmp_path / name).touch()
    assert find_weights(tmp_path) == tmp_path / "model.safetensors"
    assert find_weights(tmp_path / "training") == tmp_path / "training.safetensors"
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="several weights files"):
        find_weights(tmp_path)
    with pytest.raises(ModelError, match="nowhere"):
        find_weights(tmp_path / "nowhere")

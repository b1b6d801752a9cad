"""Exports in each format give the network's own vectors, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import export_model
from errors import ModelError
from model.embedding_spec import COVER, Preprocessing, read_spec
from model.export import export_checkpoint, export_embedder
from model.export_formats import FORMATS
from model.networks.build import build_network
from model.networks.catalogue import define_network
from model.networks.checkpoints import save_checkpoint
from model.networks.torch_network import TorchNetwork
from model.networks.weights import write_weights
from records import FloatArray
from tests.model.networks.random_values import random_values

SMALL = Preprocessing(sizes_wh=((24, 40),))


def images(count: int) -> FloatArray:
    return np.random.default_rng(count).standard_normal((count, 3, 40, 24)).astype(np.float32)


def eager(network: Any, pictures: FloatArray) -> FloatArray:
    vectors: FloatArray
    if network.framework == "torch":
        with torch.no_grad():
            vectors = network.eval()(torch.from_numpy(pictures)).numpy()
        return vectors
    import paddle

    network.eval()
    with paddle.no_grad():
        vectors = network(paddle.to_tensor(pictures)).numpy()
    return vectors


def filled(name: str, framework: str = "torch", **options: int) -> Any:
    network = build_network(name, framework, **options)  # type: ignore[call-overload]
    network.load_tensors(random_values(network.definition))
    return network


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("siamese_encoder", ("paddle", "onnx", "torchscript")),
        ("siamese_encoder", ("pdmodel",)),
        ("osnet_x0_25", ("pdmodel", "onnx")),
        ("resnet18_vd", ("paddle", "onnx")),
    ],
)
def test_export_gives_the_vectors_of_the_network_for_any_number_of_pictures(
    tmp_path: Path, name: str, formats: tuple[str, ...]
) -> None:
    network = filled(name, "torch" if len(formats) > 1 else "paddle", embedding_size=16)
    export_embedder(network, tmp_path, SMALL, origin="a test", formats=formats)
    files = {"embedding.json", *(file for one in formats for file in FORMATS[one].file_names)}
    assert {path.name for path in tmp_path.iterdir()} == files
    for count in (1, 5):
        expected = eager(network, images(count))
        for one in formats:
            got = FORMATS[one].run(tmp_path, images(count))
            np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max(), err_msg=one)


class _Drifting(TorchNetwork):
    """Gives other vectors each time, so that no export can be like it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls = getattr(self, "calls", 0) + 1
        return super().forward(x) + self.calls


def test_export_that_differs_from_its_network_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    network = _Drifting(define_network("siamese_encoder"))
    with pytest.raises(ModelError, match=r"exported as torchscript gives other vectors.* 1e-05 is the limit"):
        export_embedder(network, tmp_path, SMALL, origin="a test", formats=("torchscript",))
    assert list(tmp_path.iterdir()) == []


def test_export_in_another_format_replaces_the_first(tmp_path: Path) -> None:
    network = filled("siamese_encoder", embedding_size=8)
    export_embedder(network, tmp_path, SMALL, origin="a test", formats=("onnx",))
    export_embedder(network, tmp_path, SMALL, origin="a test", formats=("torchscript",))
    assert {path.name for path in tmp_path.iterdir()} == {"embedding.json", "model.pt"}


def test_formats_that_cannot_be_are_refused(tmp_path: Path) -> None:
    network = build_network("siamese_encoder")
    with pytest.raises(ModelError, match=r"no export format named “coreml”.*paddle, pdmodel, onnx, torchscript"):
        export_embedder(network, tmp_path, SMALL, origin="a test", formats=("coreml",))
    for formats in ((), ("paddle", "pdmodel")):
        with pytest.raises(ValueError, match="not both"):
            export_embedder(network, tmp_path, SMALL, origin="a test", formats=formats)


def test_checkpoint_says_all_that_an_export_needs(tmp_path: Path) -> None:
    network = filled("siamese_encoder", embedding_size=8)
    preprocessing = Preprocessing(sizes_wh=((24, 40),), fit=COVER)
    (tmp_path / "12000").mkdir()
    save_checkpoint(tmp_path / "12000/model.safetensors", network, preprocessing=preprocessing, origin="elem on list")
    export_checkpoint(tmp_path / "12000", tmp_path / "out", formats=("torchscript",))
    spec = read_spec(tmp_path / "out")
    assert spec is not None
    assert (spec.architecture, spec.dimension, spec.origin) == ("siamese_encoder", 8, "elem on list")
    assert spec.preprocessing == preprocessing


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"embedding_size": 128}, "with embedding size 128: they are of siamese_encoder with embedding size 8"),
        ({"architecture": "osnet_x0_25"}, "do not fit osnet_x0_25"),
    ],
)
def test_what_contradicts_the_checkpoint_is_refused(tmp_path: Path, given: dict[str, Any], reason: str) -> None:
    network = build_network("siamese_encoder", embedding_size=8)
    save_checkpoint(tmp_path / "a.safetensors", network, preprocessing=SMALL, origin="a test")
    with pytest.raises(ModelError, match=reason):
        export_checkpoint(tmp_path / "a.safetensors", tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_command_of_paddle_metric_learning_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = filled("siamese_encoder", "paddle", embedding_size=8)
    write_weights(network, tmp_path / "12000.pdparams")
    flags = ["--model", "Siamese_Encoder", "--embedding_size", "8", "--image_shape", "3,40,24", "--use_gpu", "False"]
    paths = ["--pretrained_model", str(tmp_path / "12000"), "--model_save_dir", str(tmp_path / "out")]
    assert export_model.main([*flags, *paths]) == 0
    expected = eager(network, images(2))
    np.testing.assert_allclose(FORMATS["paddle"].run(tmp_path / "out", images(2)), expected, atol=1e-5)
    assert export_model.main([*flags[:2], "--embedding_size", "128", *paths]) == 2
    assert "fc.weight has shape (256, 8) instead of (256, 128)" in capsys.readouterr().err

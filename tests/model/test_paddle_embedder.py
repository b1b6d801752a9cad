from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import ModelError
from model.embedding_spec import UNTRAINED, EmbeddingSpec, Preprocessing, read_spec
from model.export import export_embedder, main
from model.network_input import prepare_crops
from model.paddle_embedder import PaddleEmbedder
from records import DistanceScale, FloatArray, Image
from tests.model.conftest import FORMATS
from tests.model.networks.test_resnet_vd import network, save

CopyExport = Callable[[str, str, Path], Path]


def crops(*sizes: tuple[int, int]) -> list[Image]:
    rng = np.random.default_rng(len(sizes))
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


def eager(built, pictures: list[Image], preprocessing: Preprocessing) -> FloatArray:  # type: ignore[no-untyped-def]
    """Return unit vectors as the network gives them before it is exported."""
    import paddle

    with paddle.no_grad():
        vectors = built(paddle.to_tensor(prepare_crops(pictures, preprocessing))).numpy()
    unit: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def test_crops_are_prepared_as_deep_sort_paddle_does() -> None:
    (crop,) = crops((90, 31))
    squeezed = cv2.resize(cv2.resize(crop, (64, 128)), (128, 128))
    rgb = squeezed[..., ::-1].astype(np.float64) / 255
    expected = ((rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)
    np.testing.assert_allclose(prepare_crops([crop], Preprocessing())[0], expected, atol=1e-6)


def test_exported_network_gives_what_the_network_gave(tmp_path: Path) -> None:
    built = network(embedding_size=32)
    preprocessing = Preprocessing(sizes_wh=((32, 64),), mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    export_embedder(built, tmp_path / "out", preprocessing, origin="a.pdparams", max_cosine_distance=0.3)
    embedder = PaddleEmbedder(tmp_path / "out", threads=1, batch_sizes=(2, 1))
    pictures = crops((60, 30), (1, 1), (200, 90), (64, 32), (5, 80))
    np.testing.assert_allclose(embedder.embed(pictures), eager(built, pictures, preprocessing), atol=1e-5)
    assert (embedder.dimension, embedder.max_cosine_distance) == (32, 0.3)
    assert embedder.info.name == "resnet18_vd"
    assert embedder.embed([]).shape == (0, 32)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "embedding.json",
        "model.json",
        "model.pdiparams",
    ]


@pytest.mark.slow
def test_exported_resnet101_vd_gives_what_the_network_gave(tmp_path: Path) -> None:
    built = network("resnet101_vd", embedding_size=128)
    preprocessing = Preprocessing(sizes_wh=((32, 64), (64, 64)))
    export_embedder(built, tmp_path, preprocessing, origin="a.pdparams")
    pictures = crops((128, 64), (90, 30), (40, 20))
    got = PaddleEmbedder(tmp_path, threads=1).embed(pictures)
    np.testing.assert_allclose(got, eager(built, pictures, preprocessing), atol=1e-5)


@pytest.mark.parametrize("file_format", FORMATS)
def test_export_of_other_people_is_prepared_by_its_declared_size(
    tmp_path: Path, copy_export: CopyExport, file_format: str
) -> None:
    embedder = PaddleEmbedder(copy_export("embedder", file_format, tmp_path), threads=1)
    pictures = crops((90, 31), (64, 64), (12, 40))
    tensor = prepare_crops(pictures, Preprocessing(sizes_wh=((64, 128), (16, 32))))
    quarters = tensor.reshape(3, 3, 2, 16, 2, 8).mean(axis=(3, 5)).reshape(3, 12)
    vectors = quarters @ np.sin(np.arange(48, dtype=np.float32)).reshape(12, 4)
    np.testing.assert_allclose(
        embedder.embed(pictures), vectors / np.linalg.norm(vectors, axis=1, keepdims=True), atol=1e-5
    )
    assert (embedder.dimension, embedder.max_cosine_distance, embedder.info.name) == (4, 0.2, "paddle")


def test_export_without_training_is_refused_but_for_benchmarks(tmp_path: Path) -> None:
    preprocessing = Preprocessing(sizes_wh=((32, 32),))
    export_embedder(network("siamese_encoder"), tmp_path, preprocessing, origin=UNTRAINED)
    with pytest.raises(ModelError, match="without trained weights"):
        PaddleEmbedder(tmp_path, threads=1)
    assert PaddleEmbedder(tmp_path, threads=1, allow_untrained=True).dimension == 16


def test_second_export_replaces_the_first(tmp_path: Path) -> None:
    preprocessing = Preprocessing(sizes_wh=((32, 32),))
    export_embedder(network("siamese_encoder", embedding_size=16), tmp_path, preprocessing, origin="a.pdparams")
    export_embedder(network("siamese_encoder", embedding_size=8), tmp_path, preprocessing, origin="b.pdparams")
    spec = read_spec(tmp_path)
    assert spec is not None
    assert (spec.origin, PaddleEmbedder(tmp_path, threads=1).dimension) == ("b.pdparams", 8)


def write_sidecar(folder: Path, **changes: object) -> None:
    spec = EmbeddingSpec(
        name="mine",
        architecture="Mine",
        dimension=4,
        preprocessing=Preprocessing(sizes_wh=((16, 32),)),
        max_cosine_distance=0.4,
        origin="mine.pdparams",
    )
    spec.write(folder)
    document = json.loads((folder / "embedding.json").read_text())
    (folder / "embedding.json").write_text(json.dumps({**document, **changes}))


def test_sidecar_written_for_somebody_elses_export_is_followed(tmp_path: Path, copy_export: CopyExport) -> None:
    write_sidecar(copy_export("embedder", "pdmodel", tmp_path))
    embedder = PaddleEmbedder(tmp_path, threads=1)
    assert (embedder.info.name, embedder.max_cosine_distance) == ("mine", 0.4)
    assert embedder.info.distances is None


def test_distances_that_were_measured_come_with_the_embedder(tmp_path: Path, copy_export: CopyExport) -> None:
    scale = DistanceScale(usual_same=0.2, spread_same=0.1, usual_other=0.7, spread_other=0.2)
    write_sidecar(copy_export("embedder", "pdmodel", tmp_path), distances=asdict(scale))
    assert PaddleEmbedder(tmp_path, threads=1).info.distances == scale


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dimension": 5}, "vectors have 4 values, its sidecar says 5"),
        ({"format": 2}, "format 1 is wanted"),
        ({"preprocessing": {}}, "sizes_wh"),
        ({"preprocessing": {"sizes_wh": [[0, 3]], "mean": [0, 0, 0], "std": [1, 1, 1]}}, "sizes_wh"),
        ({"preprocessing": {"sizes_wh": [[3, 3]], "mean": [0, 0], "std": [1, 1, 1]}}, "three values"),
        ({"max_cosine_distance": 7}, "max_cosine_distance"),
        ({"origin": ""}, "origin"),
        ({"surprise": 1}, "surprise"),
        ({"distances": {"usual_same": 0.2}}, "spread_same"),
    ],
)
def test_sidecar_that_does_not_fit_is_refused(
    tmp_path: Path, copy_export: CopyExport, changes: dict[str, object], reason: str
) -> None:
    write_sidecar(copy_export("embedder", "json", tmp_path), **changes)
    with pytest.raises(ModelError, match=reason):
        PaddleEmbedder(tmp_path, threads=1)


def test_model_with_other_inputs_is_refused(tmp_path: Path, copy_export: CopyExport) -> None:
    with pytest.raises(ModelError, match="one input is wanted"):
        PaddleEmbedder(copy_export("detector", "json", tmp_path), threads=1)


def test_command_line_exports_a_checkpoint(tmp_path: Path) -> None:
    built = network(embedding_size=12)
    checkpoint = save(built, tmp_path / "trained.pdparams")
    arguments = ["--arch", "ResNet18_vd", "--pretrained", str(checkpoint), "--embedding_size", "12"]
    assert main([*arguments, "--image_shape", "3,64,32", "--out", str(tmp_path / "out")]) == 0
    spec = read_spec(tmp_path / "out")
    assert spec is not None
    assert (spec.origin, spec.dimension, spec.preprocessing.sizes_wh) == ("trained.pdparams", 12, ((32, 64),))
    pictures = crops((64, 32))
    got = PaddleEmbedder(tmp_path / "out", threads=1).embed(pictures)
    np.testing.assert_allclose(got, eager(built, pictures, spec.preprocessing), atol=1e-5)


def test_command_line_says_in_a_sentence_that_a_checkpoint_does_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save(network(embedding_size=12), tmp_path / "trained.pdparams")
    arguments = ["--arch", "ResNet18_vd", "--pretrained", str(checkpoint), "--embedding_size", "128"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "fc.weight has shape (512, 12) instead of (512, 128)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--embedding_size", "8", "--out", "x"],
        ["--untrained", "--out", "x"],
        ["--untrained", "--embedding_size", "-1", "--out", "x"],
        ["--untrained", "--embedding_size", "8", "--image_shape", "1,8,8", "--out", "x"],
        ["--untrained", "--embedding_size", "8", "--max_cosine_distance", "3", "--out", "x"],
    ],
)
def test_command_line_refuses_what_cannot_be(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
import torch
from PIL import Image as Pillow

from errors import ModelError
from model.embedding_spec import Preprocessing
from model.export import export_embedder
from model.network_input import prepare_crops
from model.networks.build import build_network
from model.networks.weights import write_weights
from records import Image, ModelInfo
from reid import ReIDModel, calculate_distance_matrix

SMALL = Preprocessing(sizes_wh=((24, 48),))
BOXES = np.array([[2, 3, 20, 40], [10, 5, 31.5, 44.2], [-9, -9, 12, 300], [0, 0, 2, 2], [30, 10, 50, 50]], np.float32)


def frame(*, height: int = 60, width: int = 50) -> Image:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def small_model(**options: object) -> ReIDModel:
    return ReIDModel.from_timm("siamese_encoder", device="cpu", embedding_size=16, preprocessing=SMALL, **options)


def test_features_are_those_of_the_network_on_each_crop() -> None:
    model, picture = small_model(), frame()
    features = model.extract_features(sv.Detections(xyxy=BOXES), picture)
    assert (features.shape, features.dtype) == ((5, 16), np.float32)
    network = build_network("siamese_encoder", embedding_size=16).eval()
    for row, (x1, y1, x2, y2) in enumerate(
        [(2, 3, 20, 40), (10, 5, 32, 45), (0, 0, 12, 60), (0, 0, 2, 2), (30, 10, 50, 50)]
    ):
        crop_bgr = picture[y1:y2, x1:x2, ::-1]
        with torch.no_grad():
            expected = network(torch.from_numpy(prepare_crops([crop_bgr], SMALL))).numpy()[0]
        np.testing.assert_allclose(features[row], expected, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 99])
def test_size_of_the_batches_does_not_matter(batch_size: int) -> None:
    model, picture = small_model(), frame()
    together = model.extract_features(BOXES, picture)
    np.testing.assert_allclose(model.extract_features(BOXES, picture, batch_size=batch_size), together, atol=1e-6)


@pytest.mark.parametrize("nothing", [sv.Detections.empty(), np.zeros((0, 4)), []])
def test_no_detections_give_no_features(nothing: object) -> None:
    features = small_model().extract_features(nothing, frame())
    assert (features.shape, features.dtype) == ((0, 16), np.float32)


def test_picture_of_pillow_is_a_frame() -> None:
    model = small_model()
    expected = model.extract_features(BOXES, frame())
    np.testing.assert_array_equal(model.extract_features(BOXES, Pillow.fromarray(frame())), expected)


@pytest.mark.parametrize(
    ("boxes", "picture", "reason"),
    [
        (BOXES, np.zeros((60, 50), np.uint8), r"\(H, W, 3\) uint8 RGB, not \(60, 50\)"),
        (BOXES, np.zeros((60, 50, 3), np.float32), "float32"),
        (BOXES, np.zeros((0, 50, 3), np.uint8), "uint8"),
        (BOXES[:, :3], frame(), r"shape \(N, 4\), not \(5, 3\)"),
        (BOXES * np.nan, frame(), "finite"),
    ],
)
def test_frame_or_boxes_of_another_make_are_refused(boxes: np.ndarray, picture: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        small_model().extract_features(boxes, picture)


def test_batch_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not 0"):
        small_model().extract_features(BOXES, frame(), batch_size=0)


def test_module_and_transforms_of_the_user_are_used() -> None:
    class Means(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=(2, 3), keepdim=True)  # what is not flat is flattened

    def squeeze(crop: Image) -> torch.Tensor:
        return torch.from_numpy(crop[:4, :2].astype(np.float32)).permute(2, 0, 1)

    model = ReIDModel(Means(), device="cpu", transforms=[squeeze, lambda x: x / 2], model_metadata={"by": "me"})
    picture = frame()
    features = model.extract_features(BOXES[:2], picture)
    expected = [picture[3:7, 2:4].mean((0, 1)) / 2, picture[5:9, 10:12].mean((0, 1)) / 2]
    np.testing.assert_allclose(features, expected, rtol=1e-5)
    assert (model.dimension, model.device, model.model_metadata) == (3, "cpu", {"by": "me"})
    with pytest.raises(ValueError, match=r"end in \(3, H, W\)"):
        ReIDModel(Means(), "cpu", lambda crop: crop).extract_features(BOXES, picture)


def test_model_saved_and_loaded_gives_the_same_features(tmp_path: Path) -> None:
    model, picture = small_model(seed=4, model_metadata={"camera": "gate"}), frame()
    model.save(tmp_path / "a.safetensors", origin="a test")
    loaded = ReIDModel.from_timm(tmp_path / "a.safetensors", device="cpu")
    np.testing.assert_array_equal(loaded.extract_features(BOXES, picture), model.extract_features(BOXES, picture))
    assert loaded.preprocessing == SMALL
    assert loaded.model_metadata == {"architecture": "siamese_encoder", "camera": "gate", "origin": "a test"}


def test_models_of_both_frameworks_give_the_same_features(tmp_path: Path) -> None:
    model, picture = small_model(seed=4), frame()
    model.save(tmp_path / "model.safetensors")
    expected = model.extract_features(BOXES, picture)
    in_paddle = ReIDModel.from_paddle(tmp_path, device="cpu")
    np.testing.assert_allclose(in_paddle.extract_features(BOXES, picture), expected, atol=1e-6)
    network = build_network("siamese_encoder", embedding_size=16, seed=4)
    export_embedder(network, tmp_path / "export", SMALL, origin="a test", formats=("paddle", "onnx"))
    for path in (tmp_path / "export", tmp_path / "export/model.onnx"):
        exported = ReIDModel.from_timm(path, device="cpu")
        np.testing.assert_allclose(exported.extract_features(BOXES, picture), expected, atol=1e-5)
        assert (exported.dimension, exported.preprocessing) == (16, SMALL)
    (tmp_path / "export/embedding.json").unlink()
    assert ReIDModel.from_timm(tmp_path / "export/model.onnx").preprocessing.sizes_wh == ((24, 48),)


def test_embedder_of_the_worker_gives_its_own_vectors() -> None:
    from model.hsv_stripes import HsvStripes

    embedder, picture = HsvStripes(info=ModelInfo("hsv_stripes")), frame()
    model = ReIDModel.from_embedder(embedder)
    expected = embedder.embed([picture[3:40, 2:20, ::-1], picture[:2, :2, ::-1]])
    np.testing.assert_array_equal(model.extract_features(BOXES[[0, 3]], picture), expected)
    assert model.extract_features([], picture).shape == (0, embedder.dimension)


@pytest.mark.parametrize("load", [ReIDModel.builtin, lambda: ReIDModel.from_timm("builtin")])
def test_embedder_that_comes_with_the_program_is_at_hand(load: Callable[[], ReIDModel]) -> None:
    features = load().extract_features(BOXES, frame())
    assert features.shape == (5, 128)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-4)


def test_weights_of_other_people_need_the_name_of_their_network(tmp_path: Path) -> None:
    network = build_network("osnet_x0_25", seed=3)
    write_weights(network, tmp_path / "a.pth")
    named = ReIDModel.from_timm("osnet_x0_25", device="cpu", weights=tmp_path / "a.pth")
    by_file = ReIDModel.from_timm(tmp_path / "a.pth", device="cpu", architecture="osnet_x0_25")
    assert named.dimension == by_file.dimension == 512
    assert named.preprocessing.sizes_wh == ((128, 256),)
    np.testing.assert_array_equal(named.extract_features(BOXES, frame()), by_file.extract_features(BOXES, frame()))
    with pytest.raises(ModelError, match="do not say which network"):
        ReIDModel.from_timm(tmp_path / "a.pth")


def test_network_without_weights_says_so_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    small_model()
    assert "random weights" in caplog.text


def test_unknown_name_is_refused_with_those_close_to_it() -> None:
    with pytest.raises(ModelError, match=r"no network named “osnet_x1_1”.*osnet_x1_0"):
        ReIDModel.from_timm("osnet_x1_1")


def test_name_of_timm_asks_for_timm_where_it_is_not_installed() -> None:
    if importlib.util.find_spec("timm") is not None:
        pytest.skip("timm is installed")
    with pytest.raises(ModelError, match="install timm first"):
        ReIDModel.from_timm("vit_base_patch16_224")


@pytest.mark.parametrize("name", ["nowhere.safetensors", "nowhere/model.pth", "nowhere.onnx"])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        ReIDModel.from_timm(tmp_path / name)


def test_gpu_that_is_not_there_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ModelError, match="can use none here"):
        ReIDModel.from_timm("siamese_encoder", device="cuda")
    with pytest.raises(ModelError, match="can use none here"):
        ReIDModel.from_timm("siamese_encoder", device="gpu", framework="paddle")


@pytest.mark.gpu
def test_gpu_gives_the_features_of_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch can use no GPU here")
    on_gpu = ReIDModel.from_timm("siamese_encoder", embedding_size=16, preprocessing=SMALL)
    assert on_gpu.device == "cuda"
    expected = small_model().extract_features(BOXES, frame())
    np.testing.assert_allclose(on_gpu.extract_features(BOXES, frame()), expected, atol=1e-3)


def test_feature_maps_of_our_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="pooled features alone"):
        ReIDModel.from_timm("siamese_encoder", get_pooled_features=False)


def test_something_else_than_a_network_is_refused() -> None:
    with pytest.raises(TypeError, match="not str"):
        ReIDModel("osnet")


STAND_IN_FOR_TIMM = """
import types
import torch

data = types.SimpleNamespace(resolve_model_data_config=lambda module: module.facts)


def is_model(name):
    return name == "resnet_small"


def create_model(name, *, pretrained, num_classes, global_pool="avg"):
    assert not pretrained and num_classes == 0
    module = torch.nn.Conv2d(3, 4, 3, stride=2, bias=False)
    if global_pool:
        module = torch.nn.Sequential(module, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    module.facts = {"input_size": (3, 15, 9), "mean": (0.5, 0.5, 0.5), "std": (0.1, 0.2, 0.3)}
    return module
"""


def test_network_of_timm_is_prepared_as_timm_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in, since timm needs torchvision, which does not import beside this torch on the CPU."""
    if importlib.util.find_spec("timm") is not None:
        pytest.skip("timm is installed; the next test takes it itself")
    (tmp_path / "timm.py").write_text(STAND_IN_FOR_TIMM)
    monkeypatch.syspath_prepend(tmp_path)
    pooled = ReIDModel.from_timm("resnet_small", device="cpu")
    maps = ReIDModel.from_timm("resnet_small", device="cpu", get_pooled_features=False)
    monkeypatch.delitem(sys.modules, "timm")
    expected = Preprocessing(sizes_wh=((9, 15),), mean=(0.5, 0.5, 0.5), std=(0.1, 0.2, 0.3))
    assert pooled.preprocessing == expected
    assert pooled.extract_features(BOXES, frame()).shape == (5, 4)
    assert maps.extract_features(BOXES, frame()).shape == (5, 4 * 7 * 4)


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed; it is optional")
def test_network_of_timm_is_used_where_it_is_installed() -> None:
    model = ReIDModel.from_timm("resnet10t", device="cpu")
    assert model.extract_features(BOXES, frame()).shape == (5, 512)


def test_names_of_the_stand_alone_module_are_the_same() -> None:
    import reid_standalone

    assert reid_standalone.ReIDModel is ReIDModel
    assert reid_standalone.calculate_distance_matrix is calculate_distance_matrix


def test_importing_the_library_loads_no_network_library() -> None:
    code = "import sys, reid; reid.calculate_distance_matrix; print(*{'torch', 'paddle', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    with pytest.raises(AttributeError, match="no attribute 'Zebra'"):
        __import__("reid").Zebra  # noqa: B018

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errors import DataError, ModelError
from model.embedding_spec import Preprocessing
from model.network_input import prepare_crops
from records import FloatArray, Image
from reid import ReIDModel, TripletsDataset, get_market1501_dataset
from tests.reid.datasets.make_pictures import touch_pictures
from tests.reid.training.figures import SIZE_WH, write_market1501

SMALL = Preprocessing(sizes_wh=(SIZE_WH,))


def prepare(crop_rgb: Image) -> FloatArray:
    return prepare_crops([crop_rgb[..., ::-1]], SMALL)[0]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market1501(tmp_path_factory.mktemp("market"), train=range(1, 17), test=range(101, 103), each=4)


def test_every_picture_is_an_anchor_once_and_positives_are_other_pictures(market: Path) -> None:
    dataset = get_market1501_dataset(market, random_state=3)
    assert isinstance(dataset, TripletsDataset)
    assert len(dataset) == 64
    anchor, positive, negative = dataset[0]
    assert anchor.shape == positive.shape == negative.shape == (3, 256, 128)
    assert not np.array_equal(anchor, positive)


def test_triplets_follow_from_seed_and_epoch(market: Path) -> None:
    first, second = (get_market1501_dataset(market, random_state=3, transforms=prepare) for _ in range(2))
    assert isinstance(first, TripletsDataset)
    assert isinstance(second, TripletsDataset)
    np.testing.assert_array_equal(first[5][2], second[5][2])
    negatives = []
    for epoch in range(4):
        second.set_epoch(epoch)
        negatives.append(second[5][2].numpy().tobytes())
    assert len(set(negatives)) > 1


def test_a_split_shares_no_identity(market: Path) -> None:
    parts = get_market1501_dataset(market / "bounding_box_train", split_ratio=0.75, random_state=0)
    assert isinstance(parts, tuple)
    names = [set(part.tracker_id_to_images) for part in parts]
    assert [len(part) for part in names] == [12, 4]
    assert not names[0] & names[1]
    whole = get_market1501_dataset(market)
    assert isinstance(whole, TripletsDataset)
    assert names[0] | names[1] == set(whole.tracker_id_to_images)
    ordered, _ = whole.split(0.25, shuffle=False)
    assert sorted(ordered.tracker_id_to_images) == ["0001", "0002", "0003", "0004"]
    with pytest.raises(ValueError, match="leaves 16 and 0 identities; each part needs 2"):
        whole.split(1.0)


def test_folders_are_identities_and_single_pictures_stay(tmp_path: Path) -> None:
    touch_pictures(tmp_path / "ada", ["1.jpg", "2.png"])
    touch_pictures(tmp_path / "bob", ["1.jpg"])
    assert len(TripletsDataset.from_image_directories(tmp_path)) == 3
    assert len(TripletsDataset.from_image_directories(str(tmp_path), image_extensions=[".JPG"])) == 2
    with pytest.raises(DataError, match="1 identities to train on; at least 2"):
        TripletsDataset.from_image_directories(tmp_path, image_extensions=[".png"])
    with pytest.raises(DataError, match="is not there"):
        TripletsDataset.from_image_directories(tmp_path / "nowhere")


def test_the_readme_of_the_original_runs(market: Path, tmp_path: Path) -> None:
    from torch.utils.data import DataLoader

    parts = get_market1501_dataset(market, split_ratio=0.75, random_state=1, shuffle=True, transforms=prepare)
    assert isinstance(parts, tuple)
    train_loader = DataLoader(parts[0], batch_size=12, shuffle=True)
    validation_loader = DataLoader(parts[1], batch_size=12)
    model = ReIDModel.from_timm("siamese_encoder", device="cpu", embedding_size=0, preprocessing=SMALL)
    result = model.train(
        train_loader,
        epochs=3,
        validation_loader=validation_loader,
        projection_dimension=24,
        learning_rate=2e-3,
        triplet_margin=0.5,
        random_state=0,
        checkpoint_interval=2,
        log_dir=str(tmp_path / "logs"),
    )
    measured = [figures for _, figures in result.evaluations]
    assert [iteration for iteration, _ in result.evaluations] == [4, 8, 12]
    assert measured[-1]["validation_loss"] < 0.2
    assert measured[-1]["right_order"] > 0.9
    assert sorted(path.name for path in (tmp_path / "logs").iterdir() if path.is_dir()) == ["12", "8"]

    crops = [np.full((40, 20, 3), value, np.uint8) for value in (40, 200)]
    reloaded = ReIDModel.from_timm(str(result.checkpoint / "model.safetensors"), device="cpu")
    assert reloaded.dimension == model.dimension == 24
    np.testing.assert_allclose(reloaded.embed_crops(crops), model.embed_crops(crops), rtol=1e-5, atol=1e-6)


def test_a_frozen_backbone_stays_to_the_bit_and_training_resumes_at_an_epoch(market: Path, tmp_path: Path) -> None:
    from torch.utils.data import DataLoader

    dataset = get_market1501_dataset(market, random_state=1, transforms=prepare)

    def run(epochs: int, folder: str, resume_from: Path | None = None):  # type: ignore[no-untyped-def]
        model = ReIDModel.from_timm("siamese_encoder", device="cpu", embedding_size=0, preprocessing=SMALL)
        before = model.backbone.module.tensors()  # type: ignore[attr-defined]
        result = model.train(
            DataLoader(dataset, batch_size=32, shuffle=True),  # type: ignore[arg-type]
            epochs,
            projection_dimension=8,
            freeze_backbone=True,
            learning_rate=1e-2,
            random_state=0,
            log_dir=str(tmp_path / folder),
            resume_from=resume_from,
        )
        return result, before, model.backbone.module.tensors()  # type: ignore[attr-defined]

    _, before, after = run(2, "whole")
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values, err_msg=name)
    assert set(after) - set(before) == {"fc.weight", "fc.bias"}
    half, _, _ = run(1, "broken")
    _, _, resumed = run(2, "broken", resume_from=half.checkpoint)
    np.testing.assert_array_equal(resumed["fc.weight"], after["fc.weight"])


def test_a_foreign_network_gets_a_linear_layer_on_top(market: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file
    from torch import nn
    from torch.utils.data import DataLoader

    network = nn.Sequential(nn.Conv2d(3, 6, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = ReIDModel(network, device="cpu", transforms=prepare)
    loader = DataLoader(get_market1501_dataset(market, transforms=prepare), batch_size=64)  # type: ignore[arg-type]
    result = model.train(loader, 1, projection_dimension=5, log_dir=str(tmp_path))
    assert model.dimension == 5
    assert load_file(result.checkpoint / "model.safetensors")["projection.weight"].shape == (5, 6)


def test_training_nothing_is_refused(market: Path, tmp_path: Path) -> None:
    model = ReIDModel.from_timm("siamese_encoder", device="cpu")
    with pytest.raises(ValueError, match="with freeze_backbone a projection_dimension is needed"):
        model.train([1], 1, freeze_backbone=True)
    with pytest.raises(ValueError, match="at least 1 epoch of 1 batch is needed, not 1 of 0"):
        model.train([], 1)


def test_training_a_network_of_paddle_is_told() -> None:
    model = ReIDModel.from_timm("siamese_encoder", device="cpu", framework="paddle")
    with pytest.raises((TypeError, ModelError), match="train wants a network in PyTorch, not PaddleNetwork"):
        model.train([1], 1)

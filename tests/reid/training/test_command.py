from __future__ import annotations

from pathlib import Path

import pytest

from model.networks.checkpoints import read_info
from reid.__main__ import main
from reid.training.journal import read_rows
from tests.reid.training.figures import draw_crops, write_market1501

TINY = ["--network", "siamese_encoder", "--embedding_size", "16", "--image_shape", "3,32,16", "--threads", "1"]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market1501(tmp_path_factory.mktemp("market"), train=range(1, 9), test=range(101, 106))


@pytest.mark.parametrize("recipe", ["osnet", "siamese", "vehicle", "rendered"])
def test_a_recipe_trains_measures_and_saves(
    recipe: str, market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = ["--iterations", "2", "--batch_size", "8", "--save_dir", str(tmp_path)]
    assert main(["train", recipe, "--data", str(market), *TINY, *steps]) == 0
    said = capsys.readouterr()
    assert "After 2 iterations: rank_1 " in said.out
    assert "2/2" in said.err
    info = read_info(tmp_path / recipe / "2" / "model.safetensors")
    assert (info.architecture, info.embedding_size) == ("siamese_encoder", 16)
    assert info.preprocessing.sizes_wh == ((16, 32),)
    assert info.origin == f"{recipe} on {market.name}"
    assert info.details["classes"] == "8"


def test_a_training_is_taken_up_again_and_starts_from_other_weights(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["train", "siamese", "--data", str(market), *TINY, "--batch_size", "8", "--save_dir", str(tmp_path)]
    # The schedule moves with the length, so a training that is to go on is cut off, not made shorter.
    assert main([*base, "--iterations", "3", "--save_every", "2", "--in_memory"]) == 0
    assert main([*base, "--iterations", "3", "--resume"]) == 2
    assert "has 3 iterations already" in capsys.readouterr().err
    weights = str(tmp_path / "siamese" / "3")
    other = ["--save_dir", str(tmp_path / "other"), "--embedding_size", "8", "--pretrained", weights]
    assert main([*base, "--iterations", "1", *other]) == 0
    assert "has 16 values; the layer for the 8 that are wanted starts anew" in capsys.readouterr().err


def test_one_file_of_crops_is_enough_in_either_framework(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_crops(range(1, 9)).save(tmp_path / "crops.npz")
    draw_crops(range(101, 104), seed=1).save(tmp_path / "test.npz")
    data = ["--data", str(tmp_path / "crops.npz"), "--test_data", str(tmp_path / "test.npz")]
    steps = ["--iterations", "2", "--batch_size", "8", "--save_dir", str(tmp_path), "--framework", "paddle"]
    assert main(["train", "rendered", *data, *TINY, *steps, "--evaluate_every", "1"]) == 0
    assert "recall_1" in capsys.readouterr().out
    assert [row["iteration"] for row in read_rows(tmp_path / "rendered" / "evaluations.csv")] == [1, 2]
    assert (tmp_path / "rendered" / "2" / "model.pdparams").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "nowhere"], "nowhere”, which Market-1501 needs, is not there"),
        (["--data", "nowhere.npz"], "cannot be read as crops"),
        (["--data", "MARKET", "--network", "osnet_x9"], "no network named “osnet_x9”"),
        (["--data", "MARKET", "--batch_size", "30"], "This cannot be done: a batch of 30 cannot be divided"),
        (["--data", "MARKET", "--batch_size", "64"], "8 identities to train on; at least 16 are needed"),
        (["--data", "MARKET", "--device", "gpu", "--batch_size", "8"], "A GPU was asked for"),
    ],
)
def test_what_the_user_can_mend_is_a_sentence(
    arguments: list[str], sentence: str, market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "gpu" in arguments and __import__("torch").cuda.is_available():
        pytest.skip("there is a GPU")
    given = [str(market) if argument == "MARKET" else argument for argument in arguments]
    tiny = [] if "--network" in arguments else TINY
    assert main(["train", "vehicle", *tiny, *given, "--save_dir", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_one_camera_alone_is_told_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_market1501(tmp_path / "market", train=range(1, 4), test=range(101, 103))
    for path in [*root.glob("query/*_c2*"), *root.glob("bounding_box_test/*_c2*")]:
        path.unlink()
    assert main(["train", "osnet", "--data", str(root), *TINY, "--save_dir", str(tmp_path / "out")]) == 2
    assert "All pictures of Market-1501 come from camera 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_way_of_fitting_travels_with_the_weights(market: Path, tmp_path: Path) -> None:
    steps = ["--iterations", "1", "--batch_size", "8", "--save_dir", str(tmp_path), "--fit", "cover"]
    assert main(["train", "siamese", "--data", str(market), *TINY, *steps]) == 0
    assert read_info(tmp_path / "siamese" / "1" / "model.safetensors").preprocessing.fit == "cover"


def test_help_names_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(command in said for command in ("train", "evaluate", "lists"))
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "--image_shape" in capsys.readouterr().out

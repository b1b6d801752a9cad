"""The command lines of Paddle metric learning, as their users know them, with a smaller network and fewer steps."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import eval as eval_command
import export_model
import infer
import train_elem
import train_pair
from model.embedding_spec import COVER, STRETCH
from model.networks.build import build_network
from model.networks.checkpoints import read_info
from model.networks.weights import write_weights
from reid.__main__ import main as reid_main
from tests.reid.training.figures import draw_crops

MODEL = "ResNet18_vd"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``gt_bbox`` of 12 identities and its lists: the last 5 pictures, of 2 identities, held out."""
    root = tmp_path_factory.mktemp("market")
    crops = draw_crops(range(1, 13), each=3)
    (root / "gt_bbox").mkdir()
    for row in range(len(crops)):
        name = f"{crops.identities[row]:04d}_c{crops.cameras[row]}s1_{row:06d}_00.jpg"
        cv2.imwrite(str(root / "gt_bbox" / name), crops.load(row))
    assert (
        reid_main(["lists", "--pictures", str(root / "gt_bbox"), "--out", str(root / "data"), "--held_out", "5"]) == 0
    )
    return root


@pytest.fixture(scope="module")
def elem(folder: Path) -> Path:
    """Return the checkpoint of the first command, which starts from a classifier of ImageNet's size."""
    classifier = build_network(MODEL, "torch", embedding_size=1000, seed=5)
    write_weights(classifier, folder / f"{MODEL}_ssld_pretrained.pdparams")
    status = train_elem.main(
        f"--model={MODEL} --embedding_size=16 --train_batch_size=8 --test_batch_size=5 --image_shape=3,32,32 "
        "--class_dim=11 --lr=0.001 --lr_strategy=piecewise_decay --lr_steps=5000,7000,9000 --total_iter_num=2 "
        "--display_iter_step=1 --test_iter_step=1 --save_iter_step=1 --use_gpu=True "
        f"--pretrained_model={folder}/{MODEL}_ssld_pretrained "
        f"--model_save_dir={folder}/save_elem_model --loss_name=arcmargin --arc_scale=80.0 --arc_margin=0.15 "
        f"--arc_easy_margin=False --data_dir={folder}/data --threads=1".split()
    )
    assert status == 0
    return folder / "save_elem_model" / MODEL / "2"


@pytest.fixture(scope="module")
def pair(folder: Path, elem: Path) -> Path:
    """Return the checkpoint of the second command, whose embedding has another size than the first's."""
    status = train_pair.main(
        f"--model={MODEL} --embedding_size=8 --train_batch_size=8 --test_batch_size=5 --image_shape=3,32,32 "
        "--lr=0.001 --lr_strategy=piecewise_decay --lr_steps=3000,6000,9000 --total_iter_num=1 "
        f"--use_gpu=True --pretrained_model={elem} --model_save_dir={folder}/save_eml_model --loss_name=eml "
        f"--samples_each_class=4 --data_dir={folder}/data --threads=1".split()
    )
    assert status == 0
    return folder / "save_eml_model" / MODEL / "1"


def test_the_first_command_saves_as_the_original_does(elem: Path) -> None:
    assert sorted(path.name for path in elem.parent.iterdir() if path.is_dir()) == ["1", "2"]
    assert (elem / "model.pdparams").is_file()
    info = read_info(elem / "model.safetensors")
    assert info.embedding_size == 16
    assert info.preprocessing.fit == COVER
    assert (elem.parent / "curves.png").is_file()


def test_the_second_command_goes_on_from_the_first_with_a_new_embedding(pair: Path) -> None:
    assert read_info(pair / "model.safetensors").embedding_size == 8


def test_the_third_command_exports_at_the_size_of_the_weights_and_refuses_another(
    pair: Path, elem: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = f"--model={MODEL} --image_shape=3,32,32 --use_gpu=False --model_save_dir={folder}/export".split()
    assert export_model.main([*flags, "--embedding_size=16", f"--pretrained_model={elem}"]) == 0
    assert (folder / "export" / "model.pdiparams").is_file()
    capsys.readouterr()
    assert export_model.main([*flags, "--embedding_size=16", f"--pretrained_model={pair}"]) != 0
    said = capsys.readouterr().err
    assert "16" in said
    assert "8" in said


def test_eval_prints_recall_of_either_file(elem: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [f"--model={MODEL}", f"--data_dir={folder}/data", "--use_gpu=False", "--threads=1", "--image_shape=3,32,32"]
    said = []
    for weights in (elem, elem / "model.pdparams", elem / "model"):
        assert eval_command.main([*flags, "--batch_size=2", f"--pretrained_model={weights}"]) == 0
        said.append(capsys.readouterr().out)
    assert re.fullmatch(r"Recall@1 \d\.\d{4}, Recall@5 \d\.\d{4}, mAP \d\.\d{4} over 5 pictures\n", said[0])
    assert said[0] == said[1] == said[2]


def test_a_size_that_the_weights_do_not_have_is_refused(
    elem: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [f"--model={MODEL}", f"--data_dir={folder}/data", "--use_gpu=False", f"--pretrained_model={elem}"]
    assert eval_command.main([*flags, "--embedding_size=128"]) == 2
    assert "has 16 values, and --embedding_size 128 was asked for. Leave it out, or give 16" in capsys.readouterr().err
    assert eval_command.main([f"--model={MODEL}", f"--data_dir={folder}/data"]) == 2
    assert "--pretrained_model" in capsys.readouterr().err
    assert eval_command.main(["--model=ResNet34_vd", *flags[1:]]) == 2
    assert "do not fit resnet34_vd" in capsys.readouterr().err


def test_infer_writes_embeddings_and_names_the_nearest(
    elem: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [f"--model={MODEL}", f"--pretrained_model={elem}", "--use_gpu=False", "--threads=1"]
    out = folder / "out" / "features.npz"
    assert infer.main([*flags, f"--data_dir={folder}/data", f"--save_path={out}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    with np.load(out) as content:
        features, paths = content["features"], content["paths"].tolist()
        assert content["identities"].tolist() == [10, 10, 11, 11, 11]
    assert features.shape == (5, 16)
    first, nearest, similarity = lines[0].split("\t")
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = units @ units[0]
    assert first == paths[0]
    assert nearest == paths[1 + int(np.argmax(cosines[1:]))]
    assert float(similarity) == pytest.approx(float(cosines[1:].max()), abs=1e-3)
    assert infer.main([*flags, f"--image_dir={folder}/gt_bbox", f"--save_path={out}", "--fit", STRETCH]) == 0
    assert "36 × 16" in capsys.readouterr().out


def test_a_training_goes_on_from_its_checkpoint(elem: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = (
        f"--model={MODEL} --embedding_size=16 --train_batch_size=8 --image_shape=3,32,32 --lr=0.001 "
        "--lr_steps=5000,7000,9000 --loss_name=arcmargin --use_gpu=False --threads=1 "
        f"--data_dir={folder}/data --model_save_dir={folder}/more"
    ).split()
    assert train_elem.main([*same, "--total_iter_num=3", f"--checkpoint={elem}"]) == 0
    assert (folder / "more" / MODEL / "3").is_dir()
    assert train_elem.main([*same, "--total_iter_num=3", "--lr=0.1", f"--checkpoint={elem}"]) == 2
    assert "schedule was" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("--class_dim=1421", r"class_dim is 1421, but the labels of .* make 11 classes"),
        ("--data_dir=nowhere", r"no list file “nowhere/train_list.txt”. Write lists with “python -m reid lists"),
        ("--model=ResNet7_vd", "no network named “ResNet7_vd”"),
        ("--checkpoint=nowhere", "No weights for a training to go on with"),
    ],
)
def test_what_the_user_can_mend_is_a_sentence(
    flags: str, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = [f"--data_dir={folder}/data", "--image_shape=3,32,32", "--train_batch_size=4", "--total_iter_num=1"]
    small = [] if "--model" in flags else [f"--model={MODEL}"]
    assert train_elem.main([*usual, *small, "--use_gpu=False", f"--model_save_dir={folder}/none", flags]) == 2
    assert re.search(sentence, capsys.readouterr().err)


def test_pairs_need_batches_that_divide(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = f"--data_dir={folder}/data"
    assert train_pair.main([data, "--loss_name=npairs", "--samples_each_class=4"]) == 2
    assert "npairs takes --samples_each_class 2, not 4" in capsys.readouterr().err
    assert train_pair.main([data, "--loss_name=eml", "--train_batch_size=10", "--samples_each_class=4"]) == 2
    assert "--train_batch_size 10 is no multiple of --samples_each_class 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "defaults"),
    [
        (
            train_elem,
            "train_batch_size (256) test_batch_size (50) lr (0.01) total_iter_num (30000) display_iter_step (10) "
            "test_iter_step (1000) save_iter_step (1000) arc_scale (80.0) arc_margin (0.15) loss_name (softmax)",
        ),
        (
            train_pair,
            "train_batch_size (120) test_batch_size (50) lr (0.0001) total_iter_num (100000) test_iter_step (5000) "
            "save_iter_step (5000) samples_each_class (2) margin (0.1) npairs_reg_lambda (0.01) loss_name (triplet)",
        ),
    ],
)
def test_defaults_are_those_of_the_original(command, defaults: str, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SystemExit):
        command.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    words = defaults.split()
    for name, default in zip(words[::2], words[1::2], strict=True):
        assert re.search(rf"--{name} [^-]*{re.escape(default)}", said), f"{name} {default} in {said}"

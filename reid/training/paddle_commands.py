"""What ``train_elem.py``, ``train_pair.py``, ``eval.py`` and ``infer.py`` do with their flags."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from errors import DataError, ModelError
from model.embedding_spec import COVER, Preprocessing
from model.networks.checkpoints import CheckpointInfo, find_info
from model.networks.weight_files import find_weights
from records import FloatArray, Notice
from reid.datasets.crops import CropFiles
from reid.datasets.list_files import TEST_LIST, TRAIN_LIST, class_count, read_list
from reid.datasets.records import ReIDImage, Split, check_training_images
from reid.metrics import evaluate_leave_one_out
from reid.terminal import tell_notice
from reid.training.batches import TrainingData
from reid.training.command import ProgressBar, tell_result
from reid.training.judging import HeldOut, embed_crops
from reid.training.paddle_flags import DEFAULT_MODEL
from reid.training.recipes import Recipe
from reid.training.session import Session, run_recipe
from reid.training.threads import limit_threads

if TYPE_CHECKING:
    from model.networks.paddle_network import PaddleNetwork

_DEFAULT_SIZE_WH = (224, 224)
_ORIGINAL_LISTS = {
    TRAIN_LIST: Path("Stanford_Online_Products/Ebay_train.txt"),
    TEST_LIST: Path("Stanford_Online_Products/Ebay_test.txt"),
}


def train_by_flags(options: argparse.Namespace, recipe: Recipe) -> None:
    """Train by a recipe on the lists that the flags name; each model saves into ``<model_save_dir>/<model>/``."""
    train_list = _list_path(options, TRAIN_LIST)
    images = read_list(train_list, Split.TRAIN, root=_list_root(options, train_list))
    check_training_images(images, dataset=train_list.name)
    classes = class_count(images, class_dim=options.class_dim, source=train_list)
    crops = CropFiles(images)
    recipe = _with_size_of_weights(recipe, options)
    with ProgressBar() as bar:
        session = Session(
            framework="paddle",
            folder=options.model_save_dir / options.model,
            origin=f"{recipe.losses[0].name} on {train_list.name}",
            held_out=HeldOut(CropFiles(_test_images(options))),
            pretrained=options.pretrained_model,
            resume_from=options.checkpoint,
            use_gpu=_has_gpu(options),
            threads=options.threads,
            test_batch_size=options.test_batch_size,
            has_tensorboard=options.tensorboard,
            on_progress=bar.show,
            on_notice=tell_notice,
        )
        result = run_recipe(recipe, TrainingData(crops, crops.identities, classes), session)
    tell_result(result)


def _with_size_of_weights(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """Return the recipe with the embedding of our own weights that it starts from, where no flag gives a size."""
    if options.embedding_size is not None or options.pretrained_model is None:
        return recipe
    info = find_info(find_weights(options.pretrained_model))
    return recipe if info is None else replace(recipe, embedding_size=info.embedding_size)


def evaluate_by_flags(options: argparse.Namespace) -> None:
    """Print Recall@1 over the test list, each picture against all others."""
    crops = CropFiles(_test_images(options))
    network, preprocessing = load_by_flags(options)
    labelled = embed_crops(_embedder(network), crops, preprocessing, batch_size=options.batch_size)
    result = evaluate_leave_one_out(labelled)
    figures = f"Recall@1 {result.rank(1):.4f}, Recall@5 {result.rank(5):.4f}, mAP {result.mean_ap:.4f}"
    print(f"{figures} over {len(labelled)} pictures")  # noqa: T201


def infer_by_flags(options: argparse.Namespace) -> None:
    """Write the embeddings of the test list, or of a folder, and print the picture nearest to each."""
    images = _test_images(options) if options.image_dir is None else _folder_images(options.image_dir)
    network, preprocessing = load_by_flags(options)
    labelled = embed_crops(_embedder(network), CropFiles(images), preprocessing, batch_size=options.batch_size)
    paths = np.array([str(image.path) for image in images])
    options.save_path.parent.mkdir(parents=True, exist_ok=True)
    with options.save_path.open("wb") as file:
        np.savez(file, paths=paths, identities=labelled.identities, features=labelled.features)
    _print_nearest(paths.tolist(), labelled.features)
    print(f"Wrote {options.save_path}: {labelled.features.shape[0]} × {labelled.features.shape[1]}")  # noqa: T201


def load_by_flags(options: argparse.Namespace) -> tuple[PaddleNetwork, Preprocessing]:
    """Return the network of ``--pretrained_model`` in evaluation, and how its input is prepared.

    The size of the embedding is that of the weights; what the flags say must agree with it.

    Raises
    ------
    ModelError
        when there are no weights, they are of another network, or their embedding has another size.
    """
    from model.networks.restore import restore_network
    from model.networks.weights import read_embedding_size

    if options.pretrained_model is None:
        raise ModelError("model.weights_missing", model=options.model or "the network", path="--pretrained_model")
    path = find_weights(options.pretrained_model)
    info = find_info(path)
    architecture = options.model or (DEFAULT_MODEL if info is None else info.architecture)
    found = read_embedding_size(architecture, path) if info is None else info.embedding_size
    if options.embedding_size not in (None, found):
        raise ModelError("train.embedding_size", path=str(path), found=found, wanted=options.embedding_size)
    _use_device(options)
    network = restore_network(path, "paddle", architecture=architecture, embedding_size=found)
    network.eval()
    return network, _preprocessing(options, info)


def _preprocessing(options: argparse.Namespace, info: CheckpointInfo | None) -> Preprocessing:
    """Return what the weights carry, changed by the flags."""
    carried = Preprocessing(sizes_wh=(_DEFAULT_SIZE_WH,), fit=COVER) if info is None else info.preprocessing
    if options.image_shape is not None and options.image_shape != carried.sizes_wh[-1]:
        carried = replace(carried, sizes_wh=(options.image_shape,))
    return carried if options.fit is None else replace(carried, fit=options.fit)


def _embedder(network: PaddleNetwork) -> Callable[[FloatArray], FloatArray]:
    import paddle

    def embed(images: FloatArray) -> FloatArray:
        with paddle.no_grad():
            features: FloatArray = network(paddle.to_tensor(images)).numpy()
        return features

    return embed


def _use_device(options: argparse.Namespace) -> None:
    import paddle

    from reid.training.paddle_learner import choose_device

    paddle.device.set_device(choose_device(use_gpu=_has_gpu(options)))
    limit_threads(options.threads)


def _has_gpu(options: argparse.Namespace) -> bool:
    """Return whether a GPU is wanted and there; its absence is told, for the original's default wants one."""
    from reid.training.paddle_learner import choose_device

    if not options.use_gpu:
        return False
    if choose_device() == "gpu":
        return True
    tell_notice(Notice("train.no_gpu", {"runtime": "Paddle"}))
    return False


def _test_images(options: argparse.Namespace) -> tuple[ReIDImage, ...]:
    path = _list_path(options, TEST_LIST)
    return read_list(path, Split.TEST, root=_list_root(options, path))


def _folder_images(folder: Path) -> tuple[ReIDImage, ...]:
    from reid.datasets.listing import pictures_in

    if not folder.is_dir():
        raise DataError("data.folder_missing", dataset="--image_dir", path=str(folder), holds="0001.jpg")
    images = tuple(ReIDImage(path, 0, 0, Split.TEST) for path in pictures_in(folder))
    if not images:
        raise DataError("data.no_images", dataset="--image_dir", path=str(folder), example="0001.jpg")
    return images


def _list_path(options: argparse.Namespace, name: str) -> Path:
    """Return the list that a flag names, or the one that is found in ``--data_dir``."""
    given: Path | None = options.train_list if name == TRAIN_LIST else options.test_list
    candidates = [given] if given is not None else [options.data_dir / name, options.data_dir / _ORIGINAL_LISTS[name]]
    for path in candidates:
        if path.is_file():
            return path
    raise DataError("data.no_lists", path=str(candidates[0]), folder=str(options.data_dir))


def _list_root(options: argparse.Namespace, path: Path) -> Path:
    """Return what a list's paths start from: its own folder, or ``--data_dir`` where it lies elsewhere."""
    return path.parent if path.is_relative_to(options.data_dir) else options.data_dir


def _print_nearest(paths: Sequence[str], features: FloatArray) -> None:
    from reid.distance_blocks import distance_blocks

    if len(paths) < 2:
        return
    for block in distance_blocks(features, features):
        rows = range(block.rows.start, block.rows.stop)
        block.distances[np.arange(len(rows)), rows] = np.inf
        nearest = block.distances.argmin(axis=1)
        for place, row in enumerate(rows):
            other = int(nearest[place])
            print(f"{paths[row]}\t{paths[other]}\t{1 - block.distances[place, other]:.4f}")  # noqa: T201

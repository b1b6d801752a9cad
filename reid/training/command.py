"""``python -m reid train RECIPE``: train a network by one of the recipes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from model.embedding_spec import COVER, STRETCH
from reid.datasets import DATASETS, ReIDDataset, read_dataset
from reid.datasets.crops import CropArrays, CropFiles, CropSet, load_into_memory
from reid.datasets.records import check_cross_camera, check_training_images
from reid.terminal import image_shape, natural, positive, tell_notice
from reid.training.batches import TrainingData
from reid.training.checkpoints import latest_checkpoint
from reid.training.judging import HeldOut
from reid.training.loop import TrainingProgress, TrainingResult
from reid.training.presets import PRESETS, find_preset, with_input_size, with_iterations, with_rate
from reid.training.recipes import Recipe
from reid.training.session import Session, run_recipe

_NPZ_DATASET = "npz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("recipe", choices=tuple(PRESETS), help="what to train; the defaults below are the recipe's")
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, required=True, help="folder of the data set, or a .npz file of crops")
    data.add_argument("--dataset", default="market1501", choices=tuple(DATASETS), help="its layout (%(default)s)")
    data.add_argument("--test_data", type=Path, help="a .npz file of crops to measure on, where --data is one")
    data.add_argument("--in_memory", action="store_true", help="decode all training pictures once, at input size")
    network = parser.add_argument_group("network")
    network.add_argument("--network", help="architecture, e.g. osnet_x0_25")
    network.add_argument("--embedding_size", type=natural, help="width of the last layer; 0: the pooled feature")
    network.add_argument("--image_shape", type=image_shape, help="3,height,width")
    network.add_argument(
        "--fit", choices=(STRETCH, COVER), help="how crops are fitted into the input in use; travels with the weights"
    )
    network.add_argument("--pretrained", type=Path, help="weights to start from")
    network.add_argument("--framework", choices=("torch", "paddle"), default="torch", help="(%(default)s)")
    steps = parser.add_argument_group("steps")
    steps.add_argument("--iterations", type=positive, help="batches to learn from; the schedule moves with it")
    steps.add_argument("--batch_size", type=positive)
    steps.add_argument("--lr", type=float, help="learning rate")
    steps.add_argument("--seed", type=int, default=0)
    steps.add_argument("--evaluate_every", type=natural, help="iterations; 0: at the end")
    steps.add_argument("--save_every", type=natural, help="iterations; 0: at the end")
    run = parser.add_argument_group("run")
    run.add_argument("--save_dir", type=Path, default=Path("output"), help="gets <recipe>/<iteration> (%(default)s)")
    run.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in --save_dir, if any")
    run.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="(%(default)s)")
    run.add_argument("--threads", type=natural, default=0, help="of the network; 0: one for each core")
    run.add_argument("--workers", type=natural, default=1, help="threads that prepare batches (%(default)s)")
    run.add_argument("--tensorboard", action="store_true", help="write TensorBoard's files beside the CSV ones")


def run(options: argparse.Namespace) -> int:
    """Train; return the exit status."""
    recipe = chosen_recipe(options)
    crops, held_out = _read(options, recipe)
    folder = options.save_dir / recipe.name
    with ProgressBar() as bar:
        session = Session(
            framework=options.framework,
            folder=folder,
            origin=f"{recipe.name} on {options.data.name}",
            held_out=held_out,
            pretrained=options.pretrained,
            resume_from=latest_checkpoint(folder) if options.resume else None,
            use_gpu={"auto": None, "cpu": False, "gpu": True}[options.device],
            threads=options.threads,
            workers=options.workers,
            has_tensorboard=options.tensorboard,
            on_progress=bar.show,
            on_notice=tell_notice,
        )
        result = run_recipe(recipe, TrainingData.of(crops), session)
    tell_result(result)
    return 0


def chosen_recipe(options: argparse.Namespace) -> Recipe:
    """Return the recipe with what the user changed.

    Raises
    ------
    ValueError
        when the changes contradict each other.
    """
    recipe = find_preset(options.recipe)
    if options.iterations is not None:
        recipe = with_iterations(recipe, options.iterations)
    if options.image_shape is not None:
        recipe = with_input_size(recipe, options.image_shape)
    if options.lr is not None:
        recipe = with_rate(recipe, options.lr)
    if options.fit is not None:
        recipe = replace(recipe, preprocessing=replace(recipe.preprocessing, fit=options.fit))
    names = ("network", "embedding_size", "batch_size", "seed", "evaluate_every", "save_every")
    given: dict[str, Any] = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return replace(recipe, **given)


def _read(options: argparse.Namespace, recipe: Recipe) -> tuple[CropSet, HeldOut | None]:
    """Return the crops to train on and those to measure on."""
    if options.data.suffix == f".{_NPZ_DATASET}":
        test = None if options.test_data is None else HeldOut(CropArrays.from_npz(options.test_data))
        return CropArrays.from_npz(options.data), test
    dataset = read_dataset(options.dataset, options.data)
    check_training_images(dataset.train, dataset=dataset.name)
    crops: CropSet = CropFiles(dataset.train)
    if options.in_memory:
        crops = load_into_memory(crops, recipe.preprocessing.sizes_wh[0])
    return crops, held_out_of(dataset)


def held_out_of(dataset: ReIDDataset) -> HeldOut | None:
    """Return what a data set has to measure on; None where it is for training alone.

    Raises
    ------
    DataError
        when it cannot be measured across cameras.
    """
    if dataset.query or dataset.gallery:
        check_cross_camera(dataset.query, dataset.gallery, dataset=dataset.name)
        return HeldOut(CropFiles(dataset.query), CropFiles(dataset.gallery))
    return HeldOut(CropFiles(dataset.test)) if dataset.test else None


class ProgressBar:
    """A bar of iterations with the loss; use it as a context manager."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: TrainingProgress) -> None:
        """Move the bar; fits `Run.on_progress`."""
        if self._bar is None:
            self._bar = tqdm(
                total=progress.iterations, initial=progress.iteration - 1, unit=" batches", file=sys.stderr
            )
        self._bar.set_postfix(loss=f"{progress.losses['loss']:.3f}", lr=f"{progress.learning_rate:.2g}", refresh=False)
        self._bar.update(progress.iteration - self._bar.n)


def tell_result(result: TrainingResult) -> None:
    """Print where the weights are and what they measured."""
    for iteration, figures in result.evaluations[-1:]:
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        print(f"After {iteration} iterations: {shown}")  # noqa: T201
    print(f"Wrote {result.checkpoint}")  # noqa: T201

"""The one loop over training batches, of both frameworks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errors import ModelError
from reid.training.batches import Batches
from reid.training.checkpoints import read_training, save_training
from reid.training.journal import Journal
from reid.training.learners import Learner
from reid.training.recipes import Recipe


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training is, after every batch.

    Attributes
    ----------
    iteration : batches done.
    losses : of the last batch; ``loss`` is their weighted sum.
    """

    iteration: int
    iterations: int
    losses: Mapping[str, float]
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a training goes and what happens beside it.

    Attributes
    ----------
    folder : gets the journal and a folder for each checkpoint.
    save_weights : writes the weights into the folder that it is given, after so many iterations.
    evaluate : measures the network as it is; None: nothing is measured.
    resume_from : folder of a checkpoint to go on from; None begins anew.
    on_progress : called after every batch; what it raises ends the training.
    """

    folder: Path
    save_weights: Callable[[Path, int], None]
    evaluate: Callable[[], Mapping[str, float]] | None = None
    resume_from: Path | None = None
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None
    has_tensorboard: bool = False


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes
    ----------
    checkpoint : folder of the last weights.
    losses : of the last batch.
    evaluations : (iteration, what was measured), in order, of this call.
    """

    checkpoint: Path
    losses: Mapping[str, float]
    evaluations: tuple[tuple[int, Mapping[str, float]], ...]


def train(recipe: Recipe, batches: Batches, learner: Learner, run: Run) -> TrainingResult:
    """Train ``learner`` by ``recipe``.

    A training that is taken up again gives the same weights as one that was
    never interrupted, where batches depend on the iteration alone: those of
    `BatchSource` do, and so do the random numbers of a step.

    Raises
    ------
    DataError
        when the network cannot be measured on what it is to be measured on.
    ModelError
        when the checkpoint to go on from does not fit, is complete already, or the loss is no number any more.
    """
    start = _take_up(recipe, learner, run)
    journal = Journal(run.folder, start=start, has_tensorboard=run.has_tensorboard)
    window = _Window()
    evaluations: list[tuple[int, Mapping[str, float]]] = []
    checkpoint = run.folder
    try:
        for iteration, batch in enumerate(batches.stream(start, recipe.iterations), start):
            rate = recipe.schedule.rate_at(iteration)
            losses = learner.learn(batch, rate=rate, seed=_step_seed(recipe.seed, iteration))
            window.add(losses, images=len(batch.labels))
            done = iteration + 1
            if not math.isfinite(losses["loss"]):
                raise ModelError("train.diverged", iteration=done, rate=f"{rate:g}")
            run.on_progress(TrainingProgress(done, recipe.iterations, losses, rate))
            if _is_due(done, recipe.log_every, recipe):
                journal.add_losses(done, {**window.empty(), "learning_rate": rate})
            if run.evaluate is not None and _is_due(done, recipe.evaluate_every, recipe):
                evaluations.append((done, run.evaluate()))
                journal.add_evaluation(*evaluations[-1])
            if _is_due(done, recipe.save_every, recipe):
                checkpoint = save_training(run.folder, done, learner.state(), recipe, run.save_weights)
    finally:
        journal.close()
    return TrainingResult(checkpoint, losses, tuple(evaluations))


def _take_up(recipe: Recipe, learner: Learner, run: Run) -> int:
    """Restore what is to be gone on with; return the iteration to begin at."""
    if run.resume_from is None:
        return 0
    saved = read_training(run.resume_from, recipe)
    if saved.iteration >= recipe.iterations:
        raise ModelError("train.complete", path=str(saved.folder), done=saved.iteration, wanted=recipe.iterations)
    learner.restore(saved.arrays, source=str(saved.folder))
    return saved.iteration


def _is_due(done: int, every: int, recipe: Recipe) -> bool:
    """Return whether something happens after ``done`` batches: every so many (0: never), and at the end."""
    return done == recipe.iterations or (every > 0 and done % every == 0)


class _Window:
    """Losses and speed since the last row of the journal; evaluations and saving count as time."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._losses: list[Mapping[str, float]] = []
        self._images = 0
        self._started_s = time.perf_counter()

    def add(self, losses: Mapping[str, float], *, images: int) -> None:
        self._losses.append(losses)
        self._images += images

    def empty(self) -> dict[str, float]:
        """Return the means and images a second, and begin anew."""
        means = {name: float(np.mean([losses[name] for losses in self._losses])) for name in self._losses[0]}
        means["images_per_s"] = self._images / (time.perf_counter() - self._started_s)
        self._begin()
        return means


def _step_seed(seed: int, iteration: int) -> int:
    return int(np.random.SeedSequence((seed, iteration, 3)).generate_state(1)[0])

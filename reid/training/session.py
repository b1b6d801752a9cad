"""One training from a recipe and data: builds the network and its learner, runs the loop, writes the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model.networks.build import Framework, Network, build_network
from model.networks.checkpoints import save_checkpoint
from model.networks.weights import write_weights
from records import Notice
from reid.training.batches import BatchSource, TrainingData
from reid.training.judging import HeldOut, judge, summary
from reid.training.learners import Learner
from reid.training.loop import Run, TrainingProgress, TrainingResult, train
from reid.training.recipes import Recipe
from reid.training.starting import PADDLE_WEIGHTS_NAME, WEIGHTS_NAME, load_start
from reid.training.threads import limit_threads


@dataclass(frozen=True, kw_only=True)
class Session:
    """How and where a recipe is run.

    Attributes
    ----------
    folder : gets the journal and ``<iteration>/model.safetensors`` (from Paddle ``model.pdparams`` as well).
    origin : where the weights come from, for people; written into them.
    held_out : what is measured now and then; None: nothing.
    pretrained : weights to start from; see `starting.load_start`.
    resume_from : folder of a checkpoint to go on from.
    use_gpu : None takes a GPU where there is one.
    threads : of the network on the CPU; 0: one for each core.
    workers : threads that make batches ahead.
    test_batch_size : pictures measured together.
    on_notice : called with what the user should know.
    """

    framework: Framework
    folder: Path
    origin: str
    held_out: HeldOut | None = None
    pretrained: Path | None = None
    resume_from: Path | None = None
    use_gpu: bool | None = None
    threads: int = 0
    workers: int = 1
    test_batch_size: int = 64
    has_tensorboard: bool = False
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None
    on_notice: Callable[[Notice], None] = lambda notice: None


def run_recipe(recipe: Recipe, data: TrainingData, session: Session) -> TrainingResult:
    """Train a network by a recipe.

    Raises
    ------
    DataError
        when the data cannot fill a batch or cannot be measured on.
    ModelError
        for unknown names, weights that do not fit, a missing GPU, or a loss that is no number any more.
    """
    network = build_network(recipe.network, session.framework, embedding_size=recipe.embedding_size, seed=recipe.seed)
    if session.pretrained is not None:
        for notice in load_start(network, session.pretrained):
            session.on_notice(notice)
    learner = build_learner(network, recipe, data.class_count, session)
    limit_threads(session.threads)

    def save_weights(folder: Path, iteration: int) -> None:
        details = {"recipe": recipe.name, "classes": str(data.class_count), "iterations": str(iteration)}
        save_checkpoint(
            folder / WEIGHTS_NAME, network, preprocessing=recipe.preprocessing, origin=session.origin, details=details
        )
        if session.framework == "paddle":
            write_weights(network, folder / PADDLE_WEIGHTS_NAME)

    def measure(held_out: HeldOut) -> dict[str, float]:
        evaluation = judge(learner.embed, held_out, recipe.preprocessing, batch_size=session.test_batch_size)
        return summary(evaluation)

    held_out = session.held_out
    run = Run(
        folder=session.folder,
        save_weights=save_weights,
        evaluate=None if held_out is None else lambda: measure(held_out),
        resume_from=session.resume_from,
        on_progress=session.on_progress,
        has_tensorboard=session.has_tensorboard,
    )
    return train(recipe, BatchSource(data, recipe, workers=session.workers), learner, run)


def build_learner(network: Network, recipe: Recipe, class_count: int, session: Session) -> Learner:
    """Return the learner of the session's framework.

    Raises
    ------
    ModelError
        when a GPU is wanted and there is none.
    """
    if session.framework == "paddle":
        from model.networks.paddle_network import PaddleNetwork
        from reid.training import paddle_learner

        assert isinstance(network, PaddleNetwork)  # noqa: S101  # built for this framework
        device = paddle_learner.choose_device(use_gpu=session.use_gpu)
        return paddle_learner.PaddleLearner(
            network, recipe, dimension=network.dimension, class_count=class_count, device=device
        )
    from model.networks.torch_network import TorchNetwork
    from reid.training import torch_learner

    assert isinstance(network, TorchNetwork)  # noqa: S101  # built for this framework
    device = torch_learner.choose_device(use_gpu=session.use_gpu)
    return torch_learner.TorchLearner(
        network, recipe, dimension=network.dimension, class_count=class_count, device=device
    )

"""Training a `ReIDModel` on triplets from a ``DataLoader``, by the one loop."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from reid.training.batches import Batch
from reid.training.loop import Run, TrainingProgress, TrainingResult, train
from reid.training.recipes import LossTerm, Optimizer, Recipe, Sampling
from reid.training.schedules import Piecewise
from reid.training.starting import WEIGHTS_NAME
from reid.training.torch_learner import TorchLearner

if TYPE_CHECKING:
    from reid.reid_model import ReIDModel


def train_triplets(
    model: ReIDModel,
    train_loader: Any,
    epochs: int,
    *,
    validation_loader: Any = None,
    projection_dimension: int | None = None,
    freeze_backbone: bool = False,
    learning_rate: float = 5e-5,
    weight_decay: float = 0.0,
    triplet_margin: float = 1.0,
    random_state: int | None = None,
    checkpoint_interval: int | None = None,
    log_dir: str | Path = "logs",
    resume_from: str | Path | None = None,
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None,
) -> TrainingResult:
    """Train the model in place: mean relu(d(a, p) − d(a, n) + margin), by Adam.

    Parameters
    ----------
    train_loader : a ``DataLoader`` over a `reid.triplets.TripletsDataset`: batches of
        anchors, positives and negatives, each (N, 3, H, W) float32.
    validation_loader : another; its loss and the share of its triplets in the
        right order are measured after every epoch.
    projection_dimension : D of the vectors from now on. One of our networks
        gets a new last layer of that size; any other network a linear layer on top.
    freeze_backbone : train the new layer alone.
    checkpoint_interval : epochs between checkpoints; None: at the end alone.
    log_dir : gets the journal, curves and checkpoints.
    resume_from : folder of a checkpoint to go on from; the arguments must be the same.

    Raises
    ------
    TypeError
        for a model that does not run in PyTorch.
    ValueError
        when nothing would be trained: a frozen backbone without a projection, or a loader without batches.
    """
    module = getattr(model.backbone, "module", None)
    if not isinstance(module, nn.Module):
        raise TypeError(f"train wants a network in PyTorch, not {type(module).__name__}")
    batches_per_epoch = len(train_loader)
    if freeze_backbone and projection_dimension is None:
        raise ValueError("with freeze_backbone a projection_dimension is needed; else there is nothing to train")
    if batches_per_epoch < 1 or epochs < 1:
        raise ValueError(f"at least 1 epoch of 1 batch is needed, not {epochs} of {batches_per_epoch}")
    seed = random_state or 0
    if projection_dimension is not None:
        module, added = _project(module, model.dimension, projection_dimension, seed=seed)
        model.replace_backbone(module)
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(not freeze_backbone or name in added)
    recipe = Recipe(
        name="triplets",
        network=type(module).__name__,
        embedding_size=None,
        losses=(LossTerm(name="euclidean_triplet", options={"margin": triplet_margin}),),
        sampling=Sampling.TRIPLETS,
        batch_size=3,
        augmentation=(),
        preprocessing=model.preprocessing,
        optimizer=Optimizer(name="adam", weight_decay=weight_decay),
        schedule=Piecewise(rate=learning_rate),
        iterations=epochs * batches_per_epoch,
        evaluate_every=batches_per_epoch,
        save_every=(checkpoint_interval or 0) * batches_per_epoch,
        log_every=max(1, min(10, batches_per_epoch)),
        seed=seed,
    )
    learner = TorchLearner(module, recipe, dimension=model.dimension, class_count=1, device=model.device)
    run = Run(
        folder=Path(log_dir),
        save_weights=lambda folder, iteration: _save_weights(model, module, folder / WEIGHTS_NAME),
        evaluate=None if validation_loader is None else lambda: _validate(learner, validation_loader, triplet_margin),
        resume_from=None if resume_from is None else Path(resume_from),
        on_progress=on_progress,
    )
    try:
        return train(recipe, LoaderBatches(train_loader, seed=seed), learner, run)
    finally:
        module.eval()


@dataclass(frozen=True, eq=False)
class LoaderBatches:
    """The batches of a ``DataLoader`` of triplets, epoch after epoch.

    The order of each epoch follows from the seed and its number, so that a
    training that goes on from the end of an epoch sees what it would have seen.
    """

    loader: Any
    seed: int

    def stream(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield batches of anchor, positive, negative in turn; see `Batches.stream`."""
        each = len(self.loader)
        iteration = start // each * each
        while iteration < stop:
            epoch = iteration // each
            torch.manual_seed(int(np.random.SeedSequence((self.seed, epoch, 4)).generate_state(1)[0]))
            if hasattr(self.loader.dataset, "set_epoch"):
                self.loader.dataset.set_epoch(epoch)
            for triplets in self.loader:
                if start <= iteration < stop:
                    yield _interleaved(triplets)
                iteration += 1


def _interleaved(triplets: Any) -> Batch:
    anchors, positives, negatives = (np.asarray(part, np.float32) for part in triplets)
    images = np.stack([anchors, positives, negatives], axis=1)
    return Batch(images.reshape(-1, *images.shape[2:]), np.zeros(3 * len(anchors), np.int64))


def _validate(learner: TorchLearner, loader: Any, margin: float) -> dict[str, float]:
    """Return the mean loss, and the share of triplets whose positive is nearer than their negative."""
    losses: list[float] = []
    is_right: list[bool] = []
    for triplets in loader:
        vectors = learner.embed(_interleaved(triplets).images)
        anchors, positives, negatives = vectors[0::3], vectors[1::3], vectors[2::3]
        nearer = np.linalg.norm(anchors - positives, axis=1)
        farther = np.linalg.norm(anchors - negatives, axis=1)
        losses += np.maximum(0, nearer - farther + margin).tolist()
        is_right += (nearer < farther).tolist()
    return {"validation_loss": float(np.mean(losses)), "right_order": float(np.mean(is_right))}


def _project(module: nn.Module, dimension: int, projection_dimension: int, *, seed: int) -> tuple[nn.Module, set[str]]:
    """Return the network with vectors of another length, its backbone as it was, and the names of what is new."""
    from model.networks.build import build_network
    from model.networks.catalogue import define_network
    from model.networks.tensors import shapes
    from model.networks.torch_network import TorchNetwork

    if isinstance(module, TorchNetwork):
        network = build_network(module.architecture, "torch", embedding_size=projection_dimension, seed=seed)
        pooled = shapes(define_network(module.architecture, embedding_size=0))
        kept = {name: values for name, values in module.tensors().items() if name in pooled}
        network.load_tensors({**network.tensors(), **kept})
        return network, {name for name, _ in network.named_parameters() if name not in pooled}
    torch.manual_seed(seed)
    projection = nn.Linear(dimension, projection_dimension)
    chained = nn.Sequential(OrderedDict(backbone=module, flatten=nn.Flatten(), projection=projection))
    return chained, {"projection.weight", "projection.bias"}


def _save_weights(model: ReIDModel, module: nn.Module, path: Path) -> None:
    """Write one of our networks as a checkpoint, anything else as its bare tensors."""
    if hasattr(module, "definition") and not model.transforms:
        model.save(path, origin="ReIDModel.train")
        return
    from model.networks.weight_files import write_arrays

    write_arrays(path, {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()})

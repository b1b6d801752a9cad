"""Train our own embedder on rendered people, from nothing to an ONNX file: ``python -m synth embedder``.

Renders the people first (kept in the folder, and gone on with after a stop), then trains with arcmargin, batch-hard
triplets and the masks, saving every now and then, and exports.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from reid.losses.build import build_loss
from reid.losses.classifying import ArcMargin
from reid.losses.mining import BatchHardTriplet
from synth.embedder.batches import Batch, BatchMaker, BatchPlan
from synth.embedder.export import export_embedder
from synth.embedder.network import DIMENSION, ColourEmbedder, Layout
from synth.embedder.sprites import SpriteStore, StorePlan, open_store, render_store
from synth.embedder.start import start_from_colours

_LOG = logging.getLogger(__name__)

_SAY_EVERY, _SAVE_EVERY = 20, 100
_WARM_UP = 60
_START_BATCHES = 8
_FOREGROUND_WEIGHT = 0.5
_CLIP = 5.0
_CAREFUL = 0.2  # share of the rate for what is a good histogram from the start


@dataclass(frozen=True, kw_only=True)
class TrainPlan:
    """How long and how.

    Attributes
    ----------
    iterations : of a batch each; the rate falls to 0 along a half cosine.
    scale, margin : of arcmargin.
    limit_s : the schedule is cut short so that it ends by then; None: no limit.
    """

    iterations: int = 300
    rate: float = 1e-3
    weight_decay: float = 1e-3
    scale: float = 20.0
    margin: float = 0.15
    triplet: float = 1.0
    layout: Layout = field(default_factory=Layout)
    batches: BatchPlan = field(default_factory=BatchPlan)
    seed: int = 1
    limit_s: float | None = None


class _Batches(IterableDataset[Batch]):
    """Endless batches, put together in a process of their own."""

    def __init__(self, folder: Path, plan: BatchPlan, seed: int) -> None:
        self._folder, self._plan, self._seed = folder, plan, seed

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        maker = BatchMaker(open_store(self._folder), self._plan, self._seed)
        while True:
            yield maker.make()


class Learner:
    """The network with its losses and its optimiser."""

    def __init__(self, plan: TrainPlan, identities: int) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.network: ColourEmbedder = ColourEmbedder(plan.layout).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        margin = ArcMargin(classes=identities, dimension=DIMENSION, scale=plan.scale, margin=plan.margin)
        self.classes: nn.Module = build_loss(margin, seed=plan.seed)
        self.triplets: nn.Module = build_loss(BatchHardTriplet())
        self.parameters = [*self.network.parameters(), *self.classes.parameters()]
        colours = [*self.network.bins.parameters(), *self.network.joint.parameters()]
        careful = {id(parameter) for parameter in colours}
        others = [parameter for parameter in self.parameters if id(parameter) not in careful]
        self.optimiser = torch.optim.AdamW(
            [{"params": others, "factor": 1.0}, {"params": colours, "factor": _CAREFUL, "weight_decay": 0.0}],
            lr=plan.rate,
            weight_decay=plan.weight_decay,
        )
        self.done = 0

    def step(self, batch: Batch, share: float) -> dict[str, float]:
        """Learn from a batch at ``share`` of the schedule; return the losses by name."""
        rate = self.plan.rate * min(1.0, (self.done + 1) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * min(share, 1.0)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        self.network.train()
        crops, masks, labels = tensors(batch)
        embedded, logits = self.network.see(crops)
        losses = {
            "classes": self.classes(embedded, labels),
            "triplets": self.plan.triplet * self.triplets(functional.normalize(embedded), labels),
            "foreground": _FOREGROUND_WEIGHT * functional.binary_cross_entropy_with_logits(logits, masks),
        }
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it so
        nn.utils.clip_grad_norm_(self.parameters, _CLIP)
        self.optimiser.step()
        self.done += 1
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def state(self) -> dict[str, Any]:
        """Return everything that training needs to go on."""
        return {
            "network": self.network.state_dict(),
            "classes": self.classes.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "done": self.done,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.network.load_state_dict(state["network"])
        self.classes.load_state_dict(state["classes"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.done = int(state["done"])


def tensors(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return crops (N, 3, 128, 64) RGB 0 to 1, masks (N, 1, 32, 16) and labels (N,)."""
    crops = torch.from_numpy(batch.images_rgb).permute(0, 3, 1, 2).float() / 255
    crops = crops.contiguous(memory_format=torch.channels_last)
    return crops, torch.from_numpy(batch.masks)[:, None], torch.from_numpy(batch.labels)


def train(store_folder: Path, plan: TrainPlan, out: Path) -> ColourEmbedder:
    """Train on a store, going on from ``out/last.pt`` where there is one; return the network."""
    store = open_store(store_folder)
    learner = Learner(plan, len(store.rgba))
    last = out / "last.pt"
    if last.is_file():
        learner.restore(torch.load(last, weights_only=True))
        _LOG.info("going on from iteration=%d", learner.done)
    else:
        _start(learner, store)
    started_s = time.perf_counter()
    loader = DataLoader(
        _Batches(store_folder, plan.batches, plan.seed + learner.done),
        batch_size=None,
        num_workers=1,
        prefetch_factor=4,
    )
    sums: dict[str, float] = {}
    for batch in loader:
        share = learner.done / plan.iterations
        if plan.limit_s is not None:
            share = max(share, (time.perf_counter() - started_s) / plan.limit_s)
        if share >= 1:
            break
        losses = learner.step(batch, share)
        sums = {name: sums.get(name, 0.0) + loss / _SAY_EVERY for name, loss in losses.items()}
        if learner.done % _SAY_EVERY == 0:
            told = " ".join(f"{name}={value:.3f}" for name, value in sums.items())
            _LOG.info("iteration=%d %s seconds=%.0f", learner.done, told, time.perf_counter() - started_s)
            sums = {}
        if learner.done % _SAVE_EVERY == 0:
            _save(learner, last)
    _save(learner, last)
    return learner.network


def _start(learner: Learner, store: SpriteStore) -> None:
    """Begin from a histogram."""
    maker = BatchMaker(store, learner.plan.batches, learner.plan.seed + 1000)
    parts = [tensors(maker.make()) for _ in range(_START_BATCHES)]
    crops, masks = (torch.cat([part[place] for part in parts]) for place in (0, 1))
    start_from_colours(learner.network, crops, masks, torch.Generator().manual_seed(learner.plan.seed))


def _save(learner: Learner, path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(learner.state(), partial)
    partial.replace(path)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of ``python -m synth embedder``."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for sprites, checkpoints and weights")
    parser.add_argument("--identities", type=int, default=StorePlan.identities, metavar="N", help="how many people")
    parser.add_argument("--iterations", type=int, default=TrainPlan.iterations, metavar="N")
    parser.add_argument("--limit_s", type=float, metavar="SECONDS", help="end training by then")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the network (1)")
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> None:
    """Render, train, export."""
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    store_folder = options.out / "sprites"
    render_store(store_folder, StorePlan(identities=options.identities, seed=options.seed))
    plan = TrainPlan(iterations=options.iterations, seed=options.seed, limit_s=options.limit_s)
    network = train(store_folder, plan, options.out)
    path = options.out / "embedder.onnx"
    loss = export_embedder(network, path, seed=options.seed)
    _LOG.info("wrote=%s bytes=%d least_cosine_after_rounding=%.6f", path, path.stat().st_size, loss)

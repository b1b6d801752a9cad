"""Train the detector on rendered pictures that are put together while it learns."""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from synth.banks import BackdropBank, SpriteBank, build_banks, load_banks
from synth.detector.assignment import Truth
from synth.detector.losses import detection_loss
from synth.detector.network import Network, cells
from synth.pictures import Picture, PictureMaker

log = logging.getLogger(__name__)

_SAVE_EVERY, _SAY_EVERY = 100, 20
_WARM_UP = 0.04
_LAST_RATE = 0.02
_EMA = 0.998
_CLIP = 10.0
_SIDES = ((0.65, 288), (0.88, 352), (1.0, 416))
"""Up to which share of the training pictures of which side are seen: small ones first."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long and how.

    Attributes
    ----------
    steps : of one batch each.
    limit_s : the schedule is cut short so that it ends by then; None: no limit.
    workers : processes that put pictures together; threads : of the network.
    """

    steps: int = 6000
    batch: int = 16
    rate: float = 3e-3
    weight_decay: float = 0.02
    seed: int = 1
    workers: int = 1
    threads: int = 1
    limit_s: float | None = None


class _Pictures(IterableDataset[Picture]):
    """Endless pictures of one size, another stream in every process."""

    def __init__(self, sprites: SpriteBank, backdrops: BackdropBank, *, side: int, seed: int) -> None:
        self._maker = PictureMaker(sprites, backdrops, side=side)
        self._seed = seed

    def __iter__(self) -> Iterator[Picture]:
        import cv2

        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            yield self._maker.make(rng)


def _batched(pictures: Sequence[Picture]) -> tuple[Tensor, Truth]:
    most = max(1, *(len(picture.boxes_xyxy) for picture in pictures))
    boxes = torch.zeros(len(pictures), most, 4)
    classes = torch.zeros(len(pictures), most, dtype=torch.int64)
    is_real, is_ignored = (torch.zeros(len(pictures), most, dtype=torch.bool) for _ in range(2))
    for row, picture in enumerate(pictures):
        count = len(picture.boxes_xyxy)
        boxes[row, :count] = torch.from_numpy(picture.boxes_xyxy)
        classes[row, :count] = torch.from_numpy(picture.class_ids)
        is_real[row, :count] = True
        is_ignored[row, :count] = torch.from_numpy(picture.is_ignored)
    images = torch.stack([torch.from_numpy(picture.image_rgb) for picture in pictures]).permute(0, 3, 1, 2)
    return images, Truth(boxes, classes, is_real, is_ignored)


def train(folder: Path, out: Path, recipe: Recipe) -> None:
    """Train on the banks in ``folder``; the averaged weights and the log of figures go to ``out``.

    A run that was stopped goes on from the last state in ``out``.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    sprites, backdrops = load_banks(folder)
    network = Network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(_groups(network, recipe.weight_decay), lr=recipe.rate, betas=(0.9, 0.98))
    state_file, began, step, spent = out / "state.pt", time.monotonic(), 0, 0.0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["seconds"]
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2), "utf-8")
    side, batches = 0, iter(())  # type: tuple[int, Iterator[tuple[Tensor, Truth]]]
    parts: list[tuple[float, float]] = []
    while True:
        seconds = spent + time.monotonic() - began
        progress = step / recipe.steps
        if recipe.limit_s is not None:
            progress = max(progress, seconds / recipe.limit_s)
        if progress >= 1:
            break
        wanted = next(value for until, value in _SIDES if progress < until)
        if wanted != side:
            side = wanted
            dataset = _Pictures(sprites, backdrops, side=side, seed=recipe.seed * 1000 + step)
            loader = DataLoader(
                dataset,
                recipe.batch,
                collate_fn=_batched,
                num_workers=recipe.workers,
                prefetch_factor=4 if recipe.workers else None,
            )
            batches = iter(loader)
            middles, strides = cells(side, side)
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * _rate_at(progress)
        images, truth = next(batches)
        pictures = images.float().div_(255).contiguous(memory_format=torch.channels_last)
        loss = detection_loss(network(pictures), middles, strides, truth)
        optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]  # torch annotates it in part
        nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
        optimizer.step()
        step += 1
        _follow(average, network, min(_EMA, (1 + step) / (10 + step)))
        parts.append((loss.score, loss.box))
        if step % _SAY_EVERY == 0:
            score, box = np.mean(parts[-_SAY_EVERY:], axis=0)
            log.info(
                "step=%d side=%d score=%.3f box=%.3f seconds=%.0f progress=%.3f",
                step,
                side,
                score,
                box,
                seconds,
                progress,
            )
        if step % _SAVE_EVERY == 0:
            _save(state_file, network, average, optimizer, step, seconds)
    _save(state_file, network, average, optimizer, step, spent + time.monotonic() - began)
    torch.save(average.state_dict(), out / "detector.pt")


def _groups(network: Network, weight_decay: float) -> list[dict[str, object]]:
    """Return the parameters, those of normalisation and biases without decay."""
    weights = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim <= 1]
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _rate_at(progress: float) -> float:
    """Return the factor on the learning rate: a short rise, then a cosine."""
    if progress < _WARM_UP:
        return 0.05 + 0.95 * progress / _WARM_UP
    along = (progress - _WARM_UP) / (1 - _WARM_UP)
    return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * along))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _save(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, step: int, seconds: float
) -> None:
    state = {
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m synth.detector.train", description=__doc__)
    parser.add_argument("--bank", type=Path, required=True, help="folder of rendered sprites and places; made if empty")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights; a stopped run goes on there")
    parser.add_argument("--people", type=int, default=3000, help="poses in a new bank")
    parser.add_argument("--vehicles", type=int, default=600, help="vehicles in a new bank")
    parser.add_argument("--backdrops", type=int, default=700, help="places in a new bank")
    for name, kind in (
        ("steps", int),
        ("batch", int),
        ("rate", float),
        ("seed", int),
        ("workers", int),
        ("threads", int),
    ):
        parser.add_argument(f"--{name}", type=kind, default=getattr(Recipe, name))
    parser.add_argument("--limit-s", type=float, default=None, help="end the schedule by then")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not options.bank.is_dir():
        counts = {"people": options.people, "vehicles": options.vehicles, "backdrops": options.backdrops}
        build_banks(options.bank, **counts, seed=options.seed, jobs=options.workers + options.threads)
    names = ("steps", "batch", "rate", "seed", "workers", "threads", "limit_s")
    train(options.bank, options.out, Recipe(**{name: getattr(options, name) for name in names}))


if __name__ == "__main__":
    main()

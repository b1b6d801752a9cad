"""The flags of PaddlePaddle's metric learning (models, release 1.8, PaddleCV/metric_learning), and a few of our own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model.embedding_spec import COVER, STRETCH
from reid.terminal import add_switch, image_shape, natural, positive
from reid.training.presets import ELEM, PAIR, with_input_size
from reid.training.recipes import LossTerm, Recipe, Sampling
from reid.training.schedules import Cosine, Piecewise, Schedule

ELEM_LOSSES = ("softmax", "arcmargin")
PAIR_LOSSES = ("triplet", "quadruplet", "eml", "npairs")

DEFAULT_MODEL = "ResNet101_vd"

_PIECEWISE, _COSINE = "piecewise_decay", "cosine_decay"


def add_training_flags(parser: argparse.ArgumentParser, base: Recipe, losses: Sequence[str]) -> None:
    """Add what ``train_elem`` and ``train_pair`` share, with the defaults of ``base``."""
    add = parser.add_argument
    add_network_flags(parser, default_model=DEFAULT_MODEL)
    add("--train_batch_size", type=positive, default=base.batch_size, help="(%(default)s)")
    add("--test_batch_size", type=positive, default=50, help="(%(default)s)")
    add("--class_dim", type=positive, help="number of classes; read from the list by default, and must agree with it")
    add("--lr", type=float, default=base.schedule.rate_at(0), help="learning rate (%(default)s)")
    add("--lr_strategy", choices=(_PIECEWISE, _COSINE), default=_PIECEWISE, help="(%(default)s)")
    steps = base.schedule.steps if isinstance(base.schedule, Piecewise) else ()
    add("--lr_steps", type=_numbers, default=steps, help="iterations at which the rate falls to a tenth, as 5000,7000")
    add("--total_iter_num", type=positive, default=base.iterations, help="iterations (%(default)s)")
    add("--display_iter_step", type=positive, default=base.log_every, help="(%(default)s)")
    add("--test_iter_step", type=positive, default=base.evaluate_every, help="(%(default)s)")
    add("--save_iter_step", type=positive, default=base.save_every, help="(%(default)s)")
    add("--checkpoint", type=Path, help="folder <iteration> of a training to go on with")
    add("--model_save_dir", type=Path, default=Path("output"), help="gets <model>/<iteration> (%(default)s)")
    add("--loss_name", choices=losses, default=losses[0], help="(%(default)s)")
    add("--seed", type=int, default=0, help="(%(default)s)")
    add("--tensorboard", action="store_true", help="write TensorBoard's files beside the CSV ones")
    add_switch(parser, "--enable_ce", default=False, help_text="accepted for the sake of older scripts, without effect")


def add_elem_flags(parser: argparse.ArgumentParser) -> None:
    """Add what ``train_elem`` takes."""
    add_training_flags(parser, ELEM, ELEM_LOSSES)
    parser.add_argument("--arc_scale", type=float, default=80.0, help="of arcmargin (%(default)s)")
    parser.add_argument("--arc_margin", type=float, default=0.15, help="of arcmargin (%(default)s)")
    add_switch(parser, "--arc_easy_margin", default=False, help_text="of arcmargin")


def add_pair_flags(parser: argparse.ArgumentParser) -> None:
    """Add what ``train_pair`` takes."""
    add_training_flags(parser, PAIR, PAIR_LOSSES)
    add = parser.add_argument
    add("--samples_each_class", type=positive, default=2, help="pictures of a class in a batch (%(default)s)")
    add("--margin", type=float, default=0.1, help="of triplet and quadruplet (%(default)s)")
    add("--npairs_reg_lambda", type=float, default=0.01, help="(%(default)s)")


def add_network_flags(parser: argparse.ArgumentParser, *, default_model: str | None = None) -> None:
    """Add what all of the commands share: network, its input, its weights, the data.

    Parameters
    ----------
    default_model : None leaves the architecture to the weights.
    """
    add = parser.add_argument
    shown = default_model or f"as the weights have it, else {DEFAULT_MODEL}"
    add("--model", default=default_model, help=f"architecture ({shown})")
    add(
        "--embedding_size",
        type=natural,
        help="width of the last layer; 0: the pooled feature (as the weights have it)",
    )
    add("--image_shape", type=image_shape, help="3,height,width (as the weights have it, else 3,224,224)")
    add(
        "--fit",
        choices=(COVER, STRETCH),
        help="how pictures are fitted into the input for tests and later use: cover cuts the middle out as Paddle "
        "does, stretch keeps head and feet (as the weights have it, else cover)",
    )
    add_switch(parser, "--use_gpu", default=True, help_text="use a GPU where there is one")
    add("--pretrained_model", type=Path, help="weights: a folder <iteration>, .pdparams, .safetensors")
    add("--data_dir", type=Path, default=Path("data"), help="folder of the lists and what their paths start from")
    add("--train_list", type=Path, help="(train_list.txt in --data_dir)")
    add("--test_list", type=Path, help="(test_list.txt in --data_dir)")
    add("--threads", type=natural, default=0, help="of the network on the CPU; 0: one for each core")


def elem_recipe(options: argparse.Namespace) -> Recipe:
    """Return the recipe that the flags of ``train_elem`` describe."""
    chosen: dict[str, float | bool] = {}
    if options.loss_name == "arcmargin":
        chosen = {"scale": options.arc_scale, "margin": options.arc_margin, "is_easy": options.arc_easy_margin}
    return _recipe(
        replace(ELEM, batch_size=options.train_batch_size), options, LossTerm(name=options.loss_name, options=chosen)
    )


def pair_recipe(options: argparse.Namespace) -> Recipe:
    """Return the recipe that the flags of ``train_pair`` describe.

    Raises
    ------
    ValueError
        for a batch that the samples of a class do not divide, and for n-pairs
        with another number of them than 2.
    """
    each = options.samples_each_class
    if options.loss_name == "npairs" and each != 2:
        raise ValueError(f"the loss npairs takes --samples_each_class 2, not {each}")
    if options.loss_name == "triplet":
        # The loss takes explicit triplets; a batch holds as many as fit.
        size = max(3, options.train_batch_size // 3 * 3)
        changed = replace(PAIR, sampling=Sampling.TRIPLETS, images_per_identity=1, batch_size=size)
    else:
        if options.train_batch_size % each:
            raise ValueError(
                f"--train_batch_size {options.train_batch_size} is no multiple of --samples_each_class {each}"
            )
        changed = replace(PAIR, images_per_identity=each, batch_size=options.train_batch_size)
    values: dict[str, dict[str, float | bool]] = {
        "triplet": {"margin": options.margin},
        "quadruplet": {"margin": options.margin},
        "npairs": {"reg_lambda": options.npairs_reg_lambda},
        "eml": {},
    }
    return _recipe(changed, options, LossTerm(name=options.loss_name, options=values[options.loss_name]))


def _recipe(base: Recipe, options: argparse.Namespace, loss: LossTerm) -> Recipe:
    schedule: Schedule = Piecewise(rate=options.lr, steps=options.lr_steps)
    if options.lr_strategy == _COSINE:
        schedule = Cosine(rate=options.lr, total=options.total_iter_num, floor=0.0)
    size_wh = options.image_shape or base.preprocessing.sizes_wh[-1]
    recipe = with_input_size(base, size_wh)
    return replace(
        recipe,
        network=options.model,
        embedding_size=options.embedding_size or 0,
        losses=(loss,),
        preprocessing=replace(recipe.preprocessing, fit=options.fit or recipe.preprocessing.fit),
        schedule=schedule,
        iterations=options.total_iter_num,
        evaluate_every=options.test_iter_step,
        save_every=options.save_iter_step,
        log_every=options.display_iter_step,
        seed=options.seed,
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())

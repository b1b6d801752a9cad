from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from model.network_input import prepare_crops
from model.networks.build import FRAMEWORKS, Framework
from model.networks.checkpoints import load_checkpoint, save_checkpoint
from reid.training.batches import Batch, BatchSource
from reid.training.checkpoints import latest_checkpoint
from reid.training.journal import read_rows
from reid.training.judging import judge, summary
from reid.training.loop import Run, TrainingProgress, TrainingResult, train
from reid.training.recipes import Recipe
from tests.reid.training.small_recipe import SMALL, UNSEEN, build, held_out, training_data


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    from reid.training.threads import limit_threads

    limit_threads(1)


def no_weights(folder: Path, iteration: int) -> None:
    """Write nothing."""


def run_small(
    framework: Framework, folder: Path, recipe: Recipe, *, resume_from: Path | None = None
) -> tuple[TrainingResult, dict[str, np.ndarray]]:
    _, learner = build(framework, recipe)
    run = Run(folder=folder, save_weights=no_weights, resume_from=resume_from)
    result = train(recipe, BatchSource(training_data(), recipe), learner, run)
    return result, learner.state()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_training_learns_figures_that_it_has_never_seen(framework: Framework, tmp_path: Path) -> None:
    network, learner = build(framework)
    test = held_out()

    def save(folder: Path, iteration: int) -> None:
        save_checkpoint(folder / "model.safetensors", network, preprocessing=SMALL.preprocessing, origin="a test")

    seen: list[TrainingProgress] = []
    run = Run(
        folder=tmp_path,
        save_weights=save,
        evaluate=lambda: summary(judge(learner.embed, test, SMALL.preprocessing)),
        on_progress=seen.append,
    )
    before = summary(judge(learner.embed, test, SMALL.preprocessing))
    result = train(SMALL, BatchSource(training_data(), SMALL), learner, run)

    losses = [row["loss"] for row in read_rows(tmp_path / "losses.csv")]
    assert losses[-1] < 0.5 * losses[0]
    ((iteration, after),) = result.evaluations
    chance = 1 / len(UNSEEN)
    assert iteration == 25
    assert after["rank_1"] > chance + 0.8
    assert after["mAP"] > before["mAP"] + 0.3
    assert [progress.iteration for progress in seen] == list(range(1, 26))
    assert (tmp_path / "curves.png").stat().st_size > 5000

    reloaded, info = load_checkpoint(result.checkpoint / "model.safetensors", framework)
    reloaded.eval()
    crops = prepare_crops([test.query.load(row) for row in range(4)], info.preprocessing)
    expected = learner.embed(crops)
    got = build(framework)[1]
    got.network.load_tensors(reloaded.tensors())  # type: ignore[attr-defined]
    np.testing.assert_allclose(got.embed(crops), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_resumed_training_equals_an_uninterrupted_one(framework: Framework, tmp_path: Path) -> None:
    short = replace(SMALL, iterations=6, save_every=3)
    _, uninterrupted = run_small(framework, tmp_path / "whole", short)
    run_small(framework, tmp_path / "broken", replace(short, iterations=4))
    halfway = latest_checkpoint(tmp_path / "broken")
    assert halfway is not None
    assert halfway.name == "4"
    _, resumed = run_small(framework, tmp_path / "broken", short, resume_from=halfway)
    assert resumed.keys() == uninterrupted.keys()
    assert any(name.startswith("optimizer.network.") for name in resumed)
    for name, values in uninterrupted.items():
        np.testing.assert_array_equal(resumed[name], values, err_msg=name)


def test_two_runs_of_one_seed_are_the_same_and_of_another_differ(tmp_path: Path) -> None:
    short = replace(SMALL, iterations=2)
    first, second = (run_small("torch", tmp_path / name, short)[1] for name in "ab")
    other = run_small("torch", tmp_path / "c", replace(short, seed=1))[1]
    assert all((first[name] == second[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


def test_both_frameworks_take_the_same_first_step(tmp_path: Path) -> None:
    batch = BatchSource(training_data(), SMALL).batch(0)
    losses = {}
    for framework in FRAMEWORKS:
        network, learner = build(framework)
        values = learner.learn(batch, rate=1e-3, seed=0)
        losses[framework] = (values, network.tensors())
    assert losses["torch"][0] == pytest.approx(losses["paddle"][0], rel=1e-5)
    for name, tensor in losses["torch"][1].items():
        if "running_var" not in name:  # Paddle keeps the biased variance of a batch, PyTorch the unbiased one
            np.testing.assert_allclose(losses["paddle"][1][name], tensor, rtol=1e-3, atol=3e-4, err_msg=name)


def test_only_the_newest_checkpoint_keeps_what_is_needed_to_go_on(tmp_path: Path) -> None:
    run_small("torch", tmp_path, replace(SMALL, iterations=5, save_every=2))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["2", "4", "5"]
    assert [path.parent.name for path in tmp_path.glob("*/training.safetensors")] == ["5"]


def test_the_journal_forgets_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    short = replace(SMALL, iterations=4, log_every=1)
    result, _ = run_small("torch", tmp_path, short)
    rows = read_rows(tmp_path / "losses.csv")
    run_small("torch", tmp_path, replace(short, iterations=6), resume_from=result.checkpoint)
    again = read_rows(tmp_path / "losses.csv")
    assert [row["iteration"] for row in again] == [1, 2, 3, 4, 5, 6]
    assert [row["loss"] for row in again[:4]] == [row["loss"] for row in rows]
    run_small("torch", tmp_path, replace(short, iterations=1))
    assert [row["iteration"] for row in read_rows(tmp_path / "losses.csv")] == [1]


def test_going_on_by_another_recipe_is_refused_with_what_differs(tmp_path: Path) -> None:
    short = replace(SMALL, iterations=2)
    result, _ = run_small("torch", tmp_path, short)
    with pytest.raises(ModelError, match="batch_size was 32 and is now 16"):
        run_small("torch", tmp_path, replace(short, iterations=3, batch_size=16), resume_from=result.checkpoint)
    with pytest.raises(ModelError, match="has 2 iterations already, and 2 are wanted"):
        run_small("torch", tmp_path, short, resume_from=result.checkpoint)
    with pytest.raises(ModelError, match="No weights for a training to go on with"):
        run_small("torch", tmp_path, short, resume_from=tmp_path / "nowhere")
    (result.checkpoint / "training.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match="cannot be used"):
        run_small("torch", tmp_path, replace(short, iterations=3), resume_from=result.checkpoint)


def test_a_state_of_another_size_names_the_tensors() -> None:
    _, learner = build("torch")
    state = learner.state()
    (name,) = (name for name in state if name.startswith("losses."))
    state[name] = np.zeros((3, 32), np.float32)
    with pytest.raises(ModelError, match=rf"{name} has shape \(3, 32\) instead of \(24, 32\)"):
        learner.restore(state, source="here")


class Poisoned:
    """Batches whose third one has no numbers."""

    def __init__(self) -> None:
        self._source = BatchSource(training_data(), SMALL, workers=0)

    def stream(self, start: int, stop: int) -> Iterator[Batch]:
        for iteration in range(start, stop):
            batch = self._source.batch(iteration)
            yield batch if iteration != 2 else Batch(np.full_like(batch.images, np.nan), batch.labels)


def test_a_loss_that_is_no_number_stops_the_training(tmp_path: Path) -> None:
    _, learner = build("torch")
    recipe = replace(SMALL, log_every=1)
    with pytest.raises(ModelError, match=r"no number any more at iteration 3\. Take a learning rate below 0\.002"):
        train(recipe, Poisoned(), learner, Run(folder=tmp_path, save_weights=no_weights))
    assert [row["iteration"] for row in read_rows(tmp_path / "losses.csv")] == [1, 2]
    assert latest_checkpoint(tmp_path) is None


def test_what_watches_the_progress_can_end_the_training(tmp_path: Path) -> None:
    _, learner = build("torch")

    def stop(progress: TrainingProgress) -> None:
        if progress.iteration == 2:
            raise KeyboardInterrupt

    run = Run(folder=tmp_path, save_weights=no_weights, on_progress=stop)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, BatchSource(training_data(), SMALL, workers=2), learner, run)
    assert latest_checkpoint(tmp_path) is None


def test_tensorboard_writes_its_files_or_says_how_to_get_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    _, learner = build("torch")
    recipe = replace(SMALL, iterations=1)
    run = Run(folder=tmp_path, save_weights=no_weights, has_tensorboard=True)
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(ModelError, match="pip install tensorboard"):
            train(recipe, BatchSource(training_data(), recipe), learner, run)
    else:
        train(recipe, BatchSource(training_data(), recipe), learner, run)
        assert list(tmp_path.glob("events.out.tfevents*"))

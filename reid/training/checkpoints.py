"""Where a training is kept on the disk, and how it is taken up again.

``<run>/<iteration>/`` holds the weights (written by the caller) and, in the
newest one alone, ``training.safetensors`` with all that is needed to go on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from errors import ModelError
from reid.training.recipes import Recipe, recipe_as_json

STATE_NAME = "training.safetensors"

_MAY_DIFFER = frozenset({"iterations", "evaluate_every", "save_every", "log_every", "name"})


@dataclass(frozen=True, eq=False)
class SavedTraining:
    """A training as it was after ``iteration`` batches."""

    folder: Path
    iteration: int
    arrays: dict[str, NDArray[Any]]


def save_training(
    run: Path,
    iteration: int,
    arrays: dict[str, NDArray[Any]],
    recipe: Recipe,
    save_weights: Callable[[Path, int], None],
) -> Path:
    """Write ``run/<iteration>/``, whole or not at all, and drop the state of earlier ones.

    Parameters
    ----------
    save_weights : writes the weights into the folder that it is given, with the iteration.

    Returns
    -------
    the folder.
    """
    from safetensors.numpy import save_file

    folder, partial = run / str(iteration), run / f".{iteration}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_weights(partial, iteration)
    metadata = {"iteration": str(iteration), "recipe": json.dumps(recipe_as_json(recipe))}
    save_file(arrays, str(partial / STATE_NAME), metadata=metadata)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    for earlier in run.glob(f"*/{STATE_NAME}"):
        if earlier.parent != folder:
            earlier.unlink()
    return folder


def latest_checkpoint(run: Path) -> Path | None:
    """Return the folder of the highest iteration that can be taken up again; None where there is none."""
    folders = [path.parent for path in run.glob(f"*/{STATE_NAME}") if path.parent.name.isdecimal()]
    return max(folders, key=lambda folder: int(folder.name), default=None)


def read_training(folder: Path, recipe: Recipe) -> SavedTraining:
    """Return a training that goes on by ``recipe``.

    Raises
    ------
    ModelError
        when there is none in the folder, it cannot be read, or it followed
        another recipe; only lengths and intervals may differ.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / STATE_NAME
    if not path.is_file():
        raise ModelError("model.weights_missing", model="a training to go on with", path=str(path))
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        iteration, saved = int(metadata["iteration"]), json.loads(metadata["recipe"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise ModelError("model.export_unreadable", path=str(path), detail=detail) from error
    wanted = json.loads(json.dumps(recipe_as_json(recipe)))
    changed = sorted(key for key in wanted.keys() | saved.keys() if saved.get(key) != wanted.get(key))
    faults = [f"{key} was {saved.get(key)} and is now {wanted.get(key)}" for key in changed if key not in _MAY_DIFFER]
    if faults:
        raise ModelError("model.weights_mismatch", path=str(path), model="this training", detail="; ".join(faults[:3]))
    return SavedTraining(folder, iteration, arrays)

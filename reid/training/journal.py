"""What a training writes down: CSV files, a picture of its curves and, where wanted, TensorBoard's files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from errors import ModelError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOSSES_NAME, EVALUATIONS_NAME, CURVES_NAME = "losses.csv", "evaluations.csv", "curves.png"


class Journal:
    """The two tables of a run; rows after ``start`` (of a run that was broken off) are dropped.

    Parameters
    ----------
    run : folder; made where it is missing.
    start : iteration that training goes on from; 0 begins anew.
    has_tensorboard : write TensorBoard's event files as well.

    Raises
    ------
    ModelError
        when TensorBoard is wanted and not installed.
    """

    def __init__(self, run: Path, *, start: int = 0, has_tensorboard: bool = False) -> None:
        run.mkdir(parents=True, exist_ok=True)
        self._run = run
        self._rows = {name: _read_until(run / name, start) for name in (LOSSES_NAME, EVALUATIONS_NAME)}
        self._board = _open_tensorboard(run) if has_tensorboard else None

    def add_losses(self, iteration: int, values: Mapping[str, float]) -> None:
        """Add means since the last row."""
        self._add(LOSSES_NAME, iteration, values)

    def add_evaluation(self, iteration: int, values: Mapping[str, float]) -> None:
        """Add what an evaluation measured."""
        self._add(EVALUATIONS_NAME, iteration, values)

    def close(self) -> None:
        """Draw the curves."""
        if self._board is not None:
            self._board.close()
        if self._rows[LOSSES_NAME]:
            _draw_curves(self._rows[LOSSES_NAME], self._rows[EVALUATIONS_NAME], self._run / CURVES_NAME)

    def _add(self, name: str, iteration: int, values: Mapping[str, float]) -> None:
        row = {"iteration": float(iteration), **values}
        self._rows[name].append(row)
        _write(self._run / name, self._rows[name])
        if self._board is not None:
            for key, value in values.items():
                self._board.add_scalar(f"{Path(name).stem}/{key}", value, iteration)


def read_rows(path: Path) -> list[dict[str, float]]:
    """Return the rows of one of the tables; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def _read_until(path: Path, start: int) -> list[dict[str, float]]:
    return [row for row in read_rows(path) if row["iteration"] <= start] if start else []


def _write(path: Path, rows: list[dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows:
            writer.writerow([f"{row[name]:.7g}" if name in row else "" for name in names])


def _open_tensorboard(run: Path) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ModelError("train.tensorboard_missing") from error
    return SummaryWriter(str(run))


def _draw_curves(losses: list[dict[str, float]], evaluations: list[dict[str, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    panels = [(losses, [name for name in losses[-1] if name not in ("iteration", "learning_rate", "images_per_s")])]
    panels.append((losses, ["learning_rate"]))
    if evaluations:
        panels.append((evaluations, [name for name in evaluations[-1] if name != "iteration"]))
    figure = Figure(figsize=(4.5 * len(panels), 3.5), layout="constrained")
    for place, (rows, names) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), place)
        for name in names:
            points = [(row["iteration"], row[name]) for row in rows if name in row]
            axes.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 30 else "")
        axes.set_xlabel("iteration")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)

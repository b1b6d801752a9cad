"""What a training writes down: CSV files, a picture of its curves and, where wanted, TensorBoard's files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import cycle
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
    """Draw losses, learning rate and, where there are any, evaluations over the iterations."""
    from matplotlib.figure import Figure

    from reid.plots.style import LIGHT, drawing, png_of

    terms = [name for name in losses[-1] if name not in ("iteration", "loss", "learning_rate", "images_per_s")]
    panels = [
        ("loss", losses, ["loss", *terms] if len(terms) > 1 else ["loss"]),
        ("learning rate", losses, ["learning_rate"]),
    ]
    if evaluations:
        panels.append(("on held-out pictures", evaluations, [name for name in evaluations[-1] if name != "iteration"]))
    with drawing(LIGHT):
        figure = Figure(figsize=(4.5 * len(panels), 3.4), layout="constrained")
        for place, (title, rows, names) in enumerate(panels, start=1):
            axes = figure.add_subplot(1, len(panels), place)
            for name, colour in zip(names, cycle(LIGHT.series)):  # colours come again
                points = [(row["iteration"], row[name]) for row in rows if name in row]
                axes.plot(*zip(*points, strict=True), color=colour, label=name, marker="." if len(points) < 30 else "")
            axes.set(title=title, xlabel="iteration")
            axes.set_ylim(bottom=0, top=1 if rows is evaluations and _are_shares(rows, names) else None)
            if len(names) > 1:
                axes.legend()
        path.write_bytes(png_of(figure))


def _are_shares(rows: list[dict[str, float]], names: list[str]) -> bool:
    return all(0 <= row[name] <= 1 for row in rows for name in names if name in row)

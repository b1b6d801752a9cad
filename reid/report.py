"""One HTML file that shows a judgement: figures in tables, pictures inside it, light and dark, without a network."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reid.judgement import Judgement
from reid.metrics import Evaluation
from reid.plots import DARK, LIGHT, Theme
from reid.plots.style import jpeg_of, svg_of
from reid.report_figures import FALSE_MATCH_RATES, ReportFigure, choose_figures
from reid.verification import Verification

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT_NAME = "report.html"

_FOLDER = Path(__file__).parent
_TEMPLATE = "report_page.html"
_RULES = {
    "market1501": "Market-1501: pictures of the same identity by the same camera are left out",
    "cuhk03_classic": "CUHK03 classic: one random gallery picture of each identity, averaged over draws",
    "vehicleid": "VehicleID: one random picture of each identity is the gallery, averaged over draws",
    "leave_one_out": "leave-one-out: every picture against all others, whatever their camera",
}


@dataclass(frozen=True)
class _Picture:
    heading: str
    text: str
    light: str
    dark: str
    is_wide: bool


def write_report(judgement: Judgement, folder: Path) -> Path:
    """Write ``report.html`` into ``folder`` and return its path.

    Raises
    ------
    DataError
        when a picture of the data set cannot be read any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, draft = folder / REPORT_NAME, folder / f".{REPORT_NAME}.draft"
    draft.write_text(render_report(judgement), "utf-8")
    draft.replace(path)
    return path


def render_report(judgement: Judgement) -> str:
    """Return the report as HTML that needs nothing but itself."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    embedded = judgement.embedded
    evaluations = [("as embedded", judgement.evaluation)]
    if judgement.reranked is not None:
        evaluations.append(("re-ranked", judgement.reranked))
    return environment.get_template(_TEMPLATE).render(
        title=f"{embedded.model} on {embedded.dataset}",
        embedded=embedded,
        rule=_RULES[embedded.protocol.value],
        dimension=embedded.query.labelled.features.shape[1],
        evaluation=judgement.evaluation,
        columns=[name for name, _ in evaluations],
        rows=_rows([evaluation for _, evaluation in evaluations]),
        verification=judgement.verification,
        fault=str(judgement.verification_fault or ""),
        thresholds=_thresholds(judgement.verification),
        pictures=[_picture(figure) for figure in choose_figures(judgement)],
        light=LIGHT,
        dark=DARK,
    )


def _rows(evaluations: list[Evaluation]) -> list[tuple[str, list[str]]]:
    """Return the name of each figure and its values, one for each evaluation."""
    rows = [(f"Rank-{k}", [_percent(one.rank(k)) for one in evaluations]) for k in (1, 5, 10, 20)]
    rows.append(("mAP (step: torchreid, fast-reid)", [_percent(one.mean_ap) for one in evaluations]))
    rows.append(("mAP (triangle: Market-1501’s own)", [_percent(one.mean_ap_triangle) for one in evaluations]))
    rows.append(("mINP", [_percent(one.mean_inp) for one in evaluations]))
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _thresholds(verification: Verification | None) -> list[tuple[str, str, str, str]]:
    """Return for each wanted rate: itself, the threshold, the measured rate, the true match rate; or why not."""
    rows: list[tuple[str, str, str, str]] = []
    if verification is None:
        return rows
    for rate in FALSE_MATCH_RATES:
        if rate < verification.lowest_false_match_rate:
            rows.append((f"{100 * rate:g} %", "too few pairs", "", ""))
            continue
        one = verification.threshold_at(rate)
        measured = f"{100 * one.false_match_rate:.3g} %"
        rows.append((f"{100 * rate:g} %", f"{one.similarity:.4f}", measured, _percent(one.true_match_rate)))
    return rows


def _picture(figure: ReportFigure) -> _Picture:
    light, dark = (_data_url(figure, theme) for theme in (LIGHT, DARK))
    return _Picture(figure.heading, figure.text, light, dark, figure.is_photographic)


def _data_url(figure: ReportFigure, theme: Theme) -> str:
    drawn: Figure = figure.draw(theme)
    kind, content = ("jpeg", jpeg_of(drawn)) if figure.is_photographic else ("svg+xml", svg_of(drawn))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"

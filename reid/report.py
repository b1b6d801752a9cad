"""One HTML file that shows a judgement: figures in tables, pictures inside it, light and dark, without a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reid.html_pictures import address_of, address_of_crop, render_page, write_whole
from reid.judgement import Judgement
from reid.metrics import Evaluation
from reid.plots import DARK, LIGHT, Candidate, Strip, plot_strips, png_of, svg_of
from reid.report_figures import FALSE_MATCH_RATES, ReportFigure, StripGroup, choose_figures, choose_strips
from reid.verification import Verification

REPORT_NAME = "report.html"
FIGURES_NAME = "figures"

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


@dataclass(frozen=True)
class _Cell:
    address: str
    caption: str
    kind: str
    words: str


def write_report(judgement: Judgement, folder: Path) -> Path:
    """Write ``report.html`` into ``folder`` and return its path.

    Raises
    ------
    DataError
        when a picture of the data set cannot be read any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / REPORT_NAME, render_report(judgement))
    return folder / REPORT_NAME


def write_figures(judgement: Judgement, folder: Path) -> Iterator[Path]:
    """Write each picture of the report into ``folder/figures``, curves as SVG and strips as PNG; yield their paths."""
    target = folder / FIGURES_NAME
    target.mkdir(parents=True, exist_ok=True)
    for figure in choose_figures(judgement):
        path = target / f"{_plain(figure.heading)}.svg"
        path.write_bytes(svg_of(figure.draw(LIGHT)))
        yield path
    for group in choose_strips(judgement):
        path = target / f"{_plain(group.heading)}.png"
        path.write_bytes(png_of(plot_strips(group.strips)))
        yield path


def render_report(judgement: Judgement) -> str:
    """Return the report as HTML that needs nothing but itself."""
    embedded = judgement.embedded
    evaluations = [("as embedded", judgement.evaluation)]
    evaluations += [(ranking.value, evaluation) for ranking, evaluation in judgement.others.items()]
    return render_page(
        "report.html",
        title=f"{embedded.model} on {embedded.dataset}",
        rule=_RULES[embedded.protocol.value],
        dimension=embedded.query.labelled.features.shape[1],
        evaluation=judgement.evaluation,
        columns=[name for name, _ in evaluations],
        rows=_rows([evaluation for _, evaluation in evaluations]),
        verification=judgement.verification,
        fault=str(judgement.verification_fault or ""),
        thresholds=_thresholds(judgement.verification),
        pictures=[_picture(figure) for figure in choose_figures(judgement)],
        groups=[(group, _cells(group)) for group in choose_strips(judgement)],
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
    light, dark = (address_of("image/svg+xml", svg_of(figure.draw(theme))) for theme in (LIGHT, DARK))
    return _Picture(figure.heading, figure.text, light, dark)


def _cells(group: StripGroup) -> list[list[_Cell]]:
    """Return for each strip its cells, the query first."""
    return [[_query_cell(strip), *_answer_cells(strip.answers)] for strip in group.strips]


def _query_cell(strip: Strip) -> _Cell:
    return _Cell(address_of_crop(strip.query_bgr), strip.caption, "query", f"Query, {strip.caption}")


def _answer_cells(answers: Iterable[Candidate]) -> Iterator[_Cell]:
    for place, answer in enumerate(answers, start=1):
        kind, symbol, word = ("right", "✓", "right") if answer.is_right else ("wrong", "✗", "wrong")
        words = f"Answer {place}, {word}, {answer.caption}"
        yield _Cell(address_of_crop(answer.image_bgr), f"{symbol} {answer.caption}", kind, words)


def _plain(heading: str) -> str:
    return heading.lower().replace(" ", "-")

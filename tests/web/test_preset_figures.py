"""What the upload page says of the presets is what was measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.presets import PRESETS
from tests.web.sites import Site
from web.preset_figures import PRESET_FIGURES

RESULTS = Path(__file__).resolve().parents[2] / "bench" / "RESULTS.md"


def measured() -> dict[str, tuple[float, float]]:
    """Return frames a second and HOTA of each preset with the built-in detector, from the table of results."""
    section = RESULTS.read_text("utf-8").partition("### Presets with the built-in detector\n")[2].partition("\n#")[0]
    head, *rows = (
        [cell.strip(" *") for cell in line.split("|")[1:-1]] for line in re.findall(r"^\|.*\|$", section, re.M)
    )
    cells = [dict(zip(head, row, strict=True)) for row in rows if not row[0].startswith("---")]
    return {row["preset"]: (float(row["frames/s"]), float(row["HOTA"])) for row in cells}


def test_the_figures_of_the_presets_are_those_of_the_results() -> None:
    assert set(PRESET_FIGURES) == set(PRESETS) == set(measured())
    for name, (frames_per_s, hota) in measured().items():
        assert PRESET_FIGURES[name].frames_per_s == pytest.approx(frames_per_s, rel=0.1), name
        assert PRESET_FIGURES[name].hota == pytest.approx(hota, abs=0.51), name


@pytest.mark.parametrize(("language", "words"), [("en", "HOTA"), ("zh", "HOTA")])
def test_the_upload_page_states_them(site: Site, language: str, words: str) -> None:
    page = site.client.get("/videos", headers={"Accept-Language": language}).text
    for figures in PRESET_FIGURES.values():
        assert f"{words} {figures.hota}" in page
    assert "bench/RESULTS.md" in page

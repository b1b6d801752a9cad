"""Whole jobs over sequences, judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.job import main
from tests.bench.make_sequences import LENGTH, write_sequence

pytest.importorskip("trackeval", reason="trackeval is not installed")


@pytest.mark.slow
def test_a_job_over_sequences_says_how_fast_and_how_good_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sequence(tmp_path / "data" / "a", has_classes=False)
    main(["--data", str(tmp_path / "data"), "--detector", "hog", "--embedder", "hsv_stripes", "--preset", "fast"])
    head, _, row = (line for line in capsys.readouterr().out.splitlines() if line.startswith("|"))
    cells = dict(zip(*([cell.strip() for cell in line.split("|")] for line in (head, row)), strict=True))
    assert cells["configuration"] == "hog + hsv_stripes"
    assert cells["frames"] == str(LENGTH)
    assert float(cells["**frames/s**"].strip("*")) > 0
    assert 0 <= float(cells["HOTA"]) <= 100

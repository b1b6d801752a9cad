from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from errors import DataError, ModelError
from model.hsv_stripes import HsvStripes
from reid.__main__ import main
from reid.datasets import read_dataset
from reid.embedded import Protocol, choose_protocol, embed_dataset, load_embedded, save_embedded
from reid.embedders import open_embedder
from reid.judgement import judge, ranked_answers
from reid.metrics import evaluate
from reid.plots import Strip
from reid.report_figures import choose_strips
from tests.reid.labelled_pictures import CAMERAS, IDENTITIES, write_market


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def reported(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that evaluating a folder of identities with an unkind name has written."""
    root = tmp_path_factory.mktemp("reported")
    folder = root / "people <b>&x"
    for path in (market / "bounding_box_test").iterdir():
        (folder / path.name[:4]).mkdir(parents=True, exist_ok=True)
        (folder / path.name[:4] / path.name).write_bytes(path.read_bytes())
    flags = ["--data", str(folder), "--dataset", "folders", "--model", "hsv_stripes", "--report", str(root / "report")]
    assert main(["evaluate", *flags]) == 0
    return root / "report"


def test_the_command_prints_figures_of_all_rankings(market: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--data", str(market), "--model", "hsv_stripes", "--rerank", "--expand", "--flip"]
    assert main(["evaluate", *flags]) == 0
    out = capsys.readouterr().out
    assert "hsv_stripes+flip on Market-1501 (market1501): 18 queries judged, 0 skipped, 36 gallery pictures" in out
    for name in ("as embedded", "re-ranked", "expanded"):
        (line,) = (line for line in out.splitlines() if line.startswith(name))
        assert float(re.findall(r"mAP ([\d.]+)", line)[0]) > 50  # chance: 4 of 35 pictures, about 20


def test_any_pictures_with_identities_are_judged_by_leaving_one_out(reported: Path) -> None:
    figures = json.loads((reported / "evaluation.json").read_bytes())
    assert figures["evaluation"]["protocol"] == "leave_one_out"
    assert figures["evaluation"]["rank_1"] > 0.5
    assert f"{100 * figures['evaluation']['mAP']:.2f} %" in (reported / "report.html").read_text("utf-8")


def test_the_report_needs_nothing_but_itself_and_escapes_names(reported: Path) -> None:
    html = (reported / "report.html").read_text("utf-8")
    addresses = re.findall(r'(?:src|srcset|href)="([^"]{0,24})', html)
    assert len(addresses) == 2 * html.count("<picture>") + html.count('class="strip"') * 11
    assert html.count("<picture>") == 5
    assert all(address.startswith("data:image/") for address in addresses)
    assert "<script" not in html
    assert len(re.findall(r'alt="[^"]+"', html)) == html.count("<img")
    assert "✓" in html
    assert "✗" in html
    assert "<b>&x" not in html
    assert "&lt;b&gt;&amp;x" in html


def test_the_report_is_written_again_from_what_was_kept(
    reported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "features.npz").write_bytes((reported / "features.npz").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert main(["report", "."]) == 0
    assert (tmp_path / "evaluation.json").read_bytes() == (reported / "evaluation.json").read_bytes()
    assert (tmp_path / "report.html").read_text("utf-8") == (reported / "report.html").read_text("utf-8")


def test_figures_are_those_of_the_metrics(market: Path) -> None:
    embedded = embed_dataset(read_dataset("market1501", market), HsvStripes(), Protocol.MARKET1501)
    judgement = judge(embedded)
    assert judgement.evaluation.as_json() == evaluate(embedded.query.labelled, embedded.gallery.labelled).as_json()
    assert judgement.others == {}
    assert judgement.verification is not None
    assert len(embedded.images) == IDENTITIES * CAMERAS * 3


def test_ranked_answers_leave_out_the_query_s_own_camera(market: Path) -> None:
    embedded = embed_dataset(read_dataset("market1501", market), HsvStripes(), Protocol.MARKET1501)
    query, gallery = embedded.query.labelled, embedded.gallery.labelled
    for row in range(len(query)):
        positions, similarities = ranked_answers(embedded, row, 100)
        assert len(positions) == len(gallery) - 2
        own = (gallery.identities[positions] == query.identities[row]) & (
            gallery.cameras[positions] == query.cameras[row]
        )
        assert not own.any()
        assert (np.diff(similarities) <= 0).all()


def test_embeddings_are_kept_and_read_back(market: Path, tmp_path: Path) -> None:
    embedded = embed_dataset(read_dataset("market1501", market), HsvStripes(), Protocol.MARKET1501)
    save_embedded(embedded, tmp_path)
    again = load_embedded(tmp_path)
    assert (again.dataset, again.model, again.protocol) == (embedded.dataset, embedded.model, embedded.protocol)
    assert again.query.paths == embedded.query.paths
    assert (again.gallery.labelled.features == embedded.gallery.labelled.features).all()
    (tmp_path / "features.npz").write_bytes(b"no")
    with pytest.raises(DataError, match=r"features\.npz. cannot be read"):
        load_embedded(tmp_path)


def test_protocols_follow_the_data_set(market: Path) -> None:
    dataset = read_dataset("market1501", market)
    assert choose_protocol("market1501", dataset) is Protocol.MARKET1501
    assert choose_protocol("cuhk03_classic_labelled", dataset) is Protocol.CUHK03_CLASSIC
    assert choose_protocol("vehicleid_800", dataset) is Protocol.VEHICLEID


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_protocol_gives_a_report(market: Path, protocol: Protocol) -> None:
    judgement = judge(embed_dataset(read_dataset("market1501", market), HsvStripes(), protocol))
    assert judgement.evaluation.protocol == protocol.value
    assert 0.3 < judgement.evaluation.mean_ap <= 1


@pytest.mark.parametrize("protocol", list(Protocol))
def test_strips_go_from_the_worst_query_to_the_best_where_that_is_known(market: Path, protocol: Protocol) -> None:
    judgement = judge(embed_dataset(read_dataset("market1501", market), HsvStripes(), protocol))
    groups = choose_strips(judgement)
    is_drawn = protocol is Protocol.VEHICLEID
    assert [group.heading for group in groups] == ["Ranked answers", "Hardest queries"][: 1 if is_drawn else 2]
    assert all(len(group.strips) == 5 for group in groups)
    if not is_drawn:
        places = [_places_of_hits(group.strips[place]) for group, place in ((groups[0], 0), (groups[0], -1))]
        assert places[0] > places[1]
        assert _places_of_hits(groups[1].strips[0]) == places[0]


def _places_of_hits(strip: Strip) -> list[int]:
    """Return where the right answers stand."""
    return [place for place, answer in enumerate(strip.answers, start=1) if answer.is_right]


def test_one_camera_is_refused_before_anything_is_embedded(market: Path) -> None:
    dataset = read_dataset("market1501", market)
    one_camera = replace(dataset, images=tuple(image for image in dataset.images if image.camera == 1))
    with pytest.raises(DataError, match="camera"):
        embed_dataset(
            one_camera, HsvStripes(), Protocol.MARKET1501, on_progress=lambda done, total: pytest.fail("late")
        )


def test_unknown_models_are_answered_with_what_there_is(market: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="hsv_stripes"):
        open_embedder("osnet")
    assert main(["evaluate", "--data", str(market), "--model", "osnet"]) == 2
    assert "hsv_stripes" in capsys.readouterr().err


def test_the_pictures_of_the_report_are_written_as_files_too(reported: Path, tmp_path: Path) -> None:
    from reid.report import write_figures

    paths = list(write_figures(judge(load_embedded(reported)), tmp_path))
    assert {path.suffix for path in paths} == {".svg", ".png"}
    assert [path.name for path in paths if path.suffix == ".png"] == ["ranked-answers.png", "hardest-queries.png"]
    assert all(path.stat().st_size > 5000 for path in paths)

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from messages import render
from model.registry import build_embedder
from reid.__main__ import main
from tests.reid.labelled_pictures import write_market


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one folder for each of six identities."""
    market = write_market(tmp_path_factory.mktemp("market"), noise=30)
    folder = tmp_path_factory.mktemp("gallery")
    for path in (market / "bounding_box_test").iterdir():
        (folder / path.name[:4]).mkdir(exist_ok=True)
        path.rename(folder / path.name[:4] / path.name)
    return folder


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return two pictures of identity 0003."""
    market = write_market(tmp_path_factory.mktemp("queries"), noise=30)
    return [str(path) for path in sorted((market / "query").glob("0003_*"))[:2]]


def search(gallery: Path, queries: list[str], *flags: str) -> int:
    return main(["search", "--query", *queries, "--gallery", str(gallery), "--model", "hsv_stripes", *flags])


def test_answers_are_shown_with_score_identity_and_file(
    gallery: Path, queries: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(gallery, queries, "--top", "4") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"   1   0\.\d{3}  0003  0003/0003_c\ds1_00000\d_00\.png", lines[0])


@pytest.mark.parametrize("flags", [[], ["--rerank"]])
def test_json_has_all_of_an_answer(
    gallery: Path, queries: list[str], flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(gallery, queries, "--json", "--top", "3", *flags) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["rank"] for answer in answers] == [1, 2, 3]
    assert answers[0]["identity"] == "0003"
    assert Path(answers[0]["address"]).is_file()


def test_the_page_holds_the_pictures_itself(
    gallery: Path, queries: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "found.html"
    assert search(gallery, queries, "--html", str(page), "--top", "5") == 0
    html = page.read_text("utf-8")
    addresses = re.findall(r'src="([^"]{0,22})', html)
    assert addresses == ["data:image/jpeg;base64"] * 7
    assert "<script" not in html
    assert html.count("0003") >= 1


def test_what_should_be_known_of_the_model_is_said(
    gallery: Path, queries: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--gallery", str(gallery), "--emb_model_dir", str(tmp_path), "--top", "1"]
    assert main(["search", "--query", *queries, *flags]) == 0
    said = capsys.readouterr().err
    embedder = build_embedder("auto", tmp_path, threads=1, use_gpu=False)
    assert embedder.info.notices
    assert all(render(notice.code, notice.params) in said for notice in embedder.info.notices)


def test_nothing_found_is_said_and_is_the_exit_status(
    gallery: Path, queries: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(gallery, queries, "--min_score", "1.1") == 1
    assert capsys.readouterr().out.strip() == "Nothing was found."


def test_faults_are_sentences(gallery: Path, queries: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert search(gallery / "nowhere", queries) == 2
    assert "nowhere" in capsys.readouterr().err
    assert search(gallery, ["nothing.jpg"]) == 2
    assert "nothing.jpg" in capsys.readouterr().err

"""The judge's command, on small sequences of both layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.tracking import TRACKERS, main
from tests.bench.make_sequences import LENGTH, write_sequence

pytest.importorskip("trackeval", reason="trackeval is not installed")


def run(data: Path, tmp_path: Path, *flags: str) -> dict[str, dict[str, float]]:
    main(["--data", str(data), "--det", "det", "--json", str(tmp_path / "figures.json"), *flags])
    judged: dict[str, dict[str, float]] = json.loads((tmp_path / "figures.json").read_text("utf-8"))
    return judged


def test_perfect_boxes_of_both_layouts_are_judged_near_perfect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sequence(tmp_path / "data" / "old", has_classes=False)
    write_sequence(tmp_path / "data" / "new", has_classes=True)
    judged = run(tmp_path / "data", tmp_path, "--out", str(tmp_path / "out"))
    assert sorted(judged) == ["mean", "new", "old", "pooled"]
    for name, figures in judged.items():
        assert figures["HOTA"] > 95, name
        assert (figures["IDF1"], figures["switches"]) == (100, 0)
        assert figures["frames/s"] > 0
    rows = (tmp_path / "out" / "new.txt").read_text("ascii").splitlines()
    assert len(rows) == 2 * LENGTH
    assert rows[0].startswith("1,1,")
    assert "| pooled |" in capsys.readouterr().out


def test_gaps_of_the_boxes_are_filled_by_the_tracker_of_recordings_alone(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data" / "gap", has_classes=True, skipped=range(8, 16))
    recalls = {name: run(tmp_path / "data", tmp_path, "--tracker", name)["gap"]["DetA"] for name in TRACKERS}
    assert recalls["recorded"] > 95 > max(recalls["online"], recalls["deepsort"])


def test_scores_that_are_no_probabilities_count_as_certain(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data" / "raw", has_classes=True, score="-12.5")
    assert run(tmp_path / "data", tmp_path)["raw"]["HOTA"] > 95


def _add_poster(folder: Path, *, flag: int, columns: str) -> None:
    """Put a person on a poster into the ground truth and the boxes: stands still, marked not to be considered."""
    for name, score in (("gt/gt.txt", f"{flag},{columns}"), ("det/det.txt", "0.9,-1,-1,-1")):
        rows = [f"{frame},9,140.0,140.0,30.0,80.0,{score}\n" for frame in range(1, LENGTH + 1)]
        with (folder / name).open("a", encoding="ascii") as file:
            file.writelines(rows)


@pytest.mark.parametrize("kind", [2, 7, 8, 12])
def test_boxes_on_distractors_are_not_counted_where_the_truth_has_classes(tmp_path: Path, kind: int) -> None:
    """MOT16: a person on a vehicle, a static person, a distractor and a reflection are neither right nor wrong."""
    _add_poster(write_sequence(tmp_path / "data" / "a", has_classes=True), flag=0, columns=f"{kind},1.0")
    figures = run(tmp_path / "data", tmp_path)["a"]
    assert (figures["MOTA"], figures["IDF1"]) == (100, 100)


@pytest.mark.parametrize("kind", [1, 3])
def test_boxes_on_people_not_to_be_considered_and_on_cars_are_wrong(tmp_path: Path, kind: int) -> None:
    """MOT16: the flag takes a row out of the truth, and only distractors excuse a box."""
    _add_poster(write_sequence(tmp_path / "data" / "a", has_classes=True), flag=int(kind != 1), columns=f"{kind},1.0")
    assert run(tmp_path / "data", tmp_path)["a"]["MOTA"] == pytest.approx(50, abs=3)


def test_boxes_on_flagged_people_are_wrong_where_the_truth_has_no_classes(tmp_path: Path) -> None:
    """MOT15 drops the rows flagged 0 and nothing else."""
    _add_poster(write_sequence(tmp_path / "data" / "a", has_classes=False), flag=0, columns="-1,-1,-1")
    assert run(tmp_path / "data", tmp_path)["a"]["MOTA"] == pytest.approx(50, abs=3)


def test_a_sequence_without_truth_is_tracked_all_the_same(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data" / "known", has_classes=True)
    (write_sequence(tmp_path / "data" / "unknown", has_classes=True) / "gt" / "gt.txt").unlink()
    judged = run(tmp_path / "data", tmp_path, "--out", str(tmp_path / "out"))
    assert set(judged["unknown"]) == {"frames/s"}
    assert judged["mean"]["HOTA"] == judged["known"]["HOTA"] > 95
    assert (tmp_path / "out" / "unknown.txt").read_bytes() == (tmp_path / "out" / "known.txt").read_bytes()
    assert set(run(tmp_path / "data", tmp_path, "--sequences", "unknown")) == {"unknown"}


def test_only_the_named_sequences_are_judged(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_sequence(tmp_path / "data" / name, has_classes=False)
    assert sorted(run(tmp_path / "data", tmp_path, "--sequences", "a, c")) == ["a", "c", "mean", "pooled"]
    with pytest.raises(FileNotFoundError, match="no sequence d"):
        run(tmp_path / "data", tmp_path, "--sequences", "d")


def test_a_sequence_that_lacks_pictures_or_length_is_refused(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "data" / "a", has_classes=False)
    (folder / "img1" / f"{LENGTH:06d}.jpg").unlink()
    with pytest.raises(ValueError, match=f"a has {LENGTH - 1} pictures"):
        run(tmp_path / "data", tmp_path)
    (folder / "seqinfo.ini").unlink()
    with pytest.raises(ValueError, match="seqLength"):
        run(tmp_path / "data", tmp_path)


def test_frames_without_any_box_give_an_empty_result(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "data" / "a", has_classes=False)
    (folder / "det" / "det.txt").write_text("")
    for tracker in TRACKERS:
        judged = run(tmp_path / "data", tmp_path, "--tracker", tracker, "--out", str(tmp_path / "out"))
        assert judged["a"]["HOTA"] == 0
        assert (tmp_path / "out" / "a.txt").read_text("ascii") == ""


def test_a_detector_may_run_instead_of_stored_boxes(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data" / "a", has_classes=False)
    judged = run(tmp_path / "data", tmp_path, "--detector", "hog", "--threshold", "0.5")
    assert set(judged["a"]) >= {"HOTA", "switches", "frames/s"}

"""Calibration: from what people decided, from labelled pictures, and by the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy.orm import Session

from errors import DataError
from records import FloatArray
from search import calibration
from search.__main__ import main
from search.calibration import POSSIBLE, PROBABLE, UNLIKELY, Calibration, calibrated, from_decisions, from_labels
from store import identities, models
from store.database import make_engine, session_factory
from store.migrate import upgrade
from tests.databases import NOON, database_url, engine, sessions
from tests.store.identity_scene import Sessions, add_tracks

__all__ = ["database_url", "engine", "sessions"]

MODEL = "hsv_stripes"


def noisy(number: int, rng: np.random.Generator, dimension: int = 32, noise: float = 0.12) -> FloatArray:
    vector = np.zeros(dimension, np.float32)
    vector[number] = 1
    vector += rng.standard_normal(dimension).astype(np.float32) * noise
    return vector / np.linalg.norm(vector)


def test_confirmed_and_rejected_pairs_give_thresholds_and_words(sessions: Sessions) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        people = [noisy(number, rng) for _ in range(3)]
        tracks = add_tracks(sessions, f"camera {number}", [(n, n + 0.5) for n in range(3)], vectors=people)
        with sessions.begin() as session:
            identities.confirm(session, tracks, None, NOON)
    (stranger,) = add_tracks(sessions, "yard", [(0, 1)], vectors=[noisy(9, rng)])
    with sessions.begin() as session:
        identities.reject(session, 1, [stranger], NOON)
    with sessions() as session:
        found = from_decisions(session, MODEL)
    assert (found.same_count, found.different_count) == (18, 15 * 9 + 3)
    measured = calibrated(found, source=calibration.DECISIONS, now=NOON, false_match_rate=0.01)
    assert measured.probable_false_match_rate <= 0.01
    assert measured.possible_from <= measured.probable_from
    assert measured.equal_error_rate < 0.1
    assert measured.word(measured.probable_from) == PROBABLE
    assert measured.word((measured.probable_from + measured.possible_from) / 2) == POSSIBLE
    assert measured.word(measured.possible_from - 0.01) == UNLIKELY
    assert sum(measured.same) == 18
    assert len(measured.edges) == len(measured.different) + 1
    assert calibration.from_json(measured.as_json()) == measured
    assert calibration.from_json(None) is None


def test_too_few_decisions_are_refused(sessions: Sessions) -> None:
    with sessions() as session, pytest.raises(DataError) as raised:
        from_decisions(session, MODEL)
    assert raised.value.code == "data.too_few_pairs"


def test_labelled_pictures_of_one_camera_are_compared_with_each_other() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(1, 6), 4)
    features = np.stack([noisy(int(label), rng) for label in labels])
    assert from_labels(features, labels, np.zeros(20, np.int64)).same_count == 5 * 6
    assert from_labels(features, labels, np.tile([1, 2], 10)).same_count == 5 * 4


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Return a session on a site's database of its own, with the colour descriptor in use."""
    monkeypatch.setenv("RESIGHT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    engine = make_engine(f"sqlite:///{tmp_path / 'resight.db'}")
    upgrade(engine)
    with session_factory(engine)() as session:
        yield session
    engine.dispose()


def write_people(folder: Path) -> None:
    """Write pictures of six people in clothes of six colours, by two cameras."""
    rng = np.random.default_rng(2)
    for number in range(6):
        (folder / f"person {number}").mkdir(parents=True)
        colour = np.array(cv2.cvtColor(np.uint8([[[30 * number, 220, 200]]]), cv2.COLOR_HSV2BGR)[0, 0], np.float64)
        for shot in range(4):
            picture = np.clip(colour + rng.normal(0, 12, (96, 40, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"person {number}" / f"c{1 + shot % 2}_{shot}.png"), picture)


def test_the_command_measures_a_folder_and_keeps_it(
    installed: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "people"
    write_people(folder)
    assert main(["calibrate", "--folder", str(folder)]) == 1
    assert "nothing to search" in capsys.readouterr().err
    models.note(installed, MODEL, choice=MODEL, dimension=448, now=NOON)
    installed.commit()
    assert main(["calibrate", "--folder", str(folder), "--false_match_rate", "0.05"]) == 0
    assert "24 pairs of the same one" in capsys.readouterr().out
    measured = calibration.from_json(models.calibration_of(installed, MODEL))
    assert isinstance(measured, Calibration)
    assert (measured.source, measured.same_pairs, measured.wanted_false_match_rate) == (calibration.FOLDER, 24, 0.05)
    assert main(["calibrate"]) == 1
    assert "at least 10" in capsys.readouterr().err

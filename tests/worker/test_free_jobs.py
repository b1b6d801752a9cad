"""Jobs that are not about one video: the film of an identity, the judging of a model; and the commands."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from records import FloatArray
from store import identities, jobs, videos
from store.files import Storage
from store.tables import DONE, EVALUATE, FAILED, REEL, Job, Track
from tests.databases import NOON
from tests.store.identity_scene import DIMENSION, add_tracks
from tests.worker.test_attempt import Bench
from worker.__main__ import main
from worker.attempt import Workplace, run_attempt
from worker.embed import embedder_of_job
from worker.kinds import models_of_job

Sessions = sessionmaker[Session]


def run_free(sessions: Sessions, folder: Path, kind: str, *, identity_id: int | None = None) -> Job:
    """Queue and do a job that is not about a video."""
    place = Workplace(
        settings=Settings(data_dir=folder),
        sessions=sessions,
        storage=Storage(folder),
        worker="w1",
        is_stopping=lambda: False,
        build_models=models_of_job,
        build_embedder=embedder_of_job,
        renew_every_s=0.0,
    )
    with sessions.begin() as session:
        job_id = jobs.enqueue(session, None, {}, NOON, kind=kind, identity_id=identity_id).id
    run_attempt(job_id, place)
    with sessions() as session:
        return jobs.get(session, job_id)


def test_a_film_shows_the_sightings_in_order_and_each_alone(sessions: Sessions, tmp_path: Path) -> None:
    bench = Bench(sessions, tmp_path)
    bench.run()
    with sessions.begin() as session:
        (track,) = session.query(Track).all()
        video = videos.get(session, bench.video_id)
        video.started_at, video.camera.time_zone = NOON, "Asia/Shanghai"
        owner = track.identity_id or identities.confirm(session, [track.id], None, NOON).identity_id
    job = run_free(sessions, tmp_path, REEL, identity_id=owner)
    assert (job.state, job.outcome and job.outcome["clips"], job.outcome and job.outcome["left_out"]) == (DONE, 1, 0)
    reel = bench.storage.reel(job.id)
    assert [path.name for path in reel.clips()] == ["clip-0001.mp4"]
    with av.open(str(reel.film)) as film:
        stream = film.streams.video[0]
        picture = next(film.decode(stream)).to_ndarray(format="bgr24")
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 1280, 720)
    assert picture[680:, :300].max() > 150
    again = run_free(sessions, tmp_path, REEL, identity_id=owner)
    assert not reel.folder.exists()
    assert bench.storage.reel(again.id).film.is_file()


def test_a_film_of_nothing_fails_with_a_sentence(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        made = identities.create(session, "person", NOON, name="Bo").identity_id
    job = run_free(sessions, tmp_path, REEL, identity_id=made)
    assert (job.state, job.error_code) == (FAILED, "identity.no_clips")


def one_of(number: int, noise: float) -> FloatArray:
    vector = np.zeros(DIMENSION, np.float32)
    vector[number], vector[-1] = 1.0, noise
    return vector / np.float32(np.linalg.norm(vector))


def confirm_across(sessions: Sessions) -> None:
    """Make three identities that two cameras saw; the third looks like the first at one of them."""
    gate = add_tracks(sessions, "Gate", [(0, 1), (2, 3), (4, 5)], vectors=[one_of(0, 0), one_of(1, 0), one_of(2, 0)])
    hall = add_tracks(sessions, "Hall", [(0, 1), (2, 3), (4, 5)], vectors=[one_of(0, 0), one_of(1, 0), one_of(0, 0.2)])
    with sessions.begin() as session:
        for pair in zip(gate, hall, strict=True):
            identities.confirm(session, pair, None, NOON)


def test_a_model_is_judged_by_confirmed_tracks_of_other_cameras(sessions: Sessions, tmp_path: Path) -> None:
    confirm_across(sessions)
    job = run_free(sessions, tmp_path, EVALUATE)
    assert job.state == DONE
    assert job.outcome is not None
    people = job.outcome["kinds"]["person"]
    assert (job.outcome["model"], people["identities"], people["judged_queries"]) == ("hsv_stripes", 3, 6)
    assert people["rank_1"] == pytest.approx(4 / 6)
    assert 0.6 < people["mAP"] < 0.95


def test_nothing_to_judge_is_said(sessions: Sessions, tmp_path: Path) -> None:
    (track,) = add_tracks(sessions, "Gate", [(0, 1)])
    with sessions.begin() as session:
        identities.confirm(session, [track], None, NOON)
    job = run_free(sessions, tmp_path, EVALUATE)
    assert (job.state, job.error_code) == (FAILED, "identity.nothing_to_judge")


def test_the_commands_export_and_forget(
    sessions: Sessions, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "data").mkdir()
    bench = Bench(sessions, tmp_path / "data")
    bench.run()
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("RESIGHT_DATA_DIR", str(tmp_path / "data"))
    with sessions.begin() as session:
        (track,) = session.query(Track).all()
        made = identities.confirm(session, [track.id], None, NOON).identity_id or 0
    assert main(["export", "--format", "market1501", "--out", str(tmp_path / "out")]) == 0
    assert [path.parent.name for path in (tmp_path / "out").rglob("*.jpg")][:1] == ["bounding_box_test"]
    assert main(["export", "--format", "mot", "--out", str(tmp_path / "mot")]) == 0
    (line, *_) = next((tmp_path / "mot").rglob("gt.txt")).read_text().splitlines()
    assert line.split(",")[1] == str(made)
    with sessions.begin() as session:
        identities.delete(session, [made], NOON)
    crops = list((tmp_path / "data").rglob("crops/1*.jpg"))
    assert crops
    assert main(["forget", "--days", "0"]) == 0
    assert f"{len(crops)} pictures" in capsys.readouterr().out
    assert not any(path.exists() for path in crops)
    with pytest.raises(SystemExit):
        main(["forget", "--days", "-1"])

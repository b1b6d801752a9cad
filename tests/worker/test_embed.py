"""Describing the tracks of a result by another model, from their kept crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from errors import JobCancelled
from model.stored_name import stored_name, weights_hash
from records import FloatArray, Image, ModelInfo
from store import jobs, models, vectors
from store.tables import DONE, EMBED, FAILED, Job, Track
from tests.databases import NOON
from tests.small_video import ScriptedDetector, ScriptedEmbedder
from tests.worker.test_attempt import Bench, Sessions, bench
from worker.attempt import Workplace, run_attempt

__all__ = ["bench"]


class MeanColour:
    """Describes a crop by its mean colour; notes how many crops it saw."""

    info = ModelInfo("mean_colour")
    dimension = 3
    max_cosine_distance = 0.2

    def __init__(self) -> None:
        self.seen = 0

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        self.seen += len(crops_bgr)
        means = np.array([crop.reshape(-1, 3).mean(axis=0) for crop in crops_bgr], np.float32).reshape(-1, 3)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def describe(bench: Bench, by: MeanColour, **settings: str) -> Job:
    with bench.sessions.begin() as session:
        job_id = jobs.enqueue(session, bench.video_id, settings, NOON, kind=EMBED).id
    place = Workplace(
        settings=bench.settings,
        sessions=bench.sessions,
        storage=bench.storage,
        worker="w1",
        is_stopping=lambda: False,
        build_models=lambda *_: (ScriptedDetector(), ScriptedEmbedder()),
        build_embedder=lambda *_: by,
    )
    run_attempt(job_id, place)
    with bench.sessions() as session:
        return jobs.get(session, job_id)


def track_ids(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return [track.id for track in session.query(Track)]


def test_all_kept_crops_of_a_track_are_described_and_its_first_vector_stays(bench: Bench) -> None:
    first = bench.run()
    files, embedder = bench.files(), MeanColour()
    job = describe(bench, embedder, embedder="mean", model="mean_colour")
    assert (job.state, job.error_code, job.progress, embedder.seen) == (DONE, None, 1.0, 2)
    assert bench.files() == files, "nothing of the result changes"
    (track_id,) = track_ids(bench.sessions)
    with bench.sessions() as session:
        assert set(vectors.of_tracks(session, [track_id], "mean_colour")) == {track_id}
        assert len(vectors.of_tracks(session, [track_id], "scripted")[track_id]) == 4
        assert [model.name for model in models.known(session)] == ["scripted", "mean_colour"]
        assert models.active(session).name == "scripted", "nobody chose another one"
        assert jobs.get(session, first.id).state == DONE


def test_other_weights_than_those_asked_for_fail_with_a_sentence(bench: Bench) -> None:
    bench.run()
    job = describe(bench, MeanColour(), embedder="mean", model="mean_colour@12345678")
    assert (job.state, job.error_code) == (FAILED, "job.other_weights")


def test_without_any_crop_the_job_says_so(bench: Bench) -> None:
    done = bench.run()
    for path in bench.storage.attempt(bench.video_id, done.id, done.claim_count).crops(1):
        path.unlink()
    assert describe(bench, MeanColour()).error_code == "job.no_crops"


def test_a_chosen_model_is_what_later_jobs_track_with(bench: Bench) -> None:
    bench.run()
    asked: list[object] = []

    def build(settings: object, wishes: dict[str, object], threads: int) -> tuple[ScriptedDetector, ScriptedEmbedder]:
        asked.append(wishes.get("embedder"))
        raise JobCancelled("enough")

    with bench.sessions.begin() as session:
        models.activate_choice(session, "paddle")
    place = Workplace(
        settings=bench.settings, sessions=bench.sessions, storage=bench.storage, worker="w1",
        is_stopping=lambda: False, build_models=build,
    )  # fmt: skip
    run_attempt(bench.enqueue(), place)
    run_attempt(bench.enqueue(embedder="hsv_stripes"), place)
    assert asked == ["paddle", "hsv_stripes"]


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"1")
    first = stored_name(ModelInfo("network", str(folder)))
    assert first == f"network@{weights_hash(folder)}"
    (folder / "a.bin").write_bytes(b"2")
    assert stored_name(ModelInfo("network", str(folder))) != first
    assert stored_name(ModelInfo("network")) == "network"
    assert weights_hash(folder / "a.bin") != weights_hash(folder)

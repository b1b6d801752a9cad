"""Models: which one searching uses, what it has described, and jobs for the rest."""

from __future__ import annotations

import numpy as np
import pytest

from errors import RequestError
from records import FloatArray
from store import embedding, jobs, models, results, vectors
from store.results import Describer
from store.tables import EMBED, Job, Track
from tests.databases import NOON, after
from tests.store.identity_scene import Sessions, add_tracks
from tests.store.rows import take

OLD, NEW = "hsv_stripes", "network@12345678"


def unit(*numbers: float) -> FloatArray:
    return np.array(numbers, np.float32)


def video_of(sessions: Sessions, track_id: int) -> str:
    with sessions() as session:
        return session.get_one(Track, track_id).video_id


def waiting(sessions: Sessions) -> list[Job]:
    with sessions() as session:
        found, _ = jobs.page(session, limit=50, state="queued")
        return list(found)


def describe(sessions: Sessions, job: Job, name: str, *vectors_: FloatArray, choice: str = "paddle") -> None:
    held = take(sessions, job.id)
    described = dict(enumerate(vectors_, 1))
    with sessions.begin() as session:
        results.publish_vectors(session, held, described, Describer(name=name, choice=choice), NOON)


def test_the_first_model_that_describes_tracks_is_used(sessions: Sessions) -> None:
    with sessions() as session:
        assert models.active(session) == models.ActiveModel()
    add_tracks(sessions, "north", [(0, 1)])
    with sessions() as session:
        assert models.active(session).name == OLD
        assert [model.name for model in models.known(session)] == [OLD]
        assert models.described_tracks(session) == {OLD: 1}


def test_another_model_is_chosen_describes_everything_and_one_goes_back(sessions: Sessions) -> None:
    (one,) = add_tracks(sessions, "north", [(0, 1)], vectors=[unit(1, 0)])
    (other,) = add_tracks(sessions, "south", [(0, 1)], vectors=[unit(0, 1)])
    with sessions.begin() as session:
        models.activate_choice(session, "paddle")
        assert models.active(session) == models.ActiveModel("", "paddle", is_chosen=True)
        embedding.describe_rest(session, models.videos_without(session, ""), NOON)
    made = waiting(sessions)
    assert {(job.kind, job.settings["embedder"], job.settings["model"]) for job in made} == {(EMBED, "paddle", "")}
    assert {job.video_id for job in made} == {video_of(sessions, one), video_of(sessions, other)}
    with sessions() as session:
        assert models.videos_without(session, "") == [], "work is under way"
    for job in made:
        describe(sessions, job, NEW, unit(0.6, 0.8, 0.0))
    with sessions() as session:
        assert models.active(session).name == NEW
        assert models.described_tracks(session) == {OLD: 2, NEW: 2}
        assert models.videos_without(session, NEW) == models.videos_without(session, OLD) == []
        assert vectors.of_tracks(session, [one], NEW)[one].tolist() == unit(0.6, 0.8, 0.0).tolist()
        assert vectors.of_tracks(session, [one], OLD)[one].tolist() == [1, 0]
    with sessions.begin() as session:
        models.activate(session, OLD)
        assert models.active(session).name == OLD
        assert embedding.describe_rest(session, models.videos_without(session, OLD), NOON) == []


def test_a_video_tracked_by_another_model_than_the_chosen_one_is_described_by_that_too(sessions: Sessions) -> None:
    add_tracks(sessions, "north", [(0, 1)])
    with sessions.begin() as session:
        models.activate(session, OLD)
    (track,) = add_tracks(sessions, "south", [(0, 1)], embedder=NEW)
    (job,) = waiting(sessions)
    assert (job.kind, job.video_id, job.settings["model"]) == (EMBED, video_of(sessions, track), OLD)
    describe(sessions, job, OLD, unit(1, 0))
    with sessions() as session:
        assert models.active(session).name == OLD
        assert set(vectors.of_tracks(session, [track], OLD)) == {track}


def test_an_attempt_on_a_replaced_result_writes_no_vectors(sessions: Sessions) -> None:
    (track,) = add_tracks(sessions, "north", [(0, 1)])
    video_id = video_of(sessions, track)
    with sessions.begin() as session:
        job_id = jobs.enqueue(session, video_id, {}, NOON, kind=EMBED).id
    held = take(sessions, job_id)
    with sessions.begin() as session:
        jobs.sweep(session, after(1000))
    with pytest.raises(Exception, match=job_id), sessions.begin() as session:
        results.publish_vectors(session, held, {1: unit(1, 0)}, Describer(name=NEW, choice="paddle"), NOON)
    with sessions() as session:
        assert vectors.of_tracks(session, [track], NEW) == {}


def test_each_change_of_vectors_has_a_name_of_its_own(sessions: Sessions) -> None:
    add_tracks(sessions, "north", [(0, 1)])
    with sessions() as session:
        (before,) = vectors.searchable_videos(session)
        assert before.began_s == NOON.timestamp()
    with sessions.begin() as session:
        vectors.put_further(session, before.video_id, NEW, {1: unit(1, 0)}, attempt="another")
    with sessions() as session:
        (now,) = vectors.searchable_videos(session)
        assert (before.vectors != now.vectors, now.vectors) == (True, "another")


def test_an_unknown_model_cannot_be_chosen_or_calibrated(sessions: Sessions) -> None:
    for work in (
        lambda session: models.activate(session, "no"),
        lambda session: models.set_calibration(session, "no", None),
    ):
        with sessions() as session, pytest.raises(RequestError):
            work(session)

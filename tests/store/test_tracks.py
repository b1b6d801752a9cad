"""Rows of tracks."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from store import tracks
from tests.store.rows import add_job, add_video, publish, some_result, take


def test_a_track_comes_back_as_it_was_summarised(sessions: sessionmaker[Session]) -> None:
    held = take(sessions, add_job(sessions))
    publish(sessions, held, some_result(2))
    with sessions() as session:
        person, car = tracks.of_video(session, held.video_id)
        assert (person.number, person.kind, person.class_name, person.crop_frame) == (1, "person", "person", 2)
        assert (person.first_frame, person.last_frame, person.first_s, person.last_s) == (1, 11, 0.04, 0.44)
        assert (person.point_count, person.mean_score) == (11, 0.75)
        embedding = tracks.embedding_of(person)
        assert embedding is not None
        np.testing.assert_array_equal(embedding, np.full(4, 0.5, np.float32))
        assert (person.embedder, car.embedder, car.kind) == ("hsv_stripes", "", "vehicle")
        assert tracks.embedding_of(car) is None


def test_a_video_without_result_has_no_tracks(sessions: sessionmaker[Session]) -> None:
    video = add_video(sessions)
    with sessions() as session:
        assert tracks.of_video(session, video.id) == []


def test_a_result_without_tracks_can_be_published(sessions: sessionmaker[Session]) -> None:
    held = take(sessions, add_job(sessions))
    publish(sessions, held, some_result(0))
    with sessions() as session:
        assert tracks.of_video(session, held.video_id) == []

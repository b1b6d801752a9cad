"""Questions and answers: who may answer, in what order, and what people's decisions change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from errors import RequestError
from records import FloatArray, Kind
from search.engine import Answers, Engine
from search.question import Filters, Question
from store import cameras, identities, models, videos
from store.tables import Track
from tests.databases import NOON, database_url, engine, sessions
from tests.store.identity_scene import Sessions, add_tracks

__all__ = ["database_url", "engine", "sessions"]

MODEL = "hsv_stripes"
DIMENSION = 8


def person(number: int, *, away: float = 0.0) -> FloatArray:
    """Return the vector of a person; ``away`` turns it by an angle towards what all look like."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[number], vector[-1] = np.cos(away), np.sin(away)
    return vector


class Scene:
    """An engine over a database; tracks of one person in several places."""

    def __init__(self, sessions: Sessions, folder: Path) -> None:
        self.sessions = sessions
        self.engine = Engine(folder / "search")

    def add(self, camera: str, *people: FloatArray, began_s: float | None = 0.0, **more: Any) -> list[int]:
        began_at = None if began_s is None else NOON + timedelta(seconds=began_s)
        spans = more.pop("spans", [(0.0, 2.0)] * len(people))
        return add_tracks(self.sessions, camera, spans, vectors=list(people), began_at=began_at, **more)

    def ask(self, *track_ids: int, **options: Any) -> Answers:
        with self.sessions() as session:
            return self.engine.answer(session, Question(track_ids=track_ids, **options))

    def ids(self, *track_ids: int, **options: Any) -> list[int]:
        return [answer.sight.track.id for answer in self.ask(*track_ids, **options).answers]

    def camera_id(self, name: str) -> int:
        with self.sessions() as session:
            return videos.camera_named(session, name).id


@pytest.fixture
def scene(sessions: Sessions, tmp_path: Path) -> Scene:
    return Scene(sessions, tmp_path)


def test_the_nearest_come_first_and_who_is_asked_about_never(scene: Scene) -> None:
    (mine,) = scene.add("north", person(0))
    near, far = scene.add("south", person(0, away=0.3), person(1), began_s=100, spans=[(0, 2), (5, 7)])
    answers = scene.ask(mine)
    assert [answer.sight.track.id for answer in answers.answers] == [near, far]
    assert answers.answers[0].similarity == pytest.approx(np.cos(0.3), abs=1e-6)
    assert (answers.total, answers.described, answers.has_more, answers.calibration) == (2, 3, False, None)
    assert answers.answers[0].word == "", "nothing was measured"
    assert scene.ask(mine, limit=1).has_more
    assert scene.ids(mine, limit=1, offset=1) == [far]
    assert scene.ids(mine, least=0.9) == [near]


def test_without_any_track_there_is_nothing_to_search(scene: Scene) -> None:
    with pytest.raises(RequestError) as raised:
        scene.ask(1)
    assert raised.value.code == "search.no_model"


def test_an_unknown_track_and_an_empty_question_are_refused(scene: Scene) -> None:
    scene.add("north", person(0))
    for options, code in (({"track_ids": (99,)}, "request.not_found"), ({}, "search.nothing")):
        with pytest.raises(RequestError) as raised, scene.sessions() as session:
            scene.engine.answer(session, Question(**options))
        assert raised.value.code == code


def test_who_was_seen_at_the_same_time_in_one_camera_is_somebody_else(scene: Scene) -> None:
    mine, beside, later = scene.add("north", person(0), person(0), person(0), spans=[(0, 5), (4, 6), (6, 8)])
    (elsewhere,) = scene.add("south", person(0), began_s=1)
    (same_camera,) = scene.add("north", person(0), began_s=3)
    (unknown,) = scene.add("north", person(0), began_s=None)
    assert set(scene.ids(mine)) == {later, elsewhere, unknown}
    assert beside not in scene.ids(mine)
    assert same_camera not in scene.ids(mine)


def test_a_corrected_clock_moves_who_overlaps(scene: Scene) -> None:
    (mine,) = scene.add("north", person(0))
    (other,) = scene.add("north", person(0), began_s=60)
    assert scene.ids(mine) == [other]
    (south,) = scene.add("south", person(0), began_s=60)
    with scene.sessions.begin() as session:
        cameras.change(session, scene.camera_id("south"), {"clock_offset_s": -60.0})
    answers = {answer.sight.track.id: answer.sight.video.began_at for answer in scene.ask(mine).answers}
    assert answers[south] == NOON


def test_filters_leave_out_cameras_times_and_kinds(scene: Scene) -> None:
    (mine,) = scene.add("north", person(0))
    (south,) = scene.add("south", person(1), began_s=100)
    (west,) = scene.add("west", person(2), began_s=200)
    (undated,) = scene.add("west", person(3), began_s=None)
    (car,) = scene.add("south", person(0), began_s=300, kind=Kind.VEHICLE)
    noon_s = NOON.timestamp()
    assert set(scene.ids(mine)) == {south, west, undated}
    assert scene.ids(mine, filters=Filters(camera_ids=frozenset({scene.camera_id("south")}))) == [south]
    assert scene.ids(mine, filters=Filters(from_s=noon_s + 150)) == [west]
    assert scene.ids(mine, filters=Filters(to_s=noon_s + 101)) == [south]
    assert scene.ids(mine, filters=Filters(kind="vehicle")) == [car]


def test_confirmed_tracks_help_and_rejected_ones_never_come_back(scene: Scene) -> None:
    (mine,) = scene.add("north", person(0))
    turned = np.asarray((person(0) + person(1)) / np.sqrt(2), np.float32)
    (other_side,) = scene.add("south", turned, began_s=100)
    (hidden,) = scene.add("west", person(1), began_s=200)
    (rival,) = scene.add("west", person(0, away=1.2), began_s=300)
    assert scene.ids(mine) == [other_side, rival, hidden]
    with scene.sessions.begin() as session:
        done = identities.confirm(session, [mine, other_side], None, NOON)
    assert done.identity_id is not None
    answers = scene.ask(mine)
    assert [answer.sight.track.id for answer in answers.answers] == [hidden, rival], "the other side is known now"
    assert [sight.track.id for sight in answers.subject.members] == [other_side]
    with scene.sessions.begin() as session:
        identities.reject(session, done.identity_id, [hidden], NOON)
    assert scene.ids(mine) == [rival]
    assert scene.ids(identity_id=done.identity_id) == [rival]
    assert scene.ids(hidden)[0] == other_side, "somebody else may still be looked for by it"


def test_pictures_are_searched_by_alone_and_several_at_once(scene: Scene) -> None:
    one, other = scene.add("north", person(0), person(1), spans=[(0, 1), (2, 3)])
    assert scene.ids(pictures=(person(1, away=0.1),), picture_kind="person") == [other, one]
    both = scene.ask(pictures=(person(0), person(1)), picture_kind="person").answers
    assert both[0].similarity == pytest.approx(0.5), "the mean over both pictures"
    assert scene.ids(pictures=(person(1),), picture_kind="vehicle") == []


def test_a_way_that_a_person_entered_counts(scene: Scene) -> None:
    (mine,) = scene.add("north", person(0))
    (soon,) = scene.add("south", person(0, away=0.2), began_s=10)
    (late,) = scene.add("south", person(0, away=0.25), began_s=100)
    assert scene.ids(mine) == [soon, late]
    with scene.sessions.begin() as session:
        ends = (scene.camera_id("north"), scene.camera_id("south"))
        cameras.put_link(session, ends, is_possible=True, least_s=30, most_s=200)
    answers = scene.ask(mine).answers
    assert [answer.sight.track.id for answer in answers] == [late], "nobody gets there within eight seconds"
    assert answers[0].score == pytest.approx(answers[0].similarity + 0.05)
    assert scene.ids(mine, uses_ways=False) == [soon, late]


def test_reranking_puts_what_hangs_together_first(scene: Scene) -> None:
    (mine,) = scene.add("north", person(0))
    near = [scene.add("south", person(0, away=0.5 + 0.01 * n), began_s=100 * (n + 1))[0] for n in range(6)]
    answers = scene.ids(mine, is_reranked=True)
    assert sorted(answers) == near
    assert answers[0] == near[0]


def test_a_track_that_the_active_model_has_not_described_says_so(scene: Scene) -> None:
    scene.add("north", person(0))
    (other,) = scene.add("south", person(0), embedder="network@12345678")
    with pytest.raises(RequestError) as raised:
        scene.ask(other)
    assert raised.value.code == "search.not_described"
    with scene.sessions.begin() as session:
        assert models.active(session).name == MODEL
        models.activate(session, "network@12345678")
    assert scene.ids(other) == []
    with scene.sessions() as session:
        assert session.get_one(Track, other).embedder == "network@12345678"

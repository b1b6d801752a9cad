"""One attempt at a search by picture: who is found, what is kept, and how it ends when it cannot go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from config import Settings
from records import Image
from store import models, queries
from store.files import Storage
from store.search_tables import Query
from store.tables import new_id
from tests.databases import NOON, after
from tests.small_video import ScriptedDetector, ScriptedEmbedder
from tests.worker.test_attempt import Sessions
from worker.queries import MAX_SIDE_PX, ModelShelf, QueryPlace, run_query
from worker.watch import QUERIES


class Desk:
    """A database and a folder to search by pictures in; boxes are light blue."""

    def __init__(self, sessions: Sessions, folder: Path) -> None:
        self.sessions, self.storage, self.settings = sessions, Storage(folder), Settings(data_dir=folder)
        self.before: Callable[[int], None] = lambda call: None
        self.builds = 0
        self.shelf = ModelShelf()

    def send(self, *pictures: bytes) -> str:
        query_id = new_id()
        files = self.storage.query(query_id)
        files.folder.mkdir(parents=True)
        for place, data in enumerate(pictures):
            files.sent(place).write_bytes(data)
        with self.sessions.begin() as session:
            queries.add(session, query_id, len(pictures), NOON)
        return query_id

    def run(self, query_id: str) -> Query:
        def build(*_: object) -> tuple[ScriptedDetector, ScriptedEmbedder]:
            self.builds += 1
            return ScriptedDetector(self.before), ScriptedEmbedder()

        place = QueryPlace(
            settings=self.settings, sessions=self.sessions, storage=self.storage, worker="w1", build_models=build
        )
        run_query(query_id, place, self.shelf)
        with self.sessions() as session:
            return queries.get(session, query_id)

    def files(self, query_id: str) -> list[str]:
        return sorted(path.name for path in self.storage.query(query_id).folder.iterdir())


@pytest.fixture
def desk(sessions: Sessions, tmp_path: Path) -> Desk:
    return Desk(sessions, tmp_path)


def picture(width: int = 160, height: int = 120, *, box: tuple[int, int, int, int] = (20, 30, 50, 100)) -> Image:
    image = np.full((height, width, 3), 90, np.uint8)
    x1, y1, x2, y2 = box
    image[y1:y2, x1:x2] = (255, 160, 60)
    return image


def encoded(image: Image, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def test_people_in_several_pictures_are_found_largest_first(desk: Desk) -> None:
    query_id = desk.send(encoded(picture()), encoded(picture(box=(10, 10, 100, 110))))
    row = desk.run(query_id)
    assert (row.state, row.embedder) == ("done", "scripted")
    assert [(person.number, person.picture, person.kind) for person in row.people] == [
        (1, 1, "person"),
        (2, 0, "person"),
    ]
    assert [getattr(row.people[1], edge) for edge in ("x1", "y1", "x2", "y2")] == pytest.approx(
        [20 / 160, 30 / 120, 50 / 160, 100 / 120]
    )
    assert desk.files(query_id) == ["0.jpg", "1.jpg", "person-1.jpg", "person-2.jpg"], "what was sent is gone"


def test_large_pictures_are_scaled_down_and_models_stay_loaded(desk: Desk) -> None:
    big = picture(2 * MAX_SIDE_PX, 400, box=(100, 100, 300, 350))
    query_id = desk.send(encoded(big))
    assert desk.run(query_id).state == "done"
    kept = cv2.imread(str(desk.storage.query(query_id).picture(0)))
    assert kept.shape[:2] == (200, MAX_SIDE_PX)
    assert desk.run(desk.send(encoded(picture()))).state == "done"
    assert desk.builds == 1


@pytest.mark.parametrize("data", [b"", b"no picture", encoded(picture())[:60]])
def test_what_is_no_picture_fails_with_a_sentence(desk: Desk, data: bytes) -> None:
    row = desk.run(desk.send(data))
    assert (row.state, row.error_code, row.people) == ("failed", "picture.unreadable", [])


def test_more_pixels_than_allowed_are_refused_by_the_worker_too(desk: Desk) -> None:
    desk.settings = replace(desk.settings, max_picture_pixels=100)
    assert desk.run(desk.send(encoded(picture()))).error_code == "picture.unreadable"


def test_another_model_than_the_one_in_use_is_refused(desk: Desk) -> None:
    with desk.sessions.begin() as session:
        models.note(session, "network@12345678", choice="paddle", dimension=4, now=NOON)
    row = desk.run(desk.send(encoded(picture())))
    assert (row.state, row.error_code) == ("failed", "job.other_weights")


def test_a_crash_inside_a_model_fails_with_a_sentence_and_a_second_message_changes_nothing(desk: Desk) -> None:
    def crash(_call: int) -> None:
        raise RuntimeError("broken")

    desk.before = crash
    query_id = desk.send(encoded(picture()))
    assert desk.run(query_id).error_code == "job.internal"
    assert desk.run(query_id).claim_count == 1


def test_expired_queries_go_with_their_pictures(desk: Desk) -> None:
    query_id = desk.send(encoded(picture()))
    with desk.sessions.begin() as session:
        QUERIES.tidy(session, desk.storage, desk.settings, after(desk.settings.query_expiry_s + 1))
        assert queries.known_ids(session) == set()
    assert not desk.storage.query(query_id).folder.exists()


def test_pictures_without_a_row_are_removed_once_they_are_old(desk: Desk) -> None:
    kept, lost = desk.send(encoded(picture())), new_id()
    desk.storage.query(lost).folder.mkdir()
    desk.storage.remove_unknown_queries({kept}, min_age_s=60)
    assert desk.storage.query(lost).folder.exists()
    desk.storage.remove_unknown_queries({kept}, min_age_s=0)
    assert desk.storage.query(kept).folder.exists()
    assert not desk.storage.query(lost).folder.exists()

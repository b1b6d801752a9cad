"""The command line asks a real site over HTTP; only detector and embedder follow a script."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import Engine
from werkzeug.serving import make_server

from app import create_app, migrate_database
from config import Settings
from errors import DataError
from reid.__main__ import main
from reid.site import Site
from store.database import make_engine, session_factory
from store.files import Storage
from tests.pipeline.scripted import BLUE, GREEN, RED, Block, BlockDetector, ColourEmbedder, make_video
from web.database import db
from worker.attempt import Workplace, run_attempt
from worker.queries import ModelShelf, QueryPlace, run_query

Pair = tuple[BlockDetector, ColourEmbedder]


def scripted_models(settings: Settings, wishes: Mapping[str, Any], threads: int) -> Pair:
    return BlockDetector(), ColourEmbedder()


class Workers:
    """What a worker would do, at once, when it is rung."""

    def __init__(self, settings: Settings) -> None:
        self.engine: Engine = make_engine(settings.resolved_database_url())
        shared: dict[str, Any] = {
            "settings": settings,
            "sessions": session_factory(self.engine),
            "storage": Storage(settings.data_dir),
            "worker": "tester",
            "build_models": scripted_models,
        }
        self._jobs = Workplace(is_stopping=lambda: False, **shared)
        self._queries = QueryPlace(**shared)
        self.is_awake = True

    def run_job(self, job_id: str) -> bool:
        run_attempt(job_id, self._jobs)
        return True

    def run_query(self, query_id: str) -> bool:
        if self.is_awake:
            run_query(query_id, self._queries, ModelShelf())
        return True


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Workers]]:
    """Serve a site with a video of two people and a car; return its address and its workers."""
    folder = tmp_path_factory.mktemp("site")
    settings = Settings(data_dir=folder / "data", cpu_threads=1)
    migrate_database(settings)
    workers = Workers(settings)
    app = create_app(settings, ring=workers.run_job, ring_query=workers.run_query)
    blocks = [Block(RED, (10, 20)), Block(GREEN, (10, 100)), Block(BLUE, (10, 170), size=(48, 24))]
    video = make_video(folder / "gate.mkv", blocks)
    with video.open("rb") as file:
        form = {"camera": "gate", "started_at": "2026-11-21T08:00:00+00:00", "file": (file, "gate.mkv")}
        assert app.test_client().post("/api/v1/videos", data=form).status_code == 201
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", workers
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()
    workers.engine.dispose()


def write_picture(path: Path, colour: tuple[int, int, int]) -> Path:
    cv2.imwrite(str(path), np.full((96, 40, 3), colour, np.uint8))
    return path


def test_the_person_in_a_picture_is_found_on_the_site(site: tuple[str, Workers], tmp_path: Path) -> None:
    address, _ = site
    picture = write_picture(tmp_path / "q.png", RED)
    found = Site(address).search([picture, picture], top=5, min_score=-1, rerank=False)
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    assert len(found) == 2  # the car is of another kind
    assert found[0].score > 0.99
    assert found[0].score > found[1].score
    assert "gate" in found[0].place
    assert "2026-11-21" in found[0].place
    assert re.match(rf"{address}/videos/[0-9a-f]{{32}}\?", found[0].address)
    blue, green, red = found[0].load().reshape(-1, 3).mean(axis=0)
    assert red > 2 * max(blue, green)


def test_what_was_sent_is_deleted_from_the_site(site: tuple[str, Workers], tmp_path: Path) -> None:
    address, workers = site
    Site(address).search([write_picture(tmp_path / "q.png", RED)], top=1, min_score=-1, rerank=True)
    with workers.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM query").scalar() == 0


def test_the_command_shows_the_site_s_answers(
    site: tuple[str, Workers], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, _ = site
    flags = ["--query", str(write_picture(tmp_path / "q.png", GREEN)), "--gallery", address, "--json"]
    assert main(["search", *flags, "--min_score", "0.9", "--html", str(tmp_path / "found.html")]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["rank"] for answer in answers] == [1]
    assert (tmp_path / "found.html").read_text("utf-8").count("data:image/jpeg") == 2


def test_a_picture_of_nobody_is_said_in_the_site_s_words(site: tuple[str, Workers], tmp_path: Path) -> None:
    address, _ = site
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((80, 200, 3), 120, np.uint8))
    with pytest.raises(DataError, match=r"did not answer the question: .*\."):
        Site(address).search([tmp_path / "grey.png"], top=5, min_score=-1, rerank=False)
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="did not answer the question"):
        Site(address).search([tmp_path / "no.png"], top=5, min_score=-1, rerank=False)


def test_a_site_whose_worker_sleeps_is_given_up_with_the_reason(site: tuple[str, Workers], tmp_path: Path) -> None:
    address, workers = site
    workers.is_awake = False
    try:
        with pytest.raises(DataError, match=r"within 0 seconds\. Check that its worker runs"):
            Site(address, patience_s=0).search(
                [write_picture(tmp_path / "q.png", RED)], top=5, min_score=-1, rerank=False
            )
    finally:
        workers.is_awake = True


def test_where_no_site_is_the_sentence_says_so(site: tuple[str, Workers], tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "q.png", RED)
    with pytest.raises(DataError, match=r"No site answers at http://127\.0\.0\.1:9/"):
        Site("http://127.0.0.1:9").search([picture], top=5, min_score=-1, rerank=False)
    with pytest.raises(ValueError, match="begins with http"):
        Site("file:///etc")
    with pytest.raises(DataError, match=r"missing\.png"):
        Site(site[0]).search([tmp_path / "missing.png"], top=5, min_score=-1, rerank=False)

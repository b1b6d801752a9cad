"""The steps in ``migrations/`` lead to the tables in `store.tables`, and back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, text
from sqlalchemy.exc import IntegrityError

from store.database import make_engine
from store.migrate import current_revision, downgrade, head_revision, is_current, upgrade
from store.tables import Base
from tests.databases import database_url as database_url


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def test_upgrading_an_empty_database_gives_exactly_the_models(empty: Engine) -> None:
    upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    assert is_current(empty)
    assert current_revision(empty) == head_revision()


def test_migrated_constraints_equal_those_of_the_models(empty: Engine, database_url: str) -> None:
    upgrade(empty)
    migrated = _constraints(empty)
    downgrade(empty, "base")
    _models().create_all(empty)
    assert _constraints(empty) == migrated


def test_a_database_never_migrated_is_not_current(empty: Engine) -> None:
    assert current_revision(empty) is None
    assert not is_current(empty)


def test_downgrading_to_base_leaves_no_table(empty: Engine) -> None:
    upgrade(empty)
    downgrade(empty, "base")
    assert set(inspect(empty).get_table_names()) <= {"alembic_version"}
    upgrade(empty)
    assert is_current(empty)


def test_upgrading_twice_keeps_the_rows(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("INSERT INTO camera (name, place, time_zone) VALUES ('Gate', '', '')"))
    upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM camera")) == 1


def test_two_processes_that_upgrade_at_once_take_turns(database_url: str) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(4)

    def start() -> None:
        engine = make_engine(database_url)
        barrier.wait()
        try:
            upgrade(engine)
        except BaseException as error:  # noqa: BLE001  # shown by the assertion below
            failures.append(error)
        engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_failing_step_leaves_the_database_as_it_was(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE track (id INTEGER)"))
    with pytest.raises(Exception, match="track"):
        upgrade(empty)
    assert inspect(empty).get_table_names() == ["track"]


def test_jobs_of_an_older_database_are_kept_and_new_kinds_end_on_the_way_down(empty: Engine) -> None:
    upgrade(empty, "0001")
    _insert(empty, "camera", name="Gate", place="", time_zone="")
    for number in (1, 2):
        _insert(empty, "video", **_VIDEO, id=f"v{number}")
    _insert(empty, "job", **_JOB, id="old", kind="track", state="queued", video_id="v1")
    upgrade(empty)
    _insert(empty, "job", **_JOB, id="drawing", kind="render", state="running", video_id="v2")
    _insert(empty, "job", **_JOB, id="again", kind="retrack", state="done", video_id="v2", preset="fast")
    assert _states(empty) == {"old": "queued", "drawing": "running", "again": "done"}
    downgrade(empty, "0001")
    assert _states(empty) == {"old": "queued", "drawing": "cancelled", "again": "done"}
    assert not {"preset", "tracker"} & {column["name"] for column in inspect(empty).get_columns("job")}
    upgrade(empty)
    assert is_current(empty)


def test_a_second_live_job_of_another_kind_breaks_a_rule_since_the_second_step(empty: Engine) -> None:
    upgrade(empty)
    _insert(empty, "camera", name="Gate", place="", time_zone="")
    _insert(empty, "video", **_VIDEO, id="v1")
    _insert(empty, "job", **_JOB, id="first", kind="track", state="queued", video_id="v1")
    with pytest.raises(IntegrityError):
        _insert(empty, "job", **_JOB, id="second", kind="render", state="queued", video_id="v1")


def test_results_of_an_older_database_are_searchable_and_unknown_jobs_end_on_the_way_down(empty: Engine) -> None:
    upgrade(empty, "0003")
    _insert(empty, "camera", name="Gate", place="", time_zone="")
    for number in (1, 2):
        _insert(empty, "video", **_VIDEO, id=f"v{number}")
    _insert(empty, "job", **_JOB, id="done", kind="track", state="done", video_id="v1")
    with empty.begin() as connection:
        connection.execute(text("UPDATE video SET result_job_id = 'done' WHERE id = 'v1'"))
    upgrade(empty)
    with empty.connect() as connection:
        rows = connection.execute(text("SELECT id, vectors FROM video ORDER BY id"))
        assert [tuple(row) for row in rows] == [("v1", "done"), ("v2", None)]
        assert connection.scalar(text("SELECT clock_offset_s FROM camera")) == 0
    _insert(empty, "job", **_JOB, id="describing", kind="embed", state="running", video_id="v1")
    downgrade(empty, "0003")
    assert _states(empty) == {"done": "done", "describing": "cancelled"}
    tables = set(inspect(empty).get_table_names())
    assert not {"query", "query_person", "setting", "embedding_model", "track_embedding", "camera_link"} & tables
    upgrade(empty)
    assert is_current(empty)


_VIDEO: dict[str, object] = {
    "camera_id": 1, "name": "a.mp4", "bytes": 1, "sha256": "", "container": "", "codec": "", "pixel_format": "",
    "width": 1, "height": 1, "duration_s": 1.0, "frame_rate": 25.0, "sample_aspect": 1.0, "rotation_deg": 0,
    "created_at": "2024-05-01 12:00:00",
}  # fmt: skip
_JOB: dict[str, object] = {
    "settings": "{}", "cancel_requested": False, "claim_count": 0, "attempt": 0, "max_attempts": 3, "progress": 0.0,
    "error_params": "{}", "stage_seconds": "{}", "created_at": "2024-05-01 12:00:00",
}  # fmt: skip


def _insert(engine: Engine, table: str, **values: object) -> None:
    columns, names = ", ".join(values), ", ".join(f":{name}" for name in values)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({names})"), values)  # noqa: S608  # names of this file


def _states(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row.id: row.state for row in connection.execute(text("SELECT id, state FROM job"))}


def _models() -> MetaData:
    """Copy the tables: SQLAlchemy remembers in a constraint that it was once added by ALTER TABLE."""
    models = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(models)
    return models


def _constraints(engine: Engine) -> dict[str, object]:
    found = inspect(engine)
    return {
        table: (
            sorted((key["name"], key["options"]) for key in map(dict, found.get_foreign_keys(table))),
            sorted(check["name"] for check in found.get_check_constraints(table)),
            sorted((index["name"], index["unique"]) for index in found.get_indexes(table)),
            sorted(unique["name"] for unique in found.get_unique_constraints(table)),
        )
        for table in sorted(set(found.get_table_names()) - {"alembic_version"})
    }

"""The web application, and `python app.py`, which serves it with its background workers.

::

    python app.py                  migrate the database, then run web server and workers until Ctrl-C
    python app.py web              the web server alone
    python app.py worker           the worker of the jobs alone
    python app.py search-worker    the worker of the searches by picture alone
    python app.py migrate          bring the database up to date and end
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from apiflask import APIFlask

from config import Settings
from store import migrate
from store.database import make_engine
from store.files import Storage
from supervise import PortInUseError, check_port, run_alone, run_both
from web.database import connect
from web.routes import register
from web.services import EXTENSION, Services
from web.site import VERSION

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def create_app(
    settings: Settings,
    *,
    ring: Callable[[str], object] | None = None,
    ring_query: Callable[[str], object] | None = None,
) -> APIFlask:
    """Return the web application; the database must be migrated already.

    Parameters
    ----------
    ring, ring_query : tell a worker that a job or a search by picture waits, and say whether that worked; by Celery
        where not given.
    """
    app = APIFlask(
        "resight",
        title="Resight",
        version=VERSION,
        spec_path=None,
        docs_path=None,
        json_errors=False,
        root_path=str(ROOT),
        static_folder="static",
        template_folder="templates",
    )
    app.config["SECRET_KEY"] = settings.resolved_secret_key()
    app.extensions[EXTENSION] = Services(
        settings=settings,
        storage=Storage(settings.data_dir.absolute()),
        ring=ring or _celery_ring(settings),
        ring_query=ring_query or _celery_ring(settings, "queries"),
    )
    connect(app, settings)
    register(app, settings)
    return app


def wsgi() -> APIFlask:
    """Return the application with the environment's settings, for gunicorn."""
    settings = Settings.from_env()
    set_up_logging(settings)
    return create_app(settings)


def set_up_logging(settings: Settings) -> None:
    """Log to standard error as the settings say."""
    logging.basicConfig(level=settings.log_level.upper(), format=_LOG_FORMAT)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # its notes on the dialect are no news


def migrate_database(settings: Settings) -> None:
    """Make the data folder and bring the database to the tables that this code knows."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.resolved_database_url())
    try:
        migrate.upgrade(engine)
    finally:
        engine.dispose()


def _celery_ring(settings: Settings, queue: str = "jobs") -> Callable[[str], object]:
    # Importing it reads the environment, which `main` wants to do first, and say what is wrong there.
    from tasks import make_ring

    return make_ring(settings, queue)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Serve Resight.")
    parser.add_argument(
        "part", nargs="?", choices=["web", "worker", "search-worker", "migrate"], help="run this part alone"
    )
    part = parser.parse_args(arguments).part
    try:
        settings = Settings.from_env()
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command line's own output
        return 2
    set_up_logging(settings)
    if part in ("web", "worker", "search-worker"):
        return run_alone(part, settings)
    if part == "migrate":
        migrate_database(settings)
        return 0
    try:
        check_port(settings.host, settings.port)
        migrate_database(settings)
        return run_both(settings)
    except PortInUseError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command line's own output
        return 1


if __name__ == "__main__":
    sys.exit(main())

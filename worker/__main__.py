"""`python -m worker`: what is done to the data of an installation by hand.

``forget`` makes deletions final and takes names out of old history; ``export`` writes the confirmed identities
as a data set.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from search.scrub import erase_gone
from store import data_sets, forgetting
from store.database import make_engine, session_factory
from store.files import Storage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    options = _parser().parse_args(arguments)
    settings = Settings.from_env()
    engine = make_engine(settings.resolved_database_url())
    try:
        sessions, storage = session_factory(engine), Storage(settings.data_dir)
        if options.command == "forget":
            count = forget(sessions, storage, datetime.now(timezone.utc) - timedelta(days=options.days))
            _say(
                f"Forgot what was done to identities more than {options.days} days ago; {count} pictures went with it."
            )
        else:
            count = export(sessions, storage, options.format, options.out)
            _say(f"Wrote {count} files of confirmed identities to {options.out}.")
    finally:
        engine.dispose()
    return 0


def forget(sessions: sessionmaker[Session], storage: Storage, before: datetime) -> int:
    """Make what was done before a moment final; return how many pictures were removed."""
    with sessions.begin() as session:
        remains = forgetting.forget_history(session, before)
    count = remains.remove(storage)
    with sessions() as session:
        erase_gone(session, storage.search_dir)
    return count


def export(sessions: sessionmaker[Session], storage: Storage, form: str, folder: Path) -> int:
    """Write all confirmed identities below ``folder``; return the number of files.

    Parameters
    ----------
    form : one of `store.data_sets.FORMS`.
    """
    with sessions() as session:
        confirmed = data_sets.confirmed_sightings(session)
    count = 0
    for name, pieces in data_sets.contents(confirmed, storage, form):
        _write(folder / name, pieces)
        count += 1
    return count


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m worker", description="Work on the data of this installation.")
    commands = parser.add_subparsers(dest="command", required=True)
    forgetting_options = commands.add_parser(
        "forget",
        help="make old deletions final",
        description="Make deletions of identities final, and take names out of the history, where they are older "
        "than so many days. What is forgotten cannot be undone.",
    )
    forgetting_options.add_argument("--days", type=_days, required=True, help="how old; 0 forgets the whole history")
    export_options = commands.add_parser(
        "export", help="write the confirmed identities as a data set", description="Write the confirmed identities."
    )
    export_options.add_argument("--format", choices=data_sets.FORMS, required=True, help="the layout")
    export_options.add_argument("--out", type=Path, required=True, help="the folder to write to")
    return parser


def _days(text: str) -> int:
    days = int(text)
    if not 0 <= days <= 36500:
        raise argparse.ArgumentTypeError(f"{days} is not 0 to 36500 days")
    return days


def _say(text: str) -> None:
    print(text)  # noqa: T201  # the command line's own output


if __name__ == "__main__":
    sys.exit(main())

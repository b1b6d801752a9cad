"""``python -m model list | pull | verify``: public weights for the detector and the embedder.

``python -m model pull yolox_s --use`` downloads, checks and installs a detector.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from errors import ResightError
from model.download import Downloader
from model.public_weights import PUBLIC_WEIGHTS, PublicWeights, Purpose, find_public_weights
from model.pull import (
    DETECTION_DIR,
    EMBEDDING_DIR,
    WEIGHTS_DIR,
    ModelFolders,
    Verdict,
    WeightsFolder,
    keep_beside,
    refuse_taken,
    use,
)

_MIB = 1024**2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parse(arguments)
    try:
        status: int = options.run(options)
    except ResightError as error:
        return _tell(str(error), 1)
    except OSError as error:
        return _tell(f"This cannot be done: {error}.", 1)
    except KeyboardInterrupt:
        return _tell("Stopped. Run the command again; a download goes on from where it is.", 130)
    return status


def _tell(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return status


def _list(options: argparse.Namespace) -> int:
    folder = WeightsFolder(options.dir)
    rows = [(entry, (folder.path / entry.file_name).is_file()) for entry in PUBLIC_WEIGHTS.values()]
    if options.json:
        print(json.dumps([_facts(entry) | {"is_here": is_here} for entry, is_here in rows], indent=2))  # noqa: T201
        return 0
    for entry, is_here in rows:
        size = f"{entry.size_bytes / _MIB:.0f} MiB" if entry.size_bytes else "size unknown"
        state = f"here: {folder.path / entry.file_name}" if is_here else "not pulled"
        print(f"{entry.name}\n  {entry.about}\n  {_destination(entry)} · {entry.licence} · {size} · {state}")  # noqa: T201
    return 0


def _pull(options: argparse.Namespace) -> int:
    folder = WeightsFolder(options.dir)
    entries = [find_public_weights(name) for name in options.names]
    for entry in entries:
        print(f"{entry.name}: {entry.about}. Licence: {entry.licence}.")  # noqa: T201
        with _Bar() as bar:
            pulled = folder.pull(entry, Downloader(), url=options.url, on_progress=bar.show)
        print(f"  {'Already here' if pulled.was_there else 'Downloaded'}: {pulled.path}")  # noqa: T201
        print(f"  SHA-256 {pulled.sha256}, {_word_of(pulled.verdict)}")  # noqa: T201
        if options.use:
            folders = ModelFolders(detection=options.det_model_dir, embedding=options.emb_model_dir)
            for place in use(entry, pulled.path, folders, set_aside=keep_beside if options.replace else refuse_taken):
                print(f"  In use: {place}")  # noqa: T201
    return 0


def _verify(options: argparse.Namespace) -> int:
    folder = WeightsFolder(options.dir)
    entries = [find_public_weights(name) for name in options.names] or list(PUBLIC_WEIGHTS.values())
    verdicts = {entry.name: folder.verify(entry) for entry in entries}
    shown = {name: one for name, one in verdicts.items() if options.names or one is not Verdict.ABSENT}
    for name, verdict in shown.items():
        print(f"{name}: {verdict.value}")  # noqa: T201
    if not shown:
        print(f"Nothing has been pulled into {folder.path} yet.")  # noqa: T201
    is_fine = all(one is not Verdict.WRONG for one in shown.values())
    return 0 if is_fine and not (options.names and Verdict.ABSENT in shown.values()) else 1


def _facts(entry: PublicWeights) -> dict[str, object]:
    return {
        "name": entry.name,
        "purpose": entry.purpose.value,
        "about": entry.about,
        "licence": entry.licence,
        "url": entry.url,
        "file_name": entry.file_name,
        "size_bytes": entry.size_bytes,
        "sha256": entry.sha256 or None,
        "architecture": entry.architecture or None,
    }


def _destination(entry: PublicWeights) -> str:
    return {
        Purpose.DETECTOR: f"detector, goes to {DETECTION_DIR}/",
        Purpose.EMBEDDER: f"embedder, goes to {EMBEDDING_DIR}/",
        Purpose.BOTH: f"detector and embedder, go to {DETECTION_DIR}/ and {EMBEDDING_DIR}/",
        Purpose.CHECKPOINT: "checkpoint, to start a training from",
    }[entry.purpose]


def _word_of(verdict: Verdict) -> str:
    if verdict is Verdict.RIGHT:
        return "as published"
    return "recorded at the first download: its publisher gives no whole checksum to compare with"


class _Bar:
    """A progress bar in bytes that appears with the first of them."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, done: int, total: int | None) -> None:
        """Move the bar to ``done`` bytes."""
        if self._bar is None:
            self._bar = tqdm(total=total, initial=done, unit="B", unit_scale=True, unit_divisor=1024, file=sys.stderr)
        self._bar.update(done - self._bar.n)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model", description="Public weights: list, pull, verify.")
    commands = parser.add_subparsers(required=True, metavar="list | pull | verify")
    listing = commands.add_parser("list", help="what can be pulled, for what, under which licence")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_list)
    pull = commands.add_parser("pull", help="download and check weights; goes on where it broke off")
    pull.add_argument("names", nargs="+", metavar="NAME", help="as `list` shows them")
    pull.add_argument("--url", help="fetch from this address instead, e.g. a mirror; checked all the same")
    pull.add_argument("--use", action="store_true", help="put them where jobs find them")
    pull.add_argument("--replace", action="store_true", help="with --use: set aside what is there now")
    pull.add_argument("--det_model_dir", type=Path, default=DETECTION_DIR, help=f"({DETECTION_DIR})")
    pull.add_argument("--emb_model_dir", type=Path, default=EMBEDDING_DIR, help=f"({EMBEDDING_DIR})")
    pull.set_defaults(run=_pull)
    verify = commands.add_parser("verify", help="compare what was pulled with its checksums")
    verify.add_argument("names", nargs="*", metavar="NAME", help="all that are here, where none is named")
    verify.set_defaults(run=_verify)
    for command in (listing, pull, verify):
        command.add_argument("--dir", type=Path, default=WEIGHTS_DIR, help=f"folder of the downloads ({WEIGHTS_DIR})")
    options = parser.parse_args(arguments)
    if getattr(options, "url", None) and len(options.names) > 1:
        parser.error("--url goes with one name")
    return options


if __name__ == "__main__":
    raise SystemExit(main())

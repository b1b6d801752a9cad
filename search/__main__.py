"""The command line of searching: ``python -m search calibrate``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from config import Settings
from errors import ResightError
from records import FloatArray, IntArray
from search import calibration
from search.calibration import Calibration
from store import models
from store.database import make_engine, session_factory


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m search", description="Tools around searching.")
    commands = parser.add_subparsers(dest="command", required=True)
    help_text = "Measure how far the similarities of the model in use can be trusted, and keep that for searches."
    command = commands.add_parser("calibrate", help=help_text, description=help_text)
    command.add_argument("--folder", type=Path, help="labelled pictures; without it, what people decided at the site")
    command.add_argument("--layout", default="folders", help="of the folder, as python -m reid knows it")
    command.add_argument("--false_match_rate", type=float, default=calibration.DEFAULT_FALSE_MATCH_RATE)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    try:
        measured = _calibrate(Settings.from_env(), options)
    except (ResightError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command line's own output
        return 1
    print(_report(measured))  # noqa: T201  # the command line's own output
    return 0


def _calibrate(settings: Settings, options: argparse.Namespace) -> Calibration:
    engine = make_engine(settings.resolved_database_url())
    try:
        with session_factory(engine).begin() as session:
            active = models.active(session)
            if not active.name:
                raise ResightError("search.no_model")
            if options.folder is None:
                found, source = calibration.from_decisions(session, active.name), calibration.DECISIONS
            else:
                features, identities, cameras = _embed_folder(settings, active, options)
                found, source = calibration.from_labels(features, identities, cameras), calibration.FOLDER
            now = datetime.now(timezone.utc)
            measured = calibration.calibrated(found, source=source, now=now, false_match_rate=options.false_match_rate)
            models.set_calibration(session, active.name, measured.as_json())
            return measured
    finally:
        engine.dispose()


def _embed_folder(
    settings: Settings, active: models.ActiveModel, options: argparse.Namespace
) -> tuple[FloatArray, IntArray, IntArray]:
    """Return vectors, identities and cameras of labelled pictures, by the model in use."""
    from model.registry import build_embedder
    from model.stored_name import stored_name
    from reid.datasets import read_dataset
    from reid.embed_files import embed_files

    name = active.choice or settings.embedder
    embedder = build_embedder(name, settings.emb_model_dir, threads=settings.cpu_threads, use_gpu=settings.use_gpu)
    if stored_name(embedder.info) != active.name:
        raise ResightError("job.other_weights", found=stored_name(embedder.info), wanted=active.name)
    images = read_dataset(options.layout, options.folder).images
    features = embed_files(embedder, [image.path for image in images])
    identities = np.array([image.identity for image in images], np.int64)
    return features, identities, np.array([image.camera for image in images], np.int64)


def _report(measured: Calibration) -> str:
    return (
        f"{measured.same_pairs} pairs of the same one, {measured.different_pairs} of two: "
        f"EER {measured.equal_error_rate:.4f}, AUC {measured.area_under_curve:.4f}\n"
        f"probable from {measured.probable_from:.4f} (finds {measured.probable_true_match_rate:.1%}, "
        f"wrong {measured.probable_false_match_rate:.2%})\n"
        f"possible from {measured.possible_from:.4f} (finds {measured.possible_true_match_rate:.1%}, "
        f"wrong {measured.possible_false_match_rate:.2%})"
    )


if __name__ == "__main__":
    sys.exit(main())

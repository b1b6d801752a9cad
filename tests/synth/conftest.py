"""A small bank of sprites and places, rendered once."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.banks import BackdropBank, SpriteBank, build_banks, load_banks


@pytest.fixture(scope="session")
def bank_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 25 poses, 25 vehicles and 7 views of one place."""
    folder = tmp_path_factory.mktemp("bank")
    build_banks(folder, people=25, vehicles=25, backdrops=7, seed=900, jobs=1)
    return folder


@pytest.fixture(scope="session")
def banks(bank_folder: Path) -> tuple[SpriteBank, BackdropBank]:
    """Return what `bank_folder` holds."""
    return load_banks(bank_folder)

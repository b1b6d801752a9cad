"""Small Paddle exports in each format, written once a session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FORMATS = ("json", "pdmodel", "__model__")


@pytest.fixture(scope="session")
def paddle_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``detector`` and ``embedder`` in today's and in the old format."""
    folder = tmp_path_factory.mktemp("paddle")
    writer = Path(__file__).with_name("make_paddle_models.py")
    for flag in ("1", "0"):
        environment = {**os.environ, "FLAGS_enable_pir_api": flag}
        subprocess.run([sys.executable, writer, folder], check=True, env=environment, capture_output=True)
    return folder


@pytest.fixture
def copy_export(paddle_models: Path) -> Callable[[str, str, Path], Path]:
    """Return a function that copies the export (name, format) into a folder of its own."""

    def copy(name: str, file_format: str, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        params = paddle_models / f"{name}.pdiparams"
        if file_format == "__model__":
            shutil.copy(paddle_models / f"{name}.pdmodel", folder / "__model__")
            shutil.copy(params, folder / "__params__")
        else:
            shutil.copy(paddle_models / f"{name}.{file_format}", folder / f"model.{file_format}")
            shutil.copy(params, folder / "model.pdiparams")
        return folder

    return copy

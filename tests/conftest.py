"""What all tests share: where the measuring data lies, and small real videos."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder with real sequences and models; skip where it is absent."""
    path = Path(os.environ.get("RESIGHT_TEST_SHARED", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"no measuring data at {path}; set RESIGHT_TEST_SHARED")
    return path


@pytest.fixture(scope="session")
def vtest_avi(shared_dir: Path) -> Path:
    """Return the PETS09-S2L1 video (795 frames of 768×576)."""
    return shared_dir / "data" / "PETS09-S2L1" / "vtest.avi"


@pytest.fixture(scope="session")
def yolox_onnx(shared_dir: Path) -> Path:
    """Return YOLOX-nano's ONNX file."""
    path = shared_dir / "models" / "yolox_nano.onnx"
    if not path.is_file():
        pytest.skip(f"no {path.name} at {path.parent}")
    return path

"""What a model is called in the database: its name, and what its weights are, since other weights are another model."""

from __future__ import annotations

import hashlib
from pathlib import Path

from records import ModelInfo

_DIGITS = 8
_BLOCK_BYTES = 1 << 20


def stored_name(info: ModelInfo) -> str:
    """Return the name of a model with the first digits of its weights' hash, ``resnet101_vd@1f2e3d4c``."""
    if not info.source:
        return info.name
    return f"{info.name}@{weights_hash(Path(info.source))}"


def weights_hash(path: Path) -> str:
    """Return the first digits of a hash over a file, or over all files of a folder with their names."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for file in files:
        if path.is_dir():
            digest.update(str(file.relative_to(path)).encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()[:_DIGITS]


def repeatable_choice(info: ModelInfo, asked: str) -> str:
    """Return what to ask for to get the same model again, where ``auto`` may come to mean another one."""
    return info.name if info.name in ("hsv_stripes", "builtin") else asked

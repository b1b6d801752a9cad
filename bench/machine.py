"""The machine and the commit that a bench ran on."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from pipeline.threads import available_cores

_ROOT = Path(__file__).resolve().parent.parent


def machine_line() -> str:
    """Return the processor and the commit that are being measured."""
    models = [line for line in _cpu_lines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.processor()
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=_ROOT, capture_output=True, text=True, check=False).stdout.strip()
    python = f"Python {platform.python_version()}"
    return f"{available_cores()} cores, {model} ({platform.machine()}), {python}, commit {commit}"


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text("utf-8").splitlines() if path.exists() else []

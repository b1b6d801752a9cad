"""How templates write sizes, durations and shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import format_decimal, format_percent

_UNITS = ("B", "KB", "MB", "GB", "TB")


def bytes_size(count: float | None) -> str:
    """Return ``1.5 KB`` for 1536; empty for None."""
    if count is None:
        return ""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    digits = "#,##0" if unit == 0 or count >= 100 else "#,##0.#"
    return f"{format_decimal(count, format=digits)} {_UNITS[unit]}"


def duration(seconds: float | None) -> str:
    """Return ``1:02:03`` or ``0:07``; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def percent(share: float | None) -> str:
    """Return ``42%`` for 0.42; empty for None."""
    return "" if share is None else format_percent(share, format="#,##0%")


def local_number(number: float | None) -> str:
    """Return a number as the reader's language groups it; empty for None."""
    return "" if number is None else format_decimal(number, format="#,##0.##")


def stage_shares(stage_seconds: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the stages that took any time with their shares of all work, 0 to 1, and where each begins."""
    total_s = sum(stage_seconds.values())
    shown, begin = [], 0.0
    for name, spent_s in stage_seconds.items():
        if spent_s <= 0 or total_s <= 0:
            continue
        share = spent_s / total_s
        shown.append({"name": name, "seconds": spent_s, "share": share, "begin": begin})
        begin += share
    return shown


FILTERS: dict[str, Callable[[Any], Any]] = {
    "bytes_size": bytes_size,
    "duration": duration,
    "percent": percent,
    "local_number": local_number,
    "stage_shares": stage_shares,
}

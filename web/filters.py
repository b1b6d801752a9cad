"""How templates write sizes, durations and shares."""

from __future__ import annotations

from collections.abc import Callable
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


FILTERS: dict[str, Callable[[Any], str]] = {
    "bytes_size": bytes_size,
    "duration": duration,
    "percent": percent,
    "local_number": local_number,
}

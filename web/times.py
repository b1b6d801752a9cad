"""Wall-clock times on their way in and out: ISO 8601, UTC inside."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from errors import RequestError

_YEARS = (1970, 2200)


def find_zone(name: str | None) -> ZoneInfo:
    """Return the IANA time zone called ``name``; UTC for none.

    Raises
    ------
    RequestError
        for a name that is no time zone.
    """
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RequestError("request.time_zone", status=422, value=str(name)[:64]) from error


def parse_time(text: str | None, zone: ZoneInfo) -> datetime | None:
    """Return an ISO 8601 time in UTC, None for an empty one.

    Parameters
    ----------
    zone : the zone of a time that names no offset, as a form's ``datetime-local`` sends it.

    Raises
    ------
    RequestError
        for text that is no time, or one outside 1970 to 2200.
    """
    text = (text or "").strip()
    if not text:
        return None
    try:
        # Python 3.10 does not read the Z.
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1] in "zZ" else text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        moment = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise RequestError("request.time", status=422, value=text[:64]) from error
    if not _YEARS[0] <= moment.year < _YEARS[1]:
        raise RequestError("request.time", status=422, value=text[:64])
    return moment


def format_time(moment: datetime | None) -> str | None:
    """Return ``2026-11-21T08:00:00Z``; a time without a zone is taken as UTC, as SQLite returns it."""
    if moment is None:
        return None
    utc = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    has_fraction = utc.microsecond > 0
    return utc.replace(tzinfo=None).isoformat(timespec="milliseconds" if has_fraction else "seconds") + "Z"

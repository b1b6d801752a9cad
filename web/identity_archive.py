"""An identity as a zip file that is written while it is sent: pictures, clips, the route, and hashes of all of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from store.files import ReelFiles, Storage
from store.identity_tables import Identity
from store.sightings import Sighting
from web.present import result_files
from web.times import format_time
from web.zip_stream import stream_zip

_PIECE_BYTES = 1 << 18
_COLUMNS = (
    "sighting", "camera", "place", "video", "track", "kind", "began_at", "ended_at", "first_s", "last_s",
    "is_confirmed", "picture",
)  # fmt: skip


def archive(
    row: Identity, seen: Sequence[Sighting], storage: Storage, *, reel: ReelFiles | None, now: datetime
) -> Iterator[bytes]:
    """Yield the zip file.

    Parameters
    ----------
    reel : the clips and the film; None where they have not been made.
    """
    about = {
        "identity": row.id,
        "name": row.name,
        "note": row.note,
        "kind": row.kind,
        "made_at": format_time(now),
        "sightings": len(seen),
        "confirmed": sum(one.track.is_confirmed for one in seen),
        "has_clips": reel is not None,
    }
    return stream_zip(_contents(row, seen, storage, reel), about)


def _contents(
    row: Identity, seen: Sequence[Sighting], storage: Storage, reel: ReelFiles | None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    pictures: dict[int, str] = {}
    for number, one in enumerate(seen, start=1):
        files = result_files(one.video, storage)
        for place, path in enumerate(files.crops(one.track.number) if files is not None else []):
            name = f"pictures/{number:04d}{f'-{place}' if place else ''}.jpg"
            pictures.setdefault(number, name)
            yield name, _read(path)
    if reel is not None:
        for path in reel.clips():
            yield f"clips/{path.name}", _read(path)
        yield "film.mp4", _read(reel.film)
    yield "sightings.csv", [_csv(row, seen, pictures).encode()]


def _csv(row: Identity, seen: Sequence[Sighting], pictures: dict[int, str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, one in enumerate(seen, start=1):
        track, camera = one.track, one.camera
        writer.writerow(
            (
                number,
                *(_plain(text) for text in (camera.name, camera.place, one.video.name)),
                track.number,
                row.kind,
                *(format_time(moment) or "" for moment in (one.began_at, one.ended_at)),
                *(f"{moment_s:.3f}" for moment_s in (track.first_s, track.last_s)),
                int(track.is_confirmed),
                pictures.get(number, ""),
            )
        )
    return text.getvalue()


def _plain(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece

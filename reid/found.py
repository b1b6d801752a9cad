"""Answers of a search as lines for a terminal, as JSON, and as one HTML page with the pictures inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records import Image
from reid.html_pictures import address_of_crop, render_page, write_whole


@dataclass(frozen=True)
class Found:
    """One answer, wherever it comes from. A suggestion, never a fact.

    Attributes
    ----------
    rank : from 1; score : cosine similarity.
    identity : whose it is, as far as the gallery knows; empty where it does not.
    place : the file; or camera and time.
    address : of the file or of the moment in the video.
    word : what the site's calibration calls the score, e.g. ``probable``; empty without one.
    load : returns the picture, (h, w, 3) uint8 BGR.
    """

    rank: int
    score: float
    identity: str
    place: str
    address: str
    word: str
    load: Callable[[], Image]

    def as_json(self) -> dict[str, Any]:
        """Return it without the picture, of JSON types."""
        names = ("rank", "score", "identity", "place", "address", "word")
        return {name: getattr(self, name) for name in names}


def lines_of(found: Sequence[Found]) -> Iterator[str]:
    """Yield the answers as a table: rank, score, what the score is called, identity, place."""
    width = max((len(one.identity) for one in found), default=0)
    word_width = max((len(one.word) for one in found), default=0)
    for one in found:
        parts = [f"{one.rank:4}", f"{one.score:6.3f}", one.word.ljust(word_width), one.identity.ljust(width), one.place]
        yield "  ".join(part for part in parts if part)


def write_page(path: Path, queries: Iterable[Image], found: Sequence[Found]) -> None:
    """Write a page with the queries and the answers, which needs nothing but itself."""
    page = render_page(
        "search.html",
        queries=[address_of_crop(image) for image in queries],
        answers=[(one, address_of_crop(one.load())) for one in found],
    )
    write_whole(path, page)

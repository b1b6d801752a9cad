"""Pictures to search by: received, examined by their heads alone, and kept for the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from flask import request
from PIL import Image, UnidentifiedImageError
from werkzeug.datastructures import FileStorage

from errors import RequestError
from store import queries
from store.files import QueryFiles
from store.search_tables import Query
from store.tables import new_id
from web.names import display_name
from web.receive import check_space
from web.security import MAX_FORM_BYTES
from web.services import Services, services

MAX_PICTURES = 8
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
ENDPOINTS = frozenset({"pages.add_pictures", "api.add_query"})


def allow_pictures() -> None:
    """Let requests that carry pictures be as large as these may be; called before each request."""
    if request.endpoint in ENDPOINTS:
        limit = MAX_PICTURES * services().settings.max_picture_bytes + MAX_FORM_BYTES
        request.max_content_length = limit
        check_space(request.content_length or 0)


def sent_pictures() -> list[FileStorage]:
    """Return the pictures of the request's form; a field that was left empty is none."""
    return [file for file in request.files.getlist("file") if file.filename]


def receive(bundle: Services, files: Sequence[FileStorage]) -> str:
    """Keep pictures and let them wait for a worker; return the query's id.

    Raises
    ------
    RequestError
        for too many or none, and for one that is no picture within the limits.
    """
    if not 1 <= len(files) <= MAX_PICTURES:
        raise RequestError("picture.count", status=422, count=len(files), limit=MAX_PICTURES)
    for file in files:
        _check(file, bundle)
    query_id = new_id()
    kept = bundle.storage.query(query_id)
    try:
        _keep(files, kept)
        with bundle.session() as session:
            queries.add(session, query_id, len(files), bundle.now())
            session.commit()
    except BaseException:
        kept.remove()
        raise
    bundle.ring_query(query_id)
    return query_id


def find(bundle: Services, query_id: str) -> Query:
    """Return a query with its people.

    Raises
    ------
    RequestError
        ``search.query_gone`` where there is none.
    """
    with bundle.session() as session:
        return queries.get(session, query_id)


def remove(bundle: Services, query_id: str) -> None:
    """Delete a query with its pictures."""
    with bundle.session() as session:
        queries.remove(session, query_id)
        session.commit()
    bundle.storage.query(query_id).remove()


def _keep(files: Sequence[FileStorage], kept: QueryFiles) -> None:
    kept.folder.mkdir(parents=True)
    for place, file in enumerate(files):
        file.save(kept.sent(place))


def _check(file: FileStorage, bundle: Services) -> None:
    """Refuse what is too large, is no picture, or has too many pixels; nothing is decoded."""
    name, settings = display_name(file.filename), bundle.settings
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    if size > settings.max_picture_bytes:
        raise RequestError("picture.too_large", status=413, name=name, size=size, limit=settings.max_picture_bytes)
    width, height = _size(file.stream, name)
    file.stream.seek(0)
    if width * height > settings.max_picture_pixels:
        limit = settings.max_picture_pixels
        raise RequestError("picture.too_many_pixels", status=422, name=name, width=width, height=height, limit=limit)


def _size(stream: IO[bytes], name: str) -> tuple[int, int]:
    try:
        with Image.open(stream, formats=FORMATS) as picture:
            size: tuple[int, int] = picture.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RequestError("picture.unreadable", status=422, name=name) from error
    return size

"""Reading request bodies through schemas, with complaints as our own errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from errors import RequestError


def load(schema: Schema, fields: Any) -> dict[str, Any]:
    """Return what a schema makes of ``fields``.

    Raises
    ------
    RequestError
        for the first field that does not fit.
    """
    try:
        loaded: dict[str, Any] = schema.load(fields)
    except ValidationError as error:
        code, params = describe_invalid(error.messages)
        raise RequestError(code, status=422, **params) from error
    return loaded


def load_optional_json(schema: Schema) -> dict[str, Any]:
    """Return what a schema makes of the request's JSON body, which may be missing.

    Raises
    ------
    RequestError
        for the first field that does not fit.
    """
    return load(schema, request.get_json() if request.get_data(cache=True) else {})


def describe_invalid(detail: Any) -> tuple[str, dict[str, Any]]:
    """Return the message code and its parameters for a schema's complaints, by the first of them.

    Parameters
    ----------
    detail : fields and their complaints, perhaps below the place they were found in, e.g. ``json``.
    """
    path: list[str] = []
    while isinstance(detail, Mapping) and detail:
        key, detail = next(iter(detail.items()))
        if key not in ("json", "query", "_schema"):
            path.append(str(key))
    text = str(detail[0] if isinstance(detail, list) and detail else detail).rstrip(".")
    name = ".".join(path)
    if not name:
        return "request.invalid", {"detail": text}
    if text.startswith("Missing data"):
        return "request.missing", {"name": name}
    return "request.field", {"name": name, "detail": text}

"""The OpenAPI document: what the views' schemas do not say, and the form that a reader's page shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from apiflask import APIFlask, Schema

from web.blueprints import api

View = TypeVar("View", bound=Callable[..., Any])
Document = dict[str, Any]

DESCRIPTION = (
    "People and vehicles in recorded video: upload a video, poll its job, fetch its tracks and boxes. "
    "Times are ISO 8601 in UTC, sizes are bytes, ids are opaque. Every error has the shape `Error`; "
    "its sentence comes in the language of `Accept-Language` (`en` or `zh`)."
)
TAGS = ("Videos", "Results", "Jobs", "Identities", "Search", "Cameras", "Uploads", "Site")

_ERROR_SCHEMA: Document = {
    "type": "object",
    "description": "Every error has this shape.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "params"],
            "properties": {
                "code": {"type": "string", "description": "Stable name, e.g. `media.not_video`."},
                "message": {"type": "string", "description": "A sentence that says what was found and what to do."},
                "params": {"type": "object", "description": "The values that the sentence names."},
            },
        }
    },
}


def describe(
    tag: str,
    summary: str,
    description: str = "",
    *,
    answer: type[Schema] | None = None,
    status: int = 200,
    errors: Iterable[int] = (),
    responses: Mapping[int, str] | None = None,
    files: Mapping[str, str] | None = None,
    parameters: Iterable[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    is_body_required: bool = True,
) -> Callable[[View], View]:
    """Describe a view of the API.

    Parameters
    ----------
    answer, status : the shape of its JSON answer, and that answer's status.
    errors : the statuses it may refuse with; 400 and 500 always can.
    responses : answers without a body, by status.
    files : what it answers with, by media type.
    parameters, body : in OpenAPI's own form, where no schema parses them.
    """
    answers: dict[Any, Any] = {str(status): {"description": text} for status, text in (responses or {}).items()}
    if answer is not None:
        answers[str(status)] = {
            "description": _first_line(answer),
            "content": {"application/json": {"schema": answer}},
        }
    if files:
        binary = {"schema": {"type": "string", "format": "binary"}}
        answers["200"] = {
            "description": " ".join(files.values()),
            "content": {media_type: dict(binary) for media_type in files},
        }
    for refusal in sorted({400, 500, *errors}):
        answers[str(refusal)] = {
            "description": HTTPStatus(refusal).phrase,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    extensions: Document = {}
    if parameters:
        extensions["parameters"] = [dict(parameter) for parameter in parameters]
    if body:
        extensions["requestBody"] = {"required": is_body_required, "content": dict(body)}

    def note(view: View) -> View:
        noted: View = api.doc(
            summary=summary, description=description, tags=[tag], responses=answers, extensions=extensions
        )(view)
        return noted

    return note


def _first_line(schema: type[Schema]) -> str:
    return (schema.__doc__ or "").partition("\n")[0]


def complete_document(app: APIFlask, document: Document) -> Document:
    """Add to APIFlask's document the shape of errors and the HEAD and OPTIONS that it leaves out."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"] = _ERROR_SCHEMA
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("api.") or rule.methods is None:
            continue
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        left_out = rule.methods & ({"OPTIONS"} if getattr(rule, "provide_automatic_options", None) is False else set())
        left_out |= rule.methods & ({"HEAD"} if "GET" not in rule.methods else set())
        for method in sorted(left_out):
            operation = _operation(app, rule.endpoint, method, sorted(rule.arguments))
            document["paths"].setdefault(path, {})[method.lower()] = operation
    return document


def _operation(app: APIFlask, endpoint: str, method: str, arguments: Iterable[str]) -> Document:
    notes: Document = vars(app.view_functions[endpoint])["_spec"]  # where APIFlask keeps them
    path = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in arguments]
    return {
        "operationId": f"{method.lower()}_{endpoint.replace('.', '_')}",
        "tags": notes["tags"],
        "summary": notes["summary"],
        "description": notes["description"],
        "parameters": path + notes["extensions"].get("parameters", []),
        "responses": notes["responses"],
    }


def init_openapi(app: APIFlask) -> None:
    """Set up what the document says about the whole API."""
    app.config.update(
        AUTO_200_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,
        DESCRIPTION=DESCRIPTION,
        TAGS=list(TAGS),
    )

    @app.spec_processor
    def complete(document: dict[Any, Any] | str) -> dict[Any, Any] | str:
        if isinstance(document, str):
            raise TypeError("the document is asked for as JSON only")
        return complete_document(app, document)

"""The HTTP edge for everything that goes wrong: one JSON shape below ``/api``, one page elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from apiflask import HTTPError
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from errors import MediaError, RequestError, ResightError
from web.blueprints import API_PREFIX
from web.languages import sentence
from web.parsing import describe_invalid
from web.services import services

LOG = logging.getLogger(__name__)

_HTTP_CODES = {
    404: "request.not_found",
    405: "request.method",
    413: "request.too_large",
    415: "request.media_type",
    416: "request.range",
    500: "request.internal",
}


def answer(status: int, code: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return an error in the form that the address calls for."""
    text = sentence(code, params)
    if request.path == "/api" or not request.path.startswith(API_PREFIX):
        response = make_response(render_template("error.html", status=status, message=text, active=""), status)
    else:
        response = jsonify({"error": {"code": code, "message": text, "params": dict(params)}})
        response.status_code = status
    response.headers.update(headers or {})
    return response


def describe_error(error: ResightError) -> tuple[int, str, dict[str, Any]]:
    """Return the status, the code and the parameters of one of our errors."""
    if isinstance(error, RequestError):
        status = error.status
    elif isinstance(error, MediaError):
        status = 413 if error.code == "media.too_large" else 422
    else:
        status = 500
    return status, error.code, dict(error.params)


def _on_own_error(error: ResightError) -> Response:
    return answer(*describe_error(error))


def _on_http_error(error: HTTPException) -> Response:
    # An exception may carry a finished response, such as the redirect of a path without its slash.
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    code = _HTTP_CODES.get(error.code, "request.invalid")
    params: dict[str, Any] = {}
    if code == "request.invalid":
        params = {"detail": error.description or error.name}
    elif error.code == 413:
        params = {"limit_bytes": request.max_content_length or 0}
    elif error.code == 415:
        params = {"wanted": "application/json"}
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Content-Range", "Retry-After")}
    if request.endpoint in ("api.add_video", "pages.add_video") and error.code == 413:
        code, params = "media.too_large", {"limit_bytes": services().settings.max_upload_bytes}
    return answer(error.code, code, params, kept)


def _on_invalid_input(error: HTTPError) -> Response:
    return answer(error.status_code, *describe_invalid(error.detail))


def _on_expired_form(error: CSRFError) -> Response:
    LOG.info("form refused path=%s reason=%s", request.path, error.description)
    return answer(400, "request.expired_form", {})


def _on_database_trouble(error: OperationalError) -> Response:
    LOG.exception("database failed method=%s path=%s", request.method, request.path)
    return answer(503, "request.database", {}, {"Retry-After": "5"})


def _on_anything_else(error: Exception) -> Response:
    LOG.exception("request failed method=%s path=%s", request.method, request.path)
    return answer(500, "request.internal", {})


def init_problems(app: Flask) -> None:
    """Answer every error in the reader's language."""
    app.register_error_handler(HTTPError, _on_invalid_input)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(CSRFError, _on_expired_form)
    app.register_error_handler(ResightError, _on_own_error)
    app.register_error_handler(OperationalError, _on_database_trouble)
    app.register_error_handler(Exception, _on_anything_else)

"""Resumable uploads: tus 1.0 with creation, expiration and termination (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator
from email.utils import format_datetime
from typing import Any

from flask import Flask, Response, request, url_for
from werkzeug.exceptions import ClientDisconnected

from errors import RequestError
from web import partial
from web.blueprints import api
from web.openapi import describe
from web.receive import check_space, write_all
from web.services import services

TUS_VERSION = "1.0.0"
_EXTENSIONS = "creation,expiration,termination"
_PIECE_BYTES = 64 * 1024
"""Read at once; what a broken connection loses at most, and small enough to show that bytes arrive."""

_HEADERS = {"Tus-Resumable": {"schema": {"type": "string", "enum": [TUS_VERSION]}, "description": "The protocol."}}


def tus_header(name: str, description: str, *, kind: str = "string", is_required: bool = True) -> dict[str, Any]:
    """Return an OpenAPI parameter for a header of the protocol."""
    return {
        "name": name,
        "in": "header",
        "required": is_required,
        "description": description,
        "schema": {"type": kind},
    }


def init_uploads(app: Flask) -> None:
    """Name the protocol in every answer below ``/uploads`` and delete what old runs left."""

    @app.after_request
    def add_version(response: Response) -> Response:
        if (request.endpoint or "").startswith("api.") and "upload" in (request.endpoint or ""):
            response.headers["Tus-Resumable"] = TUS_VERSION
            response.headers["Cache-Control"] = "no-store"
        return response

    with app.app_context():
        _remove_expired()


def _remove_expired() -> None:
    bundle = services()
    partial.remove_expired(bundle.storage, expiry_s=bundle.settings.upload_expiry_s, now=bundle.now())


def _check_version() -> None:
    if request.headers.get("Tus-Resumable") != TUS_VERSION:
        raise RequestError("upload.version", status=412, version=TUS_VERSION)


def _number_header(name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise RequestError("request.header", status=400, name=name, value=text[:64])
    return int(text)


def _find(upload_id: str) -> partial.PartialUpload:
    _check_version()
    bundle = services()
    return partial.find(bundle.storage, upload_id, expiry_s=bundle.settings.upload_expiry_s, now=bundle.now())


def _answer(status: int, upload: partial.PartialUpload) -> Response:
    expires = upload.expires_at(services().settings.upload_expiry_s)
    return Response(
        status=status,
        headers={"Upload-Offset": str(upload.offset), "Upload-Expires": format_datetime(expires, usegmt=True)},
    )


def _metadata_name() -> str | None:
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key in ("filename", "name"):
            try:
                return base64.b64decode(value, validate=True).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise RequestError("request.header", status=400, name="Upload-Metadata", value=pair[:64]) from error
    return None


@api.route("/uploads", methods=["OPTIONS"], provide_automatic_options=False)
@describe("Uploads", "Tell which version and extensions of tus are spoken.", responses={204: ""})
def upload_options() -> Response:
    limit = services().settings.max_upload_bytes
    return Response(
        status=204, headers={"Tus-Version": TUS_VERSION, "Tus-Extension": _EXTENSIONS, "Tus-Max-Size": str(limit)}
    )


@api.post("/uploads")
@describe(
    "Uploads",
    "Start a resumable upload.",
    responses={201: "The address of the upload is in `Location`."},
    errors=(400, 403, 412, 413, 507),
    parameters=[
        tus_header("Tus-Resumable", "`1.0.0`."),
        tus_header("Upload-Length", "Size of the file in bytes.", kind="integer"),
        tus_header("Upload-Metadata", "`filename` and its value in base64.", is_required=False),
    ],
)
def create_upload() -> Response:
    _check_version()
    length = _number_header("Upload-Length")
    bundle = services()
    if length > bundle.settings.max_upload_bytes:
        raise RequestError("media.too_large", status=413, limit_bytes=bundle.settings.max_upload_bytes)
    name = _metadata_name()
    _remove_expired()
    check_space(length)
    upload = partial.create(bundle.storage, length=length, name=name)
    response = _answer(201, upload)
    response.headers["Location"] = url_for("api.append_upload", upload_id=upload.upload_id)
    return response


@api.route("/uploads/<id:upload_id>", methods=["HEAD"], provide_automatic_options=False)
@describe(
    "Uploads",
    "Ask how many bytes have arrived.",
    responses={200: "The number is in `Upload-Offset`."},
    errors=(404, 412),
    parameters=[tus_header("Tus-Resumable", "`1.0.0`.")],
)
def get_upload(upload_id: str) -> Response:
    upload = _find(upload_id)
    response = _answer(200, upload)
    response.headers["Upload-Length"] = str(upload.length)
    return response


@api.patch("/uploads/<id:upload_id>")
@describe(
    "Uploads",
    "Send the next bytes.",
    "When all have arrived, POST the upload's id to `/videos`. 409: the offset is another one, ask for it with HEAD. "
    "423: another request is still writing.",
    responses={204: "`Upload-Offset` has the new offset."},
    errors=(400, 403, 404, 409, 412, 413, 415, 423, 507),
    parameters=[
        tus_header("Tus-Resumable", "`1.0.0`."),
        tus_header("Upload-Offset", "How many bytes came before.", kind="integer"),
    ],
    body={"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}},
)
def append_upload(upload_id: str) -> Response:
    upload = _find(upload_id)
    if request.mimetype != "application/offset+octet-stream":
        raise RequestError("request.media_type", status=415, wanted="application/offset+octet-stream")
    offset = _number_header("Upload-Offset")
    with partial.locked(upload):
        if offset != upload.offset:
            raise RequestError("upload.offset", status=409, expected=upload.offset, got=offset)
        _receive(upload, upload.length - offset)
        return _answer(204, upload)


@api.delete("/uploads/<id:upload_id>")
@describe(
    "Uploads",
    "Give an upload up.",
    responses={204: "Its bytes are deleted."},
    errors=(403, 404, 412, 423),
    parameters=[tus_header("Tus-Resumable", "`1.0.0`.")],
)
def delete_upload(upload_id: str) -> Response:
    upload = _find(upload_id)
    with partial.locked(upload):
        partial.remove(services().storage, upload_id)
    return Response(status=204)


def _receive(upload: partial.PartialUpload, missing: int) -> None:
    """Append the body to an upload that ``missing`` bytes are missing of; what came before an error counts."""
    # Werkzeug refuses a body that reaches the limit when it looks for more: one byte beyond is room for that.
    request.max_content_length = missing + 1
    if (request.content_length or 0) > missing:
        raise RequestError("upload.too_long", status=413, length=upload.length)
    with upload.path.open("ab", buffering=0) as file:
        try:
            for piece in _pieces():
                write_all(file, piece[:missing])
                if len(piece) > missing:
                    raise RequestError("upload.too_long", status=413, length=upload.length)
                missing -= len(piece)
        finally:
            os.fsync(file.fileno())


def _pieces() -> Iterator[bytes]:
    """Yield the body as it arrives; a connection that breaks ends it."""
    while True:
        try:
            piece = request.stream.read(_PIECE_BYTES)
        except (ClientDisconnected, OSError):
            return
        if not piece:
            return
        yield piece

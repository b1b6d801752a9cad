"""What keeps other sites, other host names and injected code out."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings
from errors import RequestError
from web.blueprints import api

MAX_FORM_BYTES = 1024**2
"""Largest body of a request that carries no video."""

CLIENT_TIMEOUT_S = 60.0
"""Seconds without a byte after which a stalled client loses its connection and frees its thread."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ANY_ADDRESS = ("0.0.0.0", "::", "[::]", "")  # noqa: S104  # compared with, not bound to

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def host_name(host: str) -> str:
    """Return a ``Host`` header's name in lower case, without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() and not name.endswith(":") else host).lower()


def trusted_names(settings: Settings) -> frozenset[str]:
    """Return the host names that the site answers to."""
    own = () if settings.host in _ANY_ADDRESS else (settings.host,)
    names = (*_LOOPBACK, *own, *settings.trusted_hosts)
    return frozenset(f"[{name}]" if name.count(":") > 1 and name[0] != "[" else name.lower() for name in names)


def check_same_site() -> None:
    """Refuse a changing request that a page of another site sent.

    Browsers say so in ``Sec-Fetch-Site``, older ones in ``Origin``; programs
    send neither and pass.
    """
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_foreign = site not in ("same-origin", "none")
    else:
        is_foreign = origin is not None and not _is_own_origin(origin)
    if is_foreign:
        raise RequestError("request.cross_site", status=403)


def _is_own_origin(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # The scheme is left out: behind a proxy that ends TLS it can differ.
    own = request.host.lower().removesuffix(":80").removesuffix(":443")
    return parts.scheme in ("http", "https") and parts.netloc.lower().removesuffix(":80").removesuffix(":443") == own


def _limit_waiting() -> None:
    connection = request.environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.settimeout(CLIENT_TIMEOUT_S)


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype in ("text/html", "application/json"):
        response.headers.setdefault("Cache-Control", "no-cache, private")
    return response


def init_security(app: Flask, settings: Settings) -> None:
    """Set up host names, cross-site checks, form tokens, limits and headers."""
    names = trusted_names(settings)
    suffixes = tuple(name for name in names if name.startswith("."))

    def check_host() -> None:
        name = host_name(request.host)
        if name not in names and not (suffixes and name.endswith(suffixes)):
            raise RequestError("request.untrusted_host", status=400, host=name)

    app.config.update(
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        SESSION_COOKIE_NAME="resight_session",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        WTF_CSRF_TIME_LIMIT=None,  # a page may stay open for days; the token ends with the session
    )
    if settings.proxy_count:
        hops = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask's documented way
    app.before_request(_limit_waiting)
    app.before_request(check_host)
    app.before_request(check_same_site)
    CSRFProtect(app).exempt(api)
    app.after_request(_add_headers)

"""Which language a reader gets: the one they chose, else what the browser asks for, else the site's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, redirect, request
from flask_babel import Babel, get_locale, gettext

from messages import MESSAGES, render
from web.blueprints import pages
from web.services import services

LANGUAGES = {"en": "English", "zh": "简体中文"}
HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}
COOKIE = "language"
_YEAR_S = 365 * 24 * 3600


def choose_language() -> str:
    """Return ``en`` or ``zh`` for the present request."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for wanted in request.accept_languages.values():
        code = wanted.replace("_", "-").partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    fallback = services().settings.default_language
    return fallback if fallback in LANGUAGES else "en"


def language() -> str:
    """Return the language of the present request, ``en`` or ``zh``."""
    locale = get_locale()
    return "zh" if locale is not None and locale.language == "zh" else "en"


def sentence(code: str, params: Mapping[str, Any]) -> str:
    """Return the sentence of a message code in the reader's language.

    A code that an older or newer version wrote into a row is shown as it is.
    """
    if code not in MESSAGES:
        return code
    try:
        return render(code, params, gettext)
    except (KeyError, TypeError, ValueError):
        current_app.logger.warning("message=%s does not fit its parameters", code)
        return code


def safe_next(target: str | None) -> str:
    """Return ``target`` if it is a path of this site, else ``/``."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return "/"
    return target


@pages.post("/language")
def switch_language() -> Response:
    """Remember the chosen language and go back to the page it was chosen on."""
    response = redirect(safe_next(request.form.get("next")), 303)
    chosen = request.form.get("language")
    if chosen in LANGUAGES:
        response.set_cookie(COOKIE, chosen, max_age=_YEAR_S, samesite="Lax", httponly=True, secure=request.is_secure)
    return response  # type: ignore[return-value]  # flask.redirect is typed as werkzeug's Response


def _describe_language(response: Response) -> Response:
    if response.mimetype in ("text/html", "application/json"):
        response.headers["Content-Language"] = HTML_LANGUAGES[language()]
        response.vary.update(["Accept-Language", "Cookie"])
    return response


def init_languages(app: Flask) -> None:
    """Set Flask-Babel up and describe each answer's language in its headers."""
    Babel(
        app,
        default_locale="en",
        default_translation_directories=str(app.root_path) + "/translations",
        locale_selector=choose_language,
    )
    app.after_request(_describe_language)

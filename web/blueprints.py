"""The two blueprints that the resources' files hang their views on, and how ids look in addresses."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Blueprint
from werkzeug.routing import BaseConverter

API_PREFIX = "/api/v1"

api = APIBlueprint("api", __name__, url_prefix=API_PREFIX)
pages = Blueprint("pages", __name__)


class IdConverter(BaseConverter):
    """An id of 32 hexadecimal digits, ``<id:video_id>``; anything else is no such address."""

    regex = "[0-9a-f]{32}"

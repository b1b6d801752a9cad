"""The fixtures of the tests of attempts."""

from __future__ import annotations

from tests.databases import database_url, engine, sessions

__all__ = ["database_url", "engine", "sessions"]

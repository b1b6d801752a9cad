"""The fixtures of the tests of the web room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import database_url
from tests.make_videos import make_video
from tests.web.sites import Site, make_site, publish_result

__all__ = ["database_url"]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of 20 frames of 192×128 at 25 a second."""
    return make_video(tmp_path_factory.mktemp("clips") / "clip.mp4")


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Return a function that makes sites, each in a folder of its own, with the given settings."""
    made: list[Site] = []

    def make(**settings: Any) -> Site:
        made.append(make_site(tmp_path / f"data{len(made)}", **settings))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    """Return a site with the default settings."""
    return new_site()


@pytest.fixture
def video(site: Site, clip: Path) -> dict[str, Any]:
    """Return a video that waits for its worker."""
    answer = site.upload(clip, started_at="2026-11-21T08:00:00+08:00")
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.get_json()
    return shown


@pytest.fixture
def done_video(site: Site, video: dict[str, Any]) -> dict[str, Any]:
    """Return a video with a result."""
    publish_result(site, video)
    shown: dict[str, Any] = site.client.get(video["url"]).get_json()
    return shown

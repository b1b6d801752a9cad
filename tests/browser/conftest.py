"""A real Chromium, a real site, and videos whose boxes are known."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from config import Settings
from store.database import make_engine, session_factory
from store.files import Storage
from tests.browser.running_site import ROOT, RunningSite, running_site
from tests.browser.watched_page import WatchedPage
from tests.pipeline.scripted import BLUE, RED, Block, BlockDetector, ColourEmbedder, make_video
from worker.attempt import Workplace, run_attempt

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

WALKER = Block(RED, start=(10, 90), step=(10, 0), size=(40, 80))
CAR = Block(BLUE, start=(200, 180), step=(-4, 0), size=(60, 30))
FRAME_COUNT = 24
UNEVEN_TIMES_MS = [sum((40, 160, 100)[i % 3] for i in range(index)) for index in range(FRAME_COUNT)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a Chromium of this machine; skip where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no chromium on PATH")
    with sync_playwright() as playwright:
        yield from _launched(playwright, found)


def _launched(playwright: Playwright, executable: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """Compile the translations, as ``make`` does."""
    command = [sys.executable, "-m", "babel.messages.frontend", "--quiet", "compile", "--directory", "translations"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Return a file of tests its own site without a worker: jobs wait until a test works on them."""
    with running_site(tmp_path_factory.mktemp("site") / "data", "web") as running:
        yield running


@pytest.fixture(scope="module")
def whole_site(tmp_path_factory: pytest.TempPathFactory, best_detector: Mapping[str, str]) -> Iterator[RunningSite]:
    """Return a file of tests its own site with its workers."""
    with running_site(tmp_path_factory.mktemp("whole") / "data", **best_detector) as running:
        yield running


@pytest.fixture(scope="session")
def best_detector(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Return the settings of YOLOX where its weights are at hand, else of HOG."""
    try:
        return {"RESIGHT_DETECTOR": "yolox", "RESIGHT_DET_MODEL_DIR": str(request.getfixturevalue("yolox_onnx"))}
    except pytest.skip.Exception:
        return {"RESIGHT_DETECTOR": "hog"}


@pytest.fixture
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Close what a test opened."""
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


@pytest.fixture
def open_page(browser: Browser, contexts: list[BrowserContext]) -> Iterator[Any]:
    """Return a function that opens a page whose complaints fail the test, unless the test expects them."""
    watched: list[WatchedPage] = []

    def open_one(**options: Any) -> Page:
        settings = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "timezone_id": "Asia/Shanghai"}
        context = browser.new_context(**(settings | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        watched.append(WatchedPage(page))
        return page

    yield open_one
    for each in watched:
        each.check()


@pytest.fixture(scope="module")
def tracked_video(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return a video (10 frames a second) with its result: a person walks right, a car drives left."""
    path = make_video(tmp_path_factory.mktemp("even") / "even.mkv", [WALKER, CAR], frame_count=FRAME_COUNT)
    return add_result(site, path)


@pytest.fixture(scope="module")
def uneven_video(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the same scene with frames at uneven times, so that playback drops some and repeats others."""
    path = tmp_path_factory.mktemp("uneven") / "uneven.mkv"
    make_video(path, [WALKER, CAR], frame_count=FRAME_COUNT, times_ms=UNEVEN_TIMES_MS)
    return add_result(site, path)


def add_result(site: RunningSite, path: Path) -> dict[str, Any]:
    """Upload a video, do its job here with scripted models, and return the video."""
    video = site.upload(path, started_at="2026-11-20T08:00:00Z")
    settings = Settings(data_dir=site.data_dir)
    engine = make_engine(settings.resolved_database_url())
    try:
        place = Workplace(
            settings=settings,
            sessions=session_factory(engine),
            storage=Storage(settings.data_dir),
            worker="test",
            is_stopping=lambda: False,
            build_models=lambda *_: (BlockDetector(), ColourEmbedder()),
            now=lambda: datetime.now(timezone.utc),
        )
        run_attempt(video["job"]["id"], place)
    finally:
        engine.dispose()
    answer: dict[str, Any] = site.get(f"/videos/{video['id']}")
    assert answer["job"]["state"] == "done", answer["job"]
    return answer


@pytest.fixture(scope="session")
def real_clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 60 frames of real footage as H.264 where there is some, else of the scripted scene."""
    folder = tmp_path_factory.mktemp("clip")
    try:
        source = request.getfixturevalue("vtest_avi")
    except pytest.skip.Exception:
        source = make_video(folder / "scene.mkv", [WALKER, CAR], frame_count=60)
    return _first_frames(source, folder / "clip 2026-11-20 08-30-00.mp4", 60)


def _first_frames(source: Path, target: Path, count: int) -> Path:
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=10, options={"preset": "veryfast"})
        given = reader.streams.video[0]
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, "yuv420p"
        for index, frame in zip(range(count), reader.decode(given), strict=False):
            picture = av.VideoFrame.from_ndarray(frame.to_ndarray(format="bgr24"), format="bgr24")
            picture.pts = index
            writer.mux(stream.encode(picture))
        writer.mux(stream.encode(None))
    return target

"""What is really on the screen of the video page, read from its pixels."""

from __future__ import annotations

import time

from playwright.sync_api import Page

_RED_SPAN = """() => {
  // First and last column of red in the picture, as fractions of its width, over the row through the walker's middle.
  const video = document.getElementById("video");
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const { data, width } = context.getImageData(0, Math.round(canvas.height * 130 / 240), canvas.width, 1);
  const columns = [];
  for (let x = 0; x < width; x += 1) if (data[4 * x] > 150 && data[4 * x + 1] < 110 && data[4 * x + 2] < 110) columns.push(x);
  return columns.length ? [columns[0] / width, (columns.at(-1) + 1) / width] : null;
}"""

_DRAWN_SPAN = """(row) => {
  // First and last drawn column of the overlay at a height, as fractions of the picture's width.
  const video = document.getElementById("video");
  const overlay = document.getElementById("overlay");
  const ratio = overlay.width / overlay.clientWidth;
  const shape = video.videoWidth / video.videoHeight;
  const width = Math.min(video.clientWidth, video.clientHeight * shape);
  const left = video.offsetLeft + (video.clientWidth - width) / 2;
  const top = video.offsetTop + (video.clientHeight - width / shape) / 2;
  const y = Math.round((top + (row * width) / shape) * ratio);
  const { data } = overlay.getContext("2d").getImageData(0, y, overlay.width, 1);
  const columns = [];
  for (let x = 0; x < overlay.width; x += 1) if (data[4 * x + 3] > 40) columns.push(x);
  const share = (x) => (x / ratio - left) / width;
  return columns.length ? [share(columns[0]), share(columns.at(-1) + 1)] : null;
}"""

_OPAQUE = "() => { const c = document.getElementById('overlay'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"

_PLACE = """([x, y]) => {
  const video = document.getElementById("video");
  const bounds = video.getBoundingClientRect();
  const shape = video.videoWidth / video.videoHeight;
  const width = Math.min(bounds.width, bounds.height * shape);
  const height = width / shape;
  return [bounds.left + (bounds.width - width) / 2 + x * width, bounds.top + (bounds.height - height) / 2 + y * height];
}"""


def wait_until(page: Page, condition: str, argument: object = None, *, timeout_s: float = 20) -> None:
    """Wait until a JavaScript condition holds (Playwright's own waiting evaluates text, which the page forbids)."""
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(condition, argument):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {condition}")
        page.wait_for_timeout(40)


def walker_span(page: Page) -> tuple[float, float] | None:
    """Return where the red block of the scripted scene is in the picture, left and right, 0 to 1."""
    span = page.evaluate(_RED_SPAN)
    return None if span is None else (span[0], span[1])


def drawn_span(page: Page, row: float) -> tuple[float, float] | None:
    """Return the outermost drawn columns of the overlay at the height ``row`` (0 to 1), left and right, 0 to 1."""
    span = page.evaluate(_DRAWN_SPAN, row)
    return None if span is None else (span[0], span[1])


def drawn_pixels(page: Page) -> int:
    """Return how many pixels of the overlay are not transparent."""
    count: int = page.evaluate(_OPAQUE)
    return count


def click_picture(page: Page, x: float, y: float) -> None:
    """Click a point of the picture, given as fractions of its width and height."""
    left, top = page.evaluate(_PLACE, [x, y])
    page.mouse.click(left, top)


def open_video(page: Page, url: str) -> None:
    """Open a video's page and wait for its picture and its boxes."""
    page.goto(url)
    wait_until(page, "document.getElementById('video').readyState >= 2")
    page.wait_for_selector("#strip [data-track]")


def frame_number(page: Page) -> int:
    """Return the frame that the clock names."""
    return int(page.locator("#clock").inner_text().split()[-1])


def wait_for_frame(page: Page, frame: int) -> None:
    """Wait until the clock names ``frame``."""
    condition = "frame => document.getElementById('clock').textContent.endsWith(` ${frame}`)"
    wait_until(page, condition, frame, timeout_s=10)

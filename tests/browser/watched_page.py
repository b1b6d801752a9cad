"""A page whose console errors, script errors and refused resources are remembered."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Error, Page

EXPECTED = "expected-complaint"


class WatchedPage:
    """Remembers what a page complains of; `check` fails if it did."""

    def __init__(self, page: Page) -> None:
        self._complaints: list[str] = []
        page.on("console", self._read_console)
        page.on("pageerror", self._read_error)
        self._page = page

    def check(self) -> None:
        """Fail with all complaints that the test did not announce (`expect_complaints`)."""
        allowed = getattr(self._page, EXPECTED, ())
        left = [text for text in self._complaints if not any(part in text for part in allowed)]
        assert not left, left

    def _read_console(self, message: ConsoleMessage) -> None:
        is_our_reading = "willReadFrequently" in message.text  # tests read the overlay's pixels
        if message.type in ("error", "warning") and not is_our_reading:
            self._complaints.append(f"{message.type}: {message.text}")

    def _read_error(self, error: Error) -> None:
        self._complaints.append(f"script: {error}")


def expect_complaints(page: Page, *parts: str) -> None:
    """Announce that the page will complain with texts that hold ``parts``."""
    setattr(page, EXPECTED, parts)

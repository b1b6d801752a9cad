"""Names from users: cleaned for showing, safe in headers."""

from __future__ import annotations

import pytest
from werkzeug.http import parse_options_header

from web.names import MAX_NAME_CHARACTERS, attachment, clean_text, display_name, stem

NAMES = ["clip.mp4", "夜.mp4", "👨‍👩‍👧 🚶.mp4", 'a"b;c=d,e.mp4', "100%.mp4", "é" * 200 + ".mp4", "a'b.mp4", "a b.mp4"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("C:\\Users\\me\\门口 🚶.mp4", "门口 🚶.mp4"),
        ("../../../etc/passwd", "passwd"),
        ("/", "video"),
        ("..", "video"),
        (". .", "video"),
        ("", "video"),
        (None, "video"),
        ("\u200d", "video"),
        ("a\r\nSet-Cookie: x=y.mp4", "a Set-Cookie: x=y.mp4"),
        ("a\x00\x1b[31mb.mp4", "a[31mb.mp4"),
        ("\u202egpm.exe", "gpm.exe"),
        ("\ud800.mp4", ".mp4"),
        ("e\u0301.mp4", "é.mp4"),
        ("👨‍👩‍👧.mp4", "👨‍👩‍👧.mp4"),
        ("  two   blanks .mp4 ", "two blanks .mp4"),
    ],
)
def test_display_name(sent: str | None, shown: str) -> None:
    assert display_name(sent) == shown


def test_a_long_name_keeps_its_start_and_its_extension() -> None:
    shown = display_name("夜" * 300 + ".mp4")
    assert len(shown) == MAX_NAME_CHARACTERS
    assert shown.startswith("夜")
    assert shown.endswith("夜.mp4")
    assert display_name(shown) == shown


def test_clean_text_joins_lines() -> None:
    assert clean_text("North\n gate\t2") == "North gate 2"


@pytest.mark.parametrize(("name", "bare"), [("a.b.mp4", "a.b"), ("clip", "clip"), (".mp4", ".mp4"), ("...", "...")])
def test_stem(name: str, bare: str) -> None:
    assert stem(name) == bare


@pytest.mark.parametrize("name", NAMES)
def test_a_download_keeps_its_name_through_an_ascii_header(name: str) -> None:
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert (kind, options["filename"]) == ("attachment", name)

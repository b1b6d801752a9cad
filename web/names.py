"""Text that users send: names of files and cameras. Shown and offered for downloads, never used as paths."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from werkzeug.http import dump_options_header

MAX_NAME_CHARACTERS = 255
_FALLBACK = "video"
_UNQUOTED = "!#$&+-.^_`|~"  # what RFC 5987 lets stand besides letters and digits
_JOINERS = "\u200c\u200d"  # invisible, but words and emoji are built with them
_BLANKS = str.maketrans("\t\r\n", "   ")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, invisible or reordering, surrogates, line ends


def clean_text(text: str | None) -> str:
    """Return ``text`` without control characters and those that reorder text, its blanks collapsed."""
    letters = unicodedata.normalize("NFC", (text or "").translate(_BLANKS))
    kept = (letter for letter in letters if letter in _JOINERS or unicodedata.category(letter) not in _DROPPED)
    return " ".join("".join(kept).split())


def display_name(text: str | None) -> str:
    """Return the last part of a path, cleaned, at most 255 characters long.

    A longer one loses its middle, so that the extension stays.
    """
    kept = clean_text((text or "").replace("\\", "/").rpartition("/")[2])
    if not kept.strip(". " + _JOINERS):
        return _FALLBACK
    if len(kept) > MAX_NAME_CHARACTERS:
        half = (MAX_NAME_CHARACTERS - 1) // 2
        kept = f"{kept[:half]}…{kept[-half:]}"
    return kept


def attachment(name: str) -> str:
    """Return a ``Content-Disposition`` that saves under ``name``; ASCII, with the true name as RFC 5987 has it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return dump_options_header("attachment", {"filename": plain, "filename*": f"UTF-8''{quote(name, safe=_UNQUOTED)}"})


def stem(name: str) -> str:
    """Return a display name without its extension, for the names of downloads."""
    head, dot, _ = name.rpartition(".")
    return head if dot and head.strip(". ") else name

"""Lines of text on pictures, in any script that a font of this machine has; OpenCV's own letters are ASCII only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from records import Image

_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
_PATTERNS = (
    "NotoSansCJK-Regular.*",
    "NotoSansSC*.*",
    "SourceHanSans*-Regular.*",
    "wqy-*.*",
    "DroidSansFallback*.*",
    "PingFang*.*",
    "Hiragino Sans GB*.*",
    "msyh.*",
)
"""Fonts with Chinese letters, the better ones first."""

_INK, _PAPER = (240, 243, 246), (16, 20, 25)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=1)
def chinese_font() -> Path | None:
    """Return the file of a font that has Chinese letters; None where this machine has none."""
    return next(_candidates(), None)


def caption_band(text: str, width: int, height: int) -> Image:
    """Return a (height, width, 3) BGR strip with a line of text, cut off where it is too long.

    Without a font that has Chinese letters those are drawn as empty boxes; see `chinese_font`.
    """
    strip = Pictures.new("RGB", (width, height), _PAPER)
    drawing = ImageDraw.Draw(strip)
    margin = height // 3
    font = _font(max(8, round(height * 0.5)))
    shown = text
    while shown and drawing.textlength(shown, font=font) > width - 2 * margin:
        shown = shown[:-2].rstrip("… ") + "…" if len(shown) > 2 else ""
    drawing.text((margin, height // 2), shown, fill=_INK, font=font, anchor="lm")
    return np.ascontiguousarray(np.asarray(strip, np.uint8)[:, :, ::-1])


@lru_cache(maxsize=4)
def _font(size: int) -> Font:
    path = chinese_font()
    return ImageFont.load_default(size) if path is None else ImageFont.truetype(str(path), size, index=_face(path))


def _face(path: Path) -> int:
    """Return which face of a collection has the simplified Chinese forms."""
    if path.suffix.lower() != ".ttc":
        return 0
    for index in range(16):
        try:
            family = ImageFont.truetype(str(path), 12, index=index).getname()[0] or ""
        except OSError:
            break
        if family.endswith(" SC"):
            return index
    return 0


def _candidates() -> Iterator[Path]:
    for pattern in _PATTERNS:
        for folder in _FOLDERS:
            if folder.is_dir():
                yield from sorted(folder.rglob(pattern))

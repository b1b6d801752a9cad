"""Pictures inside an HTML file, so that it needs nothing but itself."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from records import Image

_THUMBNAIL_WIDTH, _THUMBNAIL_HEIGHT = 240, 320


def render_page(template: str, **values: Any) -> str:
    """Return the HTML of a template of ``pages/``; values are escaped, a missing one is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from reid.plots import DARK, LIGHT

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(light=LIGHT, dark=DARK, **values)


def write_whole(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, "utf-8")
    draft.replace(path)


def address_of_crop(image_bgr: Image) -> str:
    """Return a crop, made smaller where it is large, as an address that holds it."""
    import cv2

    height, width = image_bgr.shape[:2]
    scale = min(1.0, _THUMBNAIL_HEIGHT / height, _THUMBNAIL_WIDTH / width)
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    _, jpeg = cv2.imencode(".jpg", cv2.resize(image_bgr, size_wh, interpolation=cv2.INTER_AREA))
    return address_of("image/jpeg", jpeg.tobytes())


def address_of(media_type: str, content: bytes) -> str:
    """Return an address that holds a file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"

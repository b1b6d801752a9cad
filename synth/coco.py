"""Single pictures with boxes of people and vehicles, as COCO's detection data has them."""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from numpy.random import default_rng

from records import CLASS_NAMES
from synth.banks import build_banks, load_banks
from synth.pictures import Picture, PictureMaker

_LOG = logging.getLogger(__name__)
_JPEG_QUALITY = 95
_COCO_IDS = {"person": 1, "bicycle": 2, "car": 3, "motorcycle": 4, "bus": 6, "truck": 8}


def write_pictures(out: Path, maker: PictureMaker, count: int, *, seed: int) -> None:
    """Write ``out/images/000001.jpg`` … and ``out/annotations.json``.

    A box of which too little is seen to be found is marked ``iscrowd``, which evaluators leave out. ``visibility``
    is an addition of ours.
    """
    import cv2

    (out / "images").mkdir(parents=True, exist_ok=True)
    rng = default_rng(seed)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        picture = maker.make(rng)
        height, width = picture.image_rgb.shape[:2]
        name = f"{number:06d}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        cv2.imwrite(str(out / "images" / name), picture.image_rgb[..., ::-1], quality)
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        annotations += _annotations(picture, number, first=len(annotations) + 1)
    categories = [{"id": _COCO_IDS[name], "name": name} for name in CLASS_NAMES]
    truth = {"images": images, "annotations": annotations, "categories": categories}
    (out / "annotations.json").write_text(json.dumps(truth), "utf-8")


def _annotations(picture: Picture, image_id: int, *, first: int) -> list[dict[str, Any]]:
    found = []
    for index, box in enumerate(picture.boxes_xyxy):
        left, top, right, bottom = (round(float(side), 1) for side in box)
        found.append(
            {
                "id": first + index,
                "image_id": image_id,
                "category_id": _COCO_IDS[CLASS_NAMES[picture.class_ids[index]]],
                "bbox": [left, top, round(right - left, 1), round(bottom - top, 1)],
                "area": round((right - left) * (bottom - top), 1),
                "iscrowd": int(picture.is_ignored[index]),
                "visibility": round(float(picture.visibility[index]), 3),
            }
        )
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of ``python -m synth pictures``."""
    parser.description = __doc__
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where images/ and the truth go")
    parser.add_argument("--count", type=int, default=100, metavar="N", help="pictures (100)")
    parser.add_argument("--side", type=int, default=416, help="of the square pictures, pixels (416)")
    parser.add_argument("--bank", type=Path, default=None, metavar="DIR", help="sprites and places; made where missing")
    parser.add_argument("--people", type=int, default=300, metavar="N", help="poses in a new bank (300)")
    parser.add_argument("--vehicles", type=int, default=75, metavar="N", help="vehicles in a new bank (75)")
    parser.add_argument("--places", type=int, default=35, metavar="N", help="views in a new bank (35)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed and bank give the same pictures (0)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes for a new bank (1)")


def run(options: argparse.Namespace) -> None:
    """Render what the flags ask for."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        bank: Path = options.bank or Path(scratch) / "bank"
        if not bank.is_dir():
            counts = {"people": options.people, "vehicles": options.vehicles, "backdrops": options.places}
            build_banks(bank, **counts, seed=options.seed, jobs=options.jobs)
        sprites, backdrops = load_banks(bank)
        write_pictures(
            options.out, PictureMaker(sprites, backdrops, side=options.side), options.count, seed=options.seed
        )
    _LOG.info("pictures=%d seconds=%.1f out=%s", options.count, time.perf_counter() - began, options.out)

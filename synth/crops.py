"""Crops of rendered people by identity and camera, in the layout of Market-1501.

``bounding_box_train/``, ``query/`` and ``bounding_box_test/`` hold pictures named ``0001_c1s1_000001_01.jpg``:
identity, camera, sequence, frame, box. Identities of training and test differ. Every identity passes at least two
cameras; each camera gives it one query, the rest goes to the gallery. ``--masks`` writes what of each crop is the
person as ``masks/<folder>/<name>.png``.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from records import FloatArray, Image
from synth.backdrops import sample_backdrop
from synth.compose import CROP_HEIGHT, CROP_WIDTH, Cutout, Stranger, compose, cutout_of
from synth.effects import CameraEffects, sample_effects
from synth.light import Light, sample_light
from synth.people import Person, sample_person
from synth.render_people import View, render_person

_LOG = logging.getLogger(__name__)

MAX_IDENTITIES = 9999
"""Names have four digits for the identity."""

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"
_CAMERA_STREAM, _PERSON_STREAM = 0, 1
_JPEG_QUALITY = 95
_PASSERS_BY = 40  # kept as strangers for the crops that follow
_RENDER_HEIGHT_PX = 118.0


@dataclass(frozen=True, kw_only=True)
class CropsPlan:
    """What is rendered.

    Attributes
    ----------
    identities, test_identities : of training and of test.
    cameras : how many there are.
    per_camera : crops of an identity in each camera that it passes.
    crowding : mean number of other people in a crop.
    """

    identities: int = 200
    test_identities: int = 100
    cameras: int = 4
    per_camera: int = 3
    crowding: float = 0.45
    seed: int = 0

    def __post_init__(self) -> None:
        total = self.identities + self.test_identities
        if self.identities < 0 or self.test_identities < 0 or not 1 <= total <= MAX_IDENTITIES:
            raise ValueError(f"identities must be 1 to {MAX_IDENTITIES} in all, not {total}")
        if self.cameras < 2 or self.cameras > 9:
            raise ValueError(f"cameras must be 2 to 9, not {self.cameras}: names have one digit, identities pass two")
        if self.per_camera < 1:
            raise ValueError(f"per_camera must be 1 or more, not {self.per_camera}")


@dataclass(frozen=True, eq=False)
class Crop:
    """One rendered crop.

    Attributes
    ----------
    folder : ``bounding_box_train``, ``query`` or ``bounding_box_test``.
    name : as Market-1501 names it, without suffix.
    identity, camera : from 1.
    image_rgb : (128, 64, 3) uint8; mask : (128, 64) float32, 0 to 1.
    """

    folder: str
    name: str
    identity: int
    camera: int
    image_rgb: Image
    mask: FloatArray


@dataclass(frozen=True, kw_only=True)
class CropCamera:
    """A camera that people pass."""

    light: Light
    pitch_rad: float
    effects: CameraEffects


def sample_camera(rng: np.random.Generator) -> CropCamera:
    """Draw a camera, from eye level to steeply above."""
    return CropCamera(
        light=sample_light(rng),
        pitch_rad=float(np.clip(rng.normal(0.22, 0.18), -0.05, 0.8)),
        effects=sample_effects(rng),
    )


def pass_by(person: Person, camera: CropCamera, rng: np.random.Generator) -> Cutout:
    """Return a person at some moment of passing a camera, some 118 pixels tall."""
    pitch = float(np.clip(camera.pitch_rad + rng.normal(0, 0.05), -0.1, 0.9))
    view = View(
        heading_rad=rng.uniform(0, 2 * np.pi),
        pitch_rad=pitch,
        gait_phase_rad=rng.uniform(0, 2 * np.pi),
        light=camera.light,
        height_px=_RENDER_HEIGHT_PX / max(0.75, float(np.cos(pitch))),
        distance_m=rng.uniform(6, 25),
        stride=1.0 if rng.random() < 0.85 else rng.uniform(0, 0.5),
    )
    return cutout_of(render_person(person, view, rng))


def render_crops(plan: CropsPlan) -> Iterator[Crop]:
    """Yield the crops of a plan, identity by identity; the same plan gives the same ones."""
    rng = np.random.default_rng([plan.seed, _CAMERA_STREAM])
    cameras = [sample_camera(rng) for _ in range(plan.cameras)]
    passers_by: list[list[Cutout]] = [[] for _ in cameras]
    for identity in range(1, plan.identities + plan.test_identities + 1):
        rng = np.random.default_rng([plan.seed, _PERSON_STREAM, identity])
        person = sample_person(rng)
        passed = rng.choice(plan.cameras, int(rng.integers(2, plan.cameras + 1)), replace=False)
        for camera in np.sort(passed).tolist():
            for number in range(plan.per_camera):
                cutout = pass_by(person, cameras[camera], rng)
                image, mask = _composed(cutout, passers_by[camera], cameras[camera].effects, plan.crowding, rng)
                passers_by[camera] = [*passers_by[camera][-_PASSERS_BY:], cutout] if number == 0 else passers_by[camera]
                folder = TRAIN if identity <= plan.identities else QUERY if number == 0 else GALLERY
                frame = (identity * plan.per_camera + number) % 1_000_000
                name = f"{identity:04d}_c{camera + 1}s1_{frame:06d}_{number + 1:02d}"
                yield Crop(folder, name, identity, camera + 1, image, mask)


def write_crops(plan: CropsPlan, out: Path, *, with_masks: bool = False) -> int:
    """Write the crops of a plan below ``out``; return how many.

    Raises
    ------
    ValueError
        when ``out`` holds crops already.
    """
    for folder in (TRAIN, QUERY, GALLERY):
        if (out / folder).is_dir() and any((out / folder).iterdir()):
            raise ValueError(f"{out / folder} is not empty; choose another folder, or empty it")
        (out / folder).mkdir(parents=True, exist_ok=True)
        if with_masks:
            (out / "masks" / folder).mkdir(parents=True, exist_ok=True)
    count = 0
    for crop in render_crops(plan):
        path = out / crop.folder / f"{crop.name}.jpg"
        cv2.imwrite(str(path), crop.image_rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if with_masks:
            cv2.imwrite(str(out / "masks" / crop.folder / f"{crop.name}.png"), (crop.mask * 255).astype(np.uint8))
        count += 1
    return count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of ``python -m synth crops``."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the folders are made")
    parser.add_argument("--identities", type=int, default=200, metavar="N", help="for training (200)")
    parser.add_argument("--test_identities", type=int, default=100, metavar="N", help="for query and gallery (100)")
    parser.add_argument("--cameras", type=int, default=4, metavar="N", help="2 to 9 (4)")
    parser.add_argument("--per_camera", type=int, default=3, metavar="N", help="crops of an identity in a camera (3)")
    parser.add_argument("--crowding", type=float, default=0.45, help="mean number of other people in a crop (0.45)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same crops (0)")
    parser.add_argument("--masks", action="store_true", help="write what of each crop is the person, too")


def run(options: argparse.Namespace) -> None:
    """Render what the flags ask for."""
    plan = CropsPlan(
        identities=options.identities,
        test_identities=options.test_identities,
        cameras=options.cameras,
        per_camera=options.per_camera,
        crowding=options.crowding,
        seed=options.seed,
    )
    started_s = time.perf_counter()
    count = write_crops(plan, options.out, with_masks=options.masks)
    seconds = time.perf_counter() - started_s
    _LOG.info("crops=%d seconds=%.1f a_minute=%.0f out=%s", count, seconds, count / seconds * 60, options.out)


def _composed(
    cutout: Cutout, passers_by: list[Cutout], effects: CameraEffects, crowding: float, rng: np.random.Generator
) -> tuple[Image, FloatArray]:
    count = min(int(rng.poisson(crowding)), 3) if passers_by else 0
    strangers = [
        Stranger(passers_by[int(rng.integers(len(passers_by)))], is_in_front=bool(rng.random() < 0.35))
        for _ in range(count)
    ]
    backdrop, cover = (sample_backdrop(rng, CROP_HEIGHT, CROP_WIDTH) for _ in range(2))
    return compose(cutout, strangers, backdrop, cover, effects, rng)

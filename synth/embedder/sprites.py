"""A store of rendered people, cut out, from which training batches are put together.

Rendering costs more than a training step, so every person is drawn once, from several cameras, into one file
that is mapped into memory. A camera has a light and a pitch of its own, and many people pass each: what tells two
people in one batch apart is never the light.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from records import Image, IntArray
from synth.compose import CANVAS_HEIGHT, CANVAS_WIDTH, Cutout
from synth.crops import CropCamera, pass_by, sample_camera
from synth.people import sample_person

_LOG = logging.getLogger(__name__)

_REPORT_EVERY = 100
_CAMERA_STREAM, _PERSON_STREAM = 0, 1


@dataclass(frozen=True, kw_only=True)
class StorePlan:
    """What is rendered.

    Attributes
    ----------
    cameras : how many there are in all; each person passes ``cameras_each`` of them.
    views_each : pictures of a person in one camera.
    """

    identities: int = 2000
    cameras: int = 48
    cameras_each: int = 3
    views_each: int = 4
    seed: int = 1


@dataclass(frozen=True, eq=False)
class SpriteStore:
    """Sprites in a file.

    Attributes
    ----------
    rgba : (I, C, V, H, W, 4) uint8 by identity, camera that they pass, view; colours not multiplied by alpha.
    boxes_xyxy : (I, C, V, 4) int64, the sprites' tight boxes in their canvases.
    camera_ids : (I, C) int64, which cameras they pass.
    """

    rgba: Image
    boxes_xyxy: IntArray
    camera_ids: IntArray

    def cutout(self, view: tuple[int, int, int]) -> Cutout:
        """Return the sprite at identity, camera that they pass, view."""
        return Cutout(self.rgba[view], self.boxes_xyxy[view])


def render_store(folder: Path, plan: StorePlan) -> None:
    """Render the people of a plan into ``folder``; what is there already, from the same plan, is kept.

    Raises
    ------
    ValueError
        when the folder holds the sprites of another plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan_file, done_file = folder / "plan.json", folder / "rendered.txt"
    if plan_file.is_file() and json.loads(plan_file.read_text("utf-8")) != asdict(plan):
        raise ValueError(f"{folder} holds sprites of another plan; give another folder, or delete it")
    shape = (plan.identities, plan.cameras_each, plan.views_each, CANVAS_HEIGHT, CANVAS_WIDTH, 4)
    if not plan_file.is_file():
        np.lib.format.open_memmap(folder / "rgba.npy", mode="w+", dtype=np.uint8, shape=shape).flush()
        np.lib.format.open_memmap(folder / "boxes.npy", mode="w+", dtype=np.int64, shape=(*shape[:3], 4)).flush()
        plan_file.write_text(json.dumps(asdict(plan)), "utf-8")
    rgba = np.load(folder / "rgba.npy", mmap_mode="r+")
    boxes = np.load(folder / "boxes.npy", mmap_mode="r+")
    cameras = _cameras(plan)
    for identity in range(_rendered(folder), plan.identities):
        _render_identity(plan, identity, cameras, rgba[identity], boxes[identity])
        if (identity + 1) % _REPORT_EVERY == 0 or identity + 1 == plan.identities:
            rgba.flush()
            boxes.flush()
            done_file.write_text(str(identity + 1), "ascii")
            _LOG.info("rendered=%d of=%d", identity + 1, plan.identities)


def open_store(folder: Path) -> SpriteStore:
    """Open what has been rendered so far."""
    plan = StorePlan(**json.loads((folder / "plan.json").read_text("utf-8")))
    count = _rendered(folder)
    return SpriteStore(
        np.load(folder / "rgba.npy", mmap_mode="r")[:count],
        np.asarray(np.load(folder / "boxes.npy", mmap_mode="r")[:count]),
        np.stack([_cameras_of(plan, identity) for identity in range(count)]),
    )


def _rendered(folder: Path) -> int:
    done_file = folder / "rendered.txt"
    return int(done_file.read_text("ascii")) if done_file.is_file() else 0


def _cameras(plan: StorePlan) -> list[CropCamera]:
    rng = np.random.default_rng([plan.seed, _CAMERA_STREAM])
    return [sample_camera(rng) for _ in range(plan.cameras)]


def _cameras_of(plan: StorePlan, identity: int) -> IntArray:
    rng = np.random.default_rng([plan.seed, _PERSON_STREAM, identity])
    return rng.choice(plan.cameras, plan.cameras_each, replace=False).astype(np.int64)


def _render_identity(
    plan: StorePlan,
    identity: int,
    cameras: list[CropCamera],
    rgba: NDArray[np.uint8],
    boxes: NDArray[np.int64],
) -> None:
    rng = np.random.default_rng([plan.seed, _PERSON_STREAM, identity, 1])
    person = sample_person(rng)
    for place, camera in enumerate(_cameras_of(plan, identity).tolist()):
        for view in range(plan.views_each):
            cutout = pass_by(person, cameras[camera], rng)
            rgba[place, view], boxes[place, view] = cutout.rgba, cutout.box_xyxy

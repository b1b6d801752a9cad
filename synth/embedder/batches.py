"""Training batches from sprites: as a tracker would cut them, in front of anything, beside anybody.

The person alone tells identities apart: backgrounds are drawn anew for every crop, boxes are cut badly, other people
stand behind and in front. Half of the batches are seen by one camera, as tracks in a video are; in the others every
person is seen by two.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from records import FloatArray, Image, IntArray
from synth.backdrops import sample_backdrop
from synth.compose import CROP_HEIGHT as HEIGHT
from synth.compose import CROP_WIDTH as WIDTH
from synth.compose import Stranger, compose
from synth.effects import CameraEffects, sample_effects
from synth.embedder.sprites import SpriteStore

MASK_HEIGHT, MASK_WIDTH = 32, 16
_IN_FRONT = 0.35
_BACKDROPS = 400
_BACKDROP_HEIGHT, _BACKDROP_WIDTH = 192, 96


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """How batches are made.

    Attributes
    ----------
    identities, crops_each : of a batch.
    one_camera : share of batches seen by a single camera.
    effects : strength of the cameras' effects, see `sample_effects`.
    """

    identities: int = 24
    crops_each: int = 4
    one_camera: float = 0.5
    effects: float = 0.8


@dataclass(frozen=True, eq=False)
class Batch:
    """Crops of some identities.

    Attributes
    ----------
    images_rgb : (N, 128, 64, 3) uint8.
    masks : (N, 32, 16) float32, how much of each cell is the person.
    labels : (N,) int64, the identities' places in the store.
    """

    images_rgb: Image
    masks: FloatArray
    labels: IntArray


class BatchMaker:
    """Put batches together; the same seed gives the same ones."""

    def __init__(self, store: SpriteStore, plan: BatchPlan, seed: int) -> None:
        self._store, self._plan = store, plan
        self._rng = np.random.default_rng(seed)
        self._passing = [np.argwhere(store.camera_ids == camera) for camera in range(int(store.camera_ids.max()) + 1)]
        self._enough = [ids for ids in self._passing if len(ids) >= plan.identities]
        if not self._enough:
            most = max(len(ids) for ids in self._passing)
            raise ValueError(f"no camera sees {plan.identities} identities, the most one sees is {most}; render more")
        self._backdrops = [
            (sample_backdrop(self._rng, _BACKDROP_HEIGHT, _BACKDROP_WIDTH) * 255).astype(np.uint8)
            for _ in range(_BACKDROPS)
        ]

    def make(self) -> Batch:
        """Return the next batch."""
        rng, plan = self._rng, self._plan
        passing = self._enough[int(rng.integers(len(self._enough)))]
        chosen = passing[rng.choice(len(passing), plan.identities, replace=False)]
        is_one_camera = rng.random() < plan.one_camera
        habits = [sample_effects(rng, strength=plan.effects) for _ in range(2)]
        images, masks = [], []
        for identity, place in chosen.tolist():
            places = self._store.camera_ids.shape[1]
            other = place if is_one_camera else (place + int(rng.integers(1, places))) % places
            for number in range(plan.crops_each):
                is_other = number >= plan.crops_each // 2
                view = self._view(identity, other if is_other else place, number)
                effects = habits[1 if is_other and not is_one_camera else 0]
                image, mask = self._crop(view, passing, effects)
                images.append(image)
                masks.append(mask)
        return Batch(np.stack(images), np.stack(masks), np.repeat(chosen[:, 0], plan.crops_each))

    def _view(self, identity: int, place: int, number: int) -> tuple[int, int, int]:
        """Return which sprite shows the identity; neighbouring numbers give different views."""
        views = self._store.rgba.shape[2]
        return identity, place, (number + int(self._rng.integers(2))) % views

    def _crop(self, view: tuple[int, int, int], passing: IntArray, habits: CameraEffects) -> tuple[Image, FloatArray]:
        rng = self._rng
        crowd = int(rng.choice(3, p=(0.6, 0.3, 0.1)))
        strangers = [self._stranger(passing, view[0]) for _ in range(crowd)]
        image, mask = compose(self._store.cutout(view), strangers, self._backdrop(), self._backdrop(), habits, rng)
        shrunk = cv2.resize(mask, (MASK_WIDTH, MASK_HEIGHT), interpolation=cv2.INTER_AREA)
        return image, np.asarray(shrunk, np.float32)

    def _stranger(self, passing: IntArray, identity: int) -> Stranger:
        """Return somebody else whom the same camera sees."""
        rng = self._rng
        others = passing[passing[:, 0] != identity]
        other, place = others[int(rng.integers(len(others)))].tolist()
        view = (other, place, int(rng.integers(self._store.rgba.shape[2])))
        return Stranger(self._store.cutout(view), is_in_front=bool(rng.random() < _IN_FRONT))

    def _backdrop(self) -> FloatArray:
        """Return (128, 64, 3) float32, a piece of a random backdrop."""
        rng = self._rng
        whole = self._backdrops[int(rng.integers(_BACKDROPS))]
        top, left = int(rng.integers(_BACKDROP_HEIGHT - HEIGHT)), int(rng.integers(_BACKDROP_WIDTH - WIDTH))
        piece = whole[top : top + HEIGHT, left : left + WIDTH]
        if rng.random() < 0.5:
            piece = piece[:, ::-1]
        shown: FloatArray = piece.astype(np.float32) / np.float32(255)
        return shown

"""One attempt at a search by picture: find the people and vehicles in it, cut them out, describe them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from errors import LeaseLost, ResightError
from model.crops import cut_crops
from model.protocols import Detector, Embedder
from model.stored_name import stored_name
from pipeline.best_crops import encode_jpeg, shrunk
from records import CLASS_KINDS, Detections, FloatArray, Image
from store import models, queries
from store.files import QueryFiles, Storage
from store.queries import FoundPerson, QueryClaim
from worker import kinds
from worker.attempt import utc_now
from worker.embed import check_model

_log = logging.getLogger(__name__)

MAX_SIDE_PX = 1920
"""Larger pictures are scaled down: nobody is found better in more pixels than a video has."""
MAX_PEOPLE = 60
MIN_SCORE = 0.3
MIN_SIDE_PX = 8
WHOLE_SHARE = 0.5
"""A picture in which nobody is found but that is as narrow as a cut-out of a person counts as one."""

Pair = tuple[Detector, Embedder]


@dataclass(frozen=True, kw_only=True)
class QueryPlace:
    """What an attempt at a query works with; see `worker.attempt.Workplace`."""

    settings: Settings
    sessions: sessionmaker[Session]
    storage: Storage
    worker: str
    build_models: kinds.BuildModels
    now: Callable[[], datetime] = utc_now


class ModelShelf:
    """Keeps the models of the last query: loading them again takes longer than using them."""

    def __init__(self) -> None:
        self._key: object = None
        self._pair: Pair | None = None
        self._name = ""
        self._lock = threading.Lock()

    def take(self, settings: Settings, wishes: Mapping[str, Any], build: kinds.BuildModels) -> tuple[Pair, str]:
        """Return detector and embedder, and the name that the latter has in the database."""
        key = (settings, tuple(sorted(wishes.items())))
        with self._lock:
            if self._pair is None or self._key != key:
                self._pair = build(settings, wishes, 1)
                self._key, self._name = key, stored_name(self._pair[1].info)
            return self._pair, self._name


SHELF = ModelShelf()
"""That of this process."""


def run_query(query_id: str, place: QueryPlace, shelf: ModelShelf = SHELF) -> None:
    """Work on a query, if it waits; never raises what a query may bring about."""
    with place.sessions.begin() as session:
        held = queries.claim(session, query_id, place.worker, place.now(), place.settings.lease_s)
        wanted = models.active(session)
    if held is None:
        _log.info("nothing to claim query=%s", query_id)
        return
    wishes = {"embedder": wanted.choice} if wanted.choice else {}
    try:
        (detector, embedder), name = shelf.take(place.settings, wishes, place.build_models)
        check_model(name, wanted.name)
        people = _describe(held, place.storage.query(query_id), place.settings, detector, embedder)
        if not people:
            raise ResightError("search.nobody_found")
    except Exception as error:  # noqa: BLE001  # the task's edge: whatever it is, the row must say so
        code, params = _explain(error, held)
        _log.log(logging.INFO, "failed query=%s code=%s", query_id, code, exc_info=code == "job.internal")
        _end(place, lambda session: queries.fail(session, held, code, params, place.now()))
        return
    _end(place, lambda session: queries.finish(session, held, people, embedder=name, now=place.now()))
    _log.info("done query=%s people=%d", query_id, len(people))


def _end(place: QueryPlace, ending: Callable[[Session], None]) -> None:
    try:
        with place.sessions.begin() as session:
            ending(session)
    except LeaseLost as lost:
        _log.info("lease lost query=%s", lost)


def _describe(
    held: QueryClaim, files: QueryFiles, settings: Settings, detector: Detector, embedder: Embedder
) -> list[FoundPerson]:
    """Return who is in the pictures, the largest first, and write the cut-outs by that order."""
    pictures = [_upright(files, place, settings) for place in range(held.picture_count)]
    found = [_whole_if_empty(boxes, image) for boxes, image in zip(detector.detect(pictures), pictures, strict=True)]
    crops: list[Image] = []
    places: list[tuple[int, int]] = []
    for place, (image, boxes) in enumerate(zip(pictures, found, strict=True)):
        for row, crop in enumerate(cut_crops(image, boxes.boxes_xyxy)):
            crops.append(crop)
            places.append((place, row))
    areas = [crop.shape[0] * crop.shape[1] for crop in crops]
    order = sorted(range(len(crops)), key=lambda each: -areas[each])[:MAX_PEOPLE]
    vectors = embedder.embed([crops[each] for each in order])
    people = []
    for number, (each, vector) in enumerate(zip(order, vectors, strict=True), 1):
        files.person(number).write_bytes(encode_jpeg(shrunk(crops[each])))
        place, row = places[each]
        people.append(_person(place, found[place], row, pictures[place], vector))
    return people


def _upright(files: QueryFiles, place: int, settings: Settings) -> Image:
    """Return a picture as it is searched by and keep it so; what was sent goes, with its metadata."""
    sent, kept = files.sent(place), files.picture(place)
    path = sent if sent.is_file() else kept
    image = read_picture(path.read_bytes(), settings)
    kept.write_bytes(encode_jpeg(image))
    sent.unlink(missing_ok=True)
    return image


def read_picture(data: bytes, settings: Settings) -> Image:
    """Return an encoded picture as (H, W, 3) uint8 BGR, upright, at most `MAX_SIDE_PX` on the long side.

    Raises
    ------
    ResightError
        ``picture.unreadable``.
    """
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:
        decoded = None
    if decoded is None or decoded.shape[0] * decoded.shape[1] > settings.max_picture_pixels:
        raise ResightError("picture.unreadable", name="")
    height, width = decoded.shape[:2]
    scale = MAX_SIDE_PX / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        decoded = cv2.resize(decoded, size, interpolation=cv2.INTER_AREA)
    return np.asarray(decoded, np.uint8)


def _whole_if_empty(found: Detections, image: Image) -> Detections:
    """Return the boxes worth showing; where there is none in a picture shaped like a cut-out, all of it."""
    sides = found.boxes_xyxy[:, 2:] - found.boxes_xyxy[:, :2]
    kept = found.select((found.scores >= MIN_SCORE) & (sides >= MIN_SIDE_PX).all(axis=1))
    height, width = image.shape[:2]
    if len(kept) or width > WHOLE_SHARE * height:
        return kept
    box = np.array([[0, 0, width, height]], np.float32)
    return Detections(box, np.zeros(1, np.float32), np.zeros(1, np.int64))


def _person(place: int, found: Detections, row: int, image: Image, vector: FloatArray) -> FoundPerson:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (found.boxes_xyxy[row] / np.array([width, height, width, height], np.float32)).tolist()
    kind = CLASS_KINDS[int(found.class_ids[row])]
    return FoundPerson(place, kind.value, float(found.scores[row]), (x1, y1, x2, y2), vector)


def _explain(error: Exception, held: QueryClaim) -> tuple[str, dict[str, Any]]:
    if isinstance(error, ResightError):
        return error.code, {name: str(value) for name, value in error.params.items()}
    if isinstance(error, MemoryError):
        return "job.out_of_memory", {}
    return "job.internal", {"kind": type(error).__name__, "job_id": held.query_id}

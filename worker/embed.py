"""Describe the tracks of a published result by another model, from their kept crops: no video is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from config import Settings
from errors import ResightError
from model.protocols import Embedder
from model.registry import build_embedder
from model.stored_name import repeatable_choice, stored_name
from pipeline.threads import available_cores, limit_thread_pools, plan_threads
from records import FloatArray, Image, Progress
from store import jobs
from store.files import AttemptFiles, Storage
from store.results import Describer
from worker.kinds import OnProgress, base_files

BATCH_TRACKS = 16
BuildEmbedder = Callable[[Settings, Mapping[str, Any], int], Embedder]


def embedder_of_job(settings: Settings, wishes: Mapping[str, Any], threads: int) -> Embedder:
    """Return the embedder that a job or a query asks for, or else the settings."""
    name = wishes.get("embedder") or settings.embedder
    return build_embedder(name, settings.emb_model_dir, threads=threads, use_gpu=settings.use_gpu)


def embed_job(
    held: jobs.Claim,
    numbers: Sequence[int],
    storage: Storage,
    settings: Settings,
    build: BuildEmbedder,
    on_progress: OnProgress,
) -> tuple[dict[int, FloatArray], Describer]:
    """Return a vector for each of the tracks with those numbers, and the model that made them.

    Raises
    ------
    ResightError
        ``job.no_base`` where no result is published, ``job.no_crops`` where its pictures are gone,
        ``job.other_weights`` where what is installed makes another model than the one that is wanted.
    """
    base = base_files(held, storage)
    plan = limit_thread_pools(plan_threads(available_cores(), requested=settings.cpu_threads))
    embedder = build(settings, held.settings, plan.networks)
    asked = held.settings.get("embedder") or settings.embedder
    describer = Describer(name=stored_name(embedder.info), choice=repeatable_choice(embedder.info, asked))
    check_model(describer.name, held.settings.get("model") or "")
    found: dict[int, FloatArray] = {}
    begun_s = time.monotonic()
    for start in range(0, len(numbers), BATCH_TRACKS):
        part = numbers[start : start + BATCH_TRACKS]
        crops = {number: list(_crops(base, number)) for number in part}
        vectors = iter(embedder.embed([crop for several in crops.values() for crop in several]))
        for number, several in crops.items():
            vector = _mean([next(vectors) for _ in several])
            if vector is not None:
                found[number] = vector
        on_progress(_progress(start + len(part), len(numbers), time.monotonic() - begun_s))
    if numbers and not found:
        raise ResightError("job.no_crops")
    return found, describer


def check_model(found: str, wanted: str) -> None:
    """Refuse a model that is not the wanted one; an empty name wants any.

    Raises
    ------
    ResightError
        ``job.other_weights``.
    """
    if wanted and wanted != found:
        raise ResightError("job.other_weights", found=found, wanted=wanted)


def _crops(base: AttemptFiles, number: int) -> Iterator[Image]:
    for path in base.crops(number):
        image = (
            cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
        )
        if image is not None:
            yield np.asarray(image, np.uint8)


def _mean(vectors: Sequence[FloatArray]) -> FloatArray | None:
    """Return the mean at unit length; the best crop comes first and counts most. None for nothing."""
    if not vectors:
        return None
    weights = 1 / np.arange(1, len(vectors) + 1)
    mean = weights @ np.stack(vectors).astype(np.float64)
    length = float(np.linalg.norm(mean))
    return (mean / length).astype(np.float32) if length > 1e-12 else None


def _progress(done: int, total: int, spent_s: float) -> Progress:
    rate = done / spent_s if spent_s > 0 else None
    eta_s = (total - done) / rate if rate else None
    return Progress("embed", done / total, done, total, None, eta_s)

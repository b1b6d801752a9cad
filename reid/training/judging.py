"""Measuring a network while it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from errors import DataError
from model.embedding_spec import Preprocessing
from model.network_input import prepare_crops
from records import FloatArray
from reid.datasets.crops import CropSet
from reid.labelled import LabelledFeatures
from reid.metrics import Evaluation, evaluate, evaluate_leave_one_out

EmbedBatch = Callable[[FloatArray], FloatArray]
"""(N, 3, H, W) float32 → (N, D) float32, as `Learner.embed`."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a network is measured on: queries against a gallery, or, without one, all pictures against all others.

    Raises
    ------
    DataError
        when no query has anything to find, which is better known before a training than after it.
    """

    query: CropSet
    gallery: CropSet | None = None

    def __post_init__(self) -> None:
        if not self._has_match():
            raise DataError("data.no_match", queries=len(self.query))

    def _has_match(self) -> bool:
        if self.gallery is None:
            return len(np.unique(self.query.identities)) < len(self.query)
        cameras_of: dict[int, set[int]] = {}
        for identity, camera in zip(self.gallery.identities.tolist(), self.gallery.cameras.tolist(), strict=True):
            cameras_of.setdefault(identity, set()).add(camera)
        queries = zip(self.query.identities.tolist(), self.query.cameras.tolist(), strict=True)
        return any(cameras_of.get(identity, set()) - {camera} for identity, camera in queries)


def embed_crops(
    embed: EmbedBatch, crops: CropSet, preprocessing: Preprocessing, *, batch_size: int = 64
) -> LabelledFeatures:
    """Return the embeddings of all crops, (N, D) float32, in order, with their labels."""
    parts = [
        embed(
            prepare_crops([crops.load(row) for row in range(start, min(start + batch_size, len(crops)))], preprocessing)
        )
        for start in range(0, len(crops), batch_size)
    ]
    features: FloatArray = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
    return LabelledFeatures(features, crops.identities, crops.cameras)


def judge(embed: EmbedBatch, held_out: HeldOut, preprocessing: Preprocessing, *, batch_size: int = 64) -> Evaluation:
    """Return how well the network finds identities again.

    Raises
    ------
    DataError
        when no query has anything to find.
    """
    query = embed_crops(embed, held_out.query, preprocessing, batch_size=batch_size)
    if held_out.gallery is None:
        return evaluate_leave_one_out(query)
    return evaluate(query, embed_crops(embed, held_out.gallery, preprocessing, batch_size=batch_size))


def summary(evaluation: Evaluation) -> dict[str, float]:
    """Return the figures of an evaluation that a journal keeps."""
    if evaluation.protocol == "leave_one_out":
        return {"recall_1": evaluation.rank(1), "mAP": evaluation.mean_ap}
    return {"rank_1": evaluation.rank(1), "rank_5": evaluation.rank(5), "mAP": evaluation.mean_ap}

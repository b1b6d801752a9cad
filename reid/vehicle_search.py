"""Finding one vehicle by its plate's gallery: ``gallery_dir/{plate_id}/`` holds pictures of it.

Load a model, load the embeddings of a plate's gallery, score the vehicles found
in frames, and keep the best of each frame:

>>> model = load_model("vehicle.safetensors")
>>> gallery = load_gallery_embeddings("data/gallery", "B12345", model)
>>> scores = score_candidates(crops, gallery, model)
>>> matches = filter_matches(scores, frames)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from errors import DataError
from model.protocols import Embedder
from records import FloatArray, Image, IntArray
from reid.datasets.crops import read_picture
from reid.distance_blocks import unit_rows
from reid.embedders import open_embedder
from reid.flipping import FlippingEmbedder
from reid.gallery import list_pictures

GALLERY_DIR = Path("data/gallery")
INPUT_SIZE = 224
MIN_SCORE = 0.6
TOP_K = 5

_BATCH = 32


@dataclass(frozen=True)
class VehicleMatch:
    """A vehicle in a frame that is probably the one asked for.

    Attributes
    ----------
    frame : which frame; candidate : its place among all candidates; score : cosine similarity.
    """

    frame: int
    candidate: int
    score: float


def load_model(checkpoint: str | Path, *, device: str = "cpu", threads: int = 0) -> Embedder:
    """Load a vehicle embedder, whose embeddings are f(x) + f(flip x) at unit length.

    Parameters
    ----------
    checkpoint : a ``.safetensors`` of ours, the folder of an exported model, or a name of `model.registry`.
    device : ``cpu`` or ``cuda``.

    Raises
    ------
    ModelError
        when the weights are missing or cannot be used.
    ValueError
        for another device.
    """
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device must be cpu or cuda, not “{device}”")
    return FlippingEmbedder(open_embedder(str(checkpoint), use_gpu=device == "cuda", threads=threads))


def load_gallery_embeddings(
    gallery_dir: str | Path, plate_id: str, model: Embedder, *, input_size: int = INPUT_SIZE
) -> FloatArray:
    """Return (N, D) float32 embeddings of unit length of all pictures in ``gallery_dir/plate_id``.

    Raises
    ------
    DataError
        when there is no such folder, or no picture in it, or one that cannot be read.
    """
    if not plate_id or Path(plate_id).name != plate_id:
        raise DataError("data.folder_missing", dataset="the gallery", path=str(plate_id), holds="a plate's pictures")
    crops = [read_picture(picture.path) for picture in list_pictures(Path(gallery_dir) / plate_id)]
    return embed_vehicles(crops, model, input_size=input_size)


def embed_vehicles(crops_bgr: Sequence[Image], model: Embedder, *, input_size: int = INPUT_SIZE) -> FloatArray:
    """Return (N, D) float32 embeddings of crops, squeezed to ``input_size`` squares first, in batches of 32."""
    features = np.zeros((len(crops_bgr), model.dimension), np.float32)
    for start in range(0, len(crops_bgr), _BATCH):
        batch = [cv2.resize(crop, (input_size, input_size)) for crop in crops_bgr[start : start + _BATCH]]
        features[start : start + len(batch)] = model.embed(batch)  # type: ignore[arg-type]  # uint8 stays
    return features


def score_candidates(
    crops_bgr: Sequence[Image], gallery: FloatArray, model: Embedder, *, input_size: int = INPUT_SIZE
) -> FloatArray:
    """Return (N,) float32: the cosine similarity of each crop to the most similar picture of the gallery.

    Parameters
    ----------
    crops_bgr : (h, w, 3) uint8, sizes may differ; may be empty.
    gallery : (G, D) float32, G ≥ 1.

    Raises
    ------
    ValueError
        for an empty gallery, or one of another dimension.
    """
    if gallery.ndim != 2 or len(gallery) == 0 or gallery.shape[1] != model.dimension:
        raise ValueError(f"the gallery must have shape (1 or more, {model.dimension}), not {gallery.shape}")
    similarities = embed_vehicles(crops_bgr, model, input_size=input_size) @ unit_rows(gallery).T
    best: FloatArray = similarities.max(axis=1)
    return best


def filter_matches(
    scores: FloatArray, frames: IntArray, *, min_score: float = MIN_SCORE, top_k: int = TOP_K
) -> list[VehicleMatch]:
    """Return the candidates that score at least ``min_score``, the best ``top_k`` of each frame.

    Parameters
    ----------
    scores, frames : (N,) of each candidate.

    Returns
    -------
    sorted by frame, then the best first.
    """
    if scores.shape != frames.shape:
        raise ValueError(f"scores and frames must be as many, not {scores.shape} and {frames.shape}")
    matches: list[VehicleMatch] = []
    taken: dict[int, int] = {}
    for place in np.lexsort((-scores, frames)).tolist():
        frame, score = int(frames[place]), float(scores[place])
        if score >= min_score and taken.get(frame, 0) < top_k:
            taken[frame] = taken.get(frame, 0) + 1
            matches.append(VehicleMatch(frame, place, score))
    return matches

"""What travels beside exported embedding weights: ``embedding.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from errors import ModelError
from records import DistanceScale

SIDECAR_NAME = "embedding.json"
STRETCH, COVER = "stretch", "cover"
"""Ways to bring a crop to the network's input size: all of it, squeezed, or its middle, in its own proportions."""
UNTRAINED = "untrained"
"""The origin of an export whose weights are random."""

_FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a crop becomes the network's input: resized in steps, RGB, /255, minus mean, over std.

    Attributes
    ----------
    sizes_wh : (width, height) pixels of each bilinear resize in turn; the last is the input's.
    mean, std : of each channel, red first, for values 0 to 1.
    fit : `STRETCH`, or `COVER`: only the last size counts, the crop is resized in its own proportions until its
        shorter side fits, and the middle is cut out (so does Paddle metric learning; tall people lose heads).

    The defaults are those of deep_sort_paddle: 64×128, then 128×128, and the
    statistics of ImageNet.
    """

    sizes_wh: tuple[tuple[int, int], ...] = ((64, 128), (128, 128))
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    fit: str = STRETCH

    def __post_init__(self) -> None:
        if not self.sizes_wh or any(len(size) != 2 or min(size) < 1 for size in self.sizes_wh):
            raise ValueError(f"sizes_wh must be pairs of positive width and height, not {self.sizes_wh}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError(f"mean and std must have three values, std above 0, not {self.mean} and {self.std}")
        if self.fit not in (STRETCH, COVER):
            raise ValueError(f"fit must be {STRETCH} or {COVER}, not {self.fit}")


@dataclass(frozen=True, kw_only=True)
class EmbeddingSpec:
    """What is known of an exported embedding network.

    Attributes
    ----------
    name : as shown to the user, and as embeddings are labelled with it.
    architecture : e.g. ``ResNet101_vd``.
    dimension : length of an embedding.
    preprocessing : how crops are prepared.
    max_cosine_distance : gate that suits these embeddings.
    origin : the checkpoint's file name, or `UNTRAINED`.
    distances : measured by ``python -m bench.appearance`` and written in by hand; None: not measured.
    """

    name: str
    architecture: str
    dimension: int
    preprocessing: Preprocessing
    max_cosine_distance: float
    origin: str
    distances: DistanceScale | None = None

    def __post_init__(self) -> None:
        if self.dimension < 1 or not 0 < self.max_cosine_distance <= 2 or not self.origin:
            raise ValueError(
                "dimension must be 1 or more, max_cosine_distance above 0 and at most 2, and origin given, not "
                f"{self.dimension}, {self.max_cosine_distance}, “{self.origin}”"
            )

    def write(self, folder: Path) -> None:
        """Write the sidecar into ``folder``."""
        document = {"format": _FORMAT_VERSION, **asdict(self)}
        (folder / SIDECAR_NAME).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def preprocessing_from_json(document: dict[str, Any]) -> Preprocessing:
    """Return what ``asdict`` made of a `Preprocessing`, after JSON.

    Raises
    ------
    ValueError, TypeError, KeyError
        when it is none.
    """
    return Preprocessing(
        sizes_wh=tuple((int(width), int(height)) for width, height in document["sizes_wh"]),
        mean=tuple(float(value) for value in document["mean"]),  # type: ignore[arg-type]  # checked there
        std=tuple(float(value) for value in document["std"]),  # type: ignore[arg-type]  # checked there
        fit=document.get("fit", STRETCH),  # sidecars of earlier versions have none
    )


def read_spec(folder: Path) -> EmbeddingSpec | None:
    """Return what ``embedding.json`` in ``folder`` says; None where there is none (other people's exports).

    Raises
    ------
    ModelError
        when the file cannot be read as one.
    """
    path = folder / SIDECAR_NAME
    if not path.is_file():
        return None
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        if document.pop("format") != _FORMAT_VERSION:
            raise ValueError(f"format {_FORMAT_VERSION} is wanted")
        preprocessing = preprocessing_from_json(document.pop("preprocessing"))
        distances = document.pop("distances", None)
        return EmbeddingSpec(
            preprocessing=preprocessing,
            distances=None if distances is None else DistanceScale(**distances),
            **document,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        detail = f"{SIDECAR_NAME} is not as exported ({type(error).__name__}: {error})"
        raise ModelError("model.export_unreadable", path=str(folder), detail=detail) from error

"""The networks of a job, built to suit its tracker and its preset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.hsv_stripes import HsvStripes
from model.protocols import Detector, Embedder
from model.registry import build_embedder, resolve_detector
from pipeline.lanes import build_detector_lanes
from pipeline.presets import DEFAULT_PRESET, preset_of

WEAK_SCORE = 0.1
"""The trackers match weak boxes in a second round, and choose for themselves which begin a track."""
_SCORED = ("builtin", "yolox", "paddledet")
"""Detectors whose weak boxes are worth having; HOG's are mostly noise."""


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """What is to be built.

    Attributes
    ----------
    detector, embedder : names from `model.registry`.
    threshold : lowest score of a box; None: what suits the detector and our trackers.
    preset : decides between several files of weights, and how large a picture the detector sees.
    """

    detector: str = "auto"
    det_model_dir: Path
    threshold: float | None = None
    embedder: str = "auto"
    emb_model_dir: Path
    use_gpu: bool = False
    preset: str = DEFAULT_PRESET


@dataclass(frozen=True)
class Models:
    """What `pipeline.run.TrackRequest` wants.

    Attributes
    ----------
    descriptor : cheap, for the tracker; None where the embedder itself is that cheap.
    """

    detector: Detector
    embedder: Embedder
    descriptor: Embedder | None


def build_models(choice: ModelChoice, *, threads: int) -> Models:
    """Load the networks.

    Parameters
    ----------
    threads : of the CPU for the networks, at least 1.

    Raises
    ------
    ModelError
        as `model.registry.build_detector` and `build_embedder` do.
    """
    preset = preset_of(choice.preset)
    model_dir = _weights(choice.det_model_dir, preset.weights_rank)
    threshold = weak_score_of(choice.detector, model_dir) if choice.threshold is None else choice.threshold
    detector = build_detector_lanes(
        choice.detector,
        model_dir,
        threshold=threshold,
        threads=threads,
        use_gpu=choice.use_gpu,
        input_side=preset.input_sides.get(resolve_detector(choice.detector, model_dir)),
    )
    embedder = build_embedder(choice.embedder, choice.emb_model_dir, threads=threads, use_gpu=choice.use_gpu)
    return with_descriptor(detector, embedder)


def weak_score_of(detector: str, model_dir: Path) -> float | None:
    """Return from which score on a detector's boxes are wanted; None: from where it thinks fit."""
    return WEAK_SCORE if resolve_detector(detector, model_dir) in _SCORED else None


def with_descriptor(detector: Detector, embedder: Embedder) -> Models:
    """Return the models with a descriptor beside the embedder, unless that one is cheap itself."""
    return Models(detector, embedder, None if isinstance(embedder, HsvStripes) else HsvStripes())


def _weights(model_dir: Path, rank: float) -> Path:
    """Return one of several YOLOX files in a folder by its size, ``rank`` 0 the smallest; else the path itself."""
    if not model_dir.is_dir():
        return model_dir
    files = sorted(model_dir.glob("*.onnx"), key=lambda path: (path.stat().st_size, path.name))
    if len(files) < 2 or resolve_detector("auto", model_dir) != "yolox":
        return model_dir
    return files[int(rank * (len(files) - 1))]

"""From a name and a path to a detector or an embedder; ``auto`` takes the best whose weights are present."""

from __future__ import annotations

from pathlib import Path

from errors import ModelError
from model.protocols import Detector, Embedder
from records import ModelInfo, Notice

DETECTORS = ("auto", "builtin", "hog", "yolox", "paddledet")
EMBEDDERS = ("auto", "hsv_stripes", "builtin", "paddle")


def build_detector(
    name: str,
    model_dir: Path,
    *,
    threshold: float | None,
    threads: int,
    use_gpu: bool,
    input_side: int | None = None,
) -> Detector:
    """Load a detector.

    Parameters
    ----------
    name : one of `DETECTORS`. ``auto``: a PaddleDetection export in the folder,
        else a YOLOX file, else the built-in one with the notice
        ``model.builtin_detector``.
    model_dir : folder of the weights, or a ``.onnx`` file.
    threshold : lowest score of a box, 0 to 1; None: what suits the detector.
    threads : of the CPU; 0: one for each core.
    input_side : long side of the picture as the detector sees it, where its weights leave that open; None: what suits
        the detector.

    Raises
    ------
    ModelError
        for an unknown name, for weights that are missing where they were asked
        for by name, and for weights that are there but cannot be used.
    ValueError
        for a threshold outside 0 to 1.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in 0 to 1, not {threshold}")
    notices: tuple[Notice, ...] = ()
    if name == "auto":
        name = resolve_detector(name, model_dir)
        if name == "builtin":
            notices = (Notice("model.builtin_detector", {"path": str(model_dir)}),)
    if name == "builtin":
        from model import builtin_detector as builtin

        return builtin.BuiltinDetector(
            threshold=builtin.DEFAULT_THRESHOLD if threshold is None else threshold,
            threads=threads,
            use_gpu=use_gpu,
            input_side=input_side,
            notices=notices,
        )
    if name == "hog":
        from model import hog

        return hog.HogDetector(
            threshold=hog.DEFAULT_THRESHOLD if threshold is None else threshold,
            threads=threads,
            working_side=input_side or hog.DEFAULT_WORKING_SIDE,
            info=ModelInfo("hog"),
        )
    if name == "yolox":
        from model import yolox

        return yolox.YoloxDetector(
            _onnx_file(model_dir),
            threshold=yolox.DEFAULT_THRESHOLD if threshold is None else threshold,
            threads=threads,
            use_gpu=use_gpu,
            input_side=input_side or yolox.DEFAULT_INPUT_SIDE,
        )
    if name == "paddledet":
        from model import paddledet

        return paddledet.PaddleDetector(
            model_dir,
            threshold=paddledet.DEFAULT_THRESHOLD if threshold is None else threshold,
            threads=threads,
            use_gpu=use_gpu,
        )
    raise ModelError("model.unknown", what="detector", name=name, choices=", ".join(DETECTORS))


def build_embedder(name: str, model_dir: Path, *, threads: int, use_gpu: bool) -> Embedder:
    """Load an embedder.

    Parameters
    ----------
    name : one of `EMBEDDERS`. ``auto``: the trained Paddle export in the folder,
        else the built-in one with the notice ``model.builtin_embedder``.
    model_dir : folder of the weights.
    threads : of the CPU; 0: one for each core.

    Raises
    ------
    ModelError
        for an unknown name, for weights that are missing where they were asked
        for by name, and for weights that are there but cannot be used, an
        export without training among them.
    """
    from model.paddle_files import find_paddle_files

    notices: tuple[Notice, ...] = ()
    if name == "auto":
        name = "builtin" if find_paddle_files(model_dir) is None else "paddle"
        if name == "builtin":
            notices = (Notice("model.builtin_embedder", {"path": str(model_dir)}),)
    if name == "hsv_stripes":
        from model.hsv_stripes import HsvStripes

        return HsvStripes()
    if name == "builtin":
        from model.builtin_embedder import BuiltinEmbedder

        return BuiltinEmbedder(threads=threads, use_gpu=use_gpu, notices=notices)
    if name == "paddle":
        from model.paddle_embedder import PaddleEmbedder

        return PaddleEmbedder(model_dir, threads=threads, use_gpu=use_gpu)
    raise ModelError("model.unknown", what="embedder", name=name, choices=", ".join(EMBEDDERS))


def resolve_detector(name: str, model_dir: Path) -> str:
    """Return ``name``, or for ``auto`` the best whose weights lie at the path; half of an export is not passed over."""
    if name != "auto":
        return name
    from model.paddle_files import find_paddle_files
    from model.paddledet_config import CONFIG_NAME

    if (model_dir / CONFIG_NAME).is_file() or find_paddle_files(model_dir) is not None:
        return "paddledet"
    if model_dir.suffix == ".onnx" or (model_dir.is_dir() and any(model_dir.glob("*.onnx"))):
        return "yolox"
    return "builtin"


def _onnx_file(model_dir: Path) -> Path:
    """Return the ONNX file that a path means."""
    if not model_dir.is_dir():
        return model_dir
    files = sorted(model_dir.glob("*.onnx"))
    if len(files) > 1:
        detail = f"it holds several ONNX files ({', '.join(file.name for file in files)}); name one of them"
        raise ModelError("model.export_unreadable", path=str(model_dir), detail=detail)
    if not files:
        raise ModelError("model.weights_missing", model="yolox", path=str(model_dir))
    return files[0]

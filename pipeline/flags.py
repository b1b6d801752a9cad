"""The flags of ``predict.py``: those of deep_sort_paddle's, and our own."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model.registry import DETECTORS, EMBEDDERS
from pipeline.analyse import EMBED_POLICIES
from pipeline.presets import DEFAULT_PRESET, PRESETS
from pipeline.tracking import DEEPSORT, RECORDED, TRACKERS

DETECTION_DIR = Path("model/detection")
EMBEDDING_DIR = Path("model/embedding")

_DEEPSORT_DEFAULTS = {
    "max_cosine_distance": None,
    "nn_budget": 100,
    "max_iou_distance": 0.7,
    "max_age": 70,
    "n_init": 3,
}
_TENSORRT_SWITCHES = ("--use_dynamic_shape", "--trt_calib_mode")
_TENSORRT_SIZES = {"--trt_min_shape": 1, "--trt_max_shape": 1280, "--trt_opt_shape": 640}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; booleans are written ``True`` or ``False``, or the bare flag for True."""
    parser = argparse.ArgumentParser(
        prog="predict.py",
        description="Track people and vehicles in a video, a camera's picture or a folder of pictures.",
    )
    _add_source(parser)
    _add_models(parser)
    _add_tracker(parser)
    _add_ignored(parser)
    return parser


def sentences_about_flags_without_effect(options: argparse.Namespace) -> Iterator[str]:
    """Yield a sentence for each flag that was given and changes nothing here."""
    if options.run_mode not in ("paddle", "fluid"):
        yield f"--run_mode {options.run_mode} has no effect: TensorRT is not used."
    for name, default in {**dict.fromkeys(_TENSORRT_SWITCHES, False), **_TENSORRT_SIZES}.items():
        if getattr(options, name.removeprefix("--")) != default:
            yield f"{name} has no effect: TensorRT is not used."
    if not options.enable_mkldnn:
        yield "--enable_mkldnn False has no effect: Paddle always uses oneDNN on the CPU."
    if options.tracker != DEEPSORT:
        for name, usual in _DEEPSORT_DEFAULTS.items():
            if getattr(options, name) != usual:
                yield f"--{name} has no effect: it belongs to --tracker deepsort."
    if options.cpu_threads and options.use_gpu:
        yield "--cpu_threads has no effect on networks that run on the GPU."


def _add_source(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is tracked")
    source = group.add_mutually_exclusive_group(required=True)
    source.add_argument("--video_path", help="video file")
    source.add_argument(
        "--camera_id", help="index or URL of a camera; Ctrl-C ends the recording and finishes the files"
    )
    source.add_argument("--img_dir", help="folder of pictures, taken in the order of their names")
    group.add_argument("--frame_rate", type=float, default=25.0, help="frames a second of --img_dir (%(default)s)")
    group.add_argument("--max_frames", type=int, help="read no more than these")
    group.add_argument("--save_dir", default="output", help="gets output.mp4 and result.txt (%(default)s)")
    _add_switch(group, "--display", default=False, help_text="show the tracks in a window while they are found")


def _add_models(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("networks").add_argument
    add("--detector", choices=DETECTORS, default="auto", help="auto takes the best whose weights are present")
    add("--det_model_dir", default=str(DETECTION_DIR), help="detector weights, a folder or a file (%(default)s)")
    add("--threshold", type=float, help="lowest score of a box, 0 to 1 (what suits the detector)")
    add("--embedder", choices=EMBEDDERS, default="auto", help="auto takes trained weights where present")
    add("--emb_model_dir", default=str(EMBEDDING_DIR), help="folder of an exported embedding model (%(default)s)")
    add(
        "--embed",
        choices=EMBED_POLICIES,
        default=EMBED_POLICIES[0],
        help="what a network embeds: the best crops of each stretch of a track, or every box, for comparison",
    )
    add("--cpu_threads", type=int, default=0, help="threads of the networks; 0: one for each core (%(default)s)")
    _add_switch(parser, "--use_gpu", default=False, help_text="run the networks on the GPU")


def _add_tracker(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("tracker").add_argument
    add(
        "--preset",
        choices=tuple(PRESETS),
        default=DEFAULT_PRESET,
        help="fast leaves frames out, accurate takes the largest weights (%(default)s)",
    )
    add(
        "--tracker",
        choices=TRACKERS,
        default=RECORDED,
        help="recorded looks at finished tracks once more, online does not, deepsort is DeepSORT as published; the "
        "flags below are of deepsort alone (%(default)s)",
    )
    add("--max_cosine_distance", type=float, help="largest distance of appearance (what suits the embedder)")
    add("--nn_budget", type=int, default=100, help="appearances kept a track; 0 keeps all (%(default)s)")
    add("--max_iou_distance", type=float, default=0.7, help="largest 1 − IoU of a match (%(default)s)")
    add("--max_age", type=int, default=70, help="frames that a track survives unseen (%(default)s)")
    add("--n_init", type=int, default=3, help="detections that confirm a track (%(default)s)")


def _add_ignored(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("accepted for the sake of older scripts, without effect")
    group.add_argument("--run_mode", default="paddle")
    _add_switch(group, "--enable_mkldnn", default=True)
    for name in _TENSORRT_SWITCHES:
        _add_switch(group, name, default=False)
    for name, size in _TENSORRT_SIZES.items():
        group.add_argument(name, type=int, default=size)


def _add_switch(group: Any, name: str, *, default: bool, help_text: str = "") -> None:
    group.add_argument(
        name, nargs="?", const=True, default=default, type=_boolean, metavar="True|False", help=help_text
    )


def _boolean(text: str) -> bool:
    try:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"True or False is wanted, not “{text}”") from None

"""Track one video, camera or folder of pictures: `track_video` and the command line.

``python predict.py --video_path street.mp4 --save_dir out`` writes
``out/output.mp4`` with the boxes drawn in and ``out/result.txt`` in
MOTChallenge format.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from deep_sort.tracker import TrackerOptions
from errors import ResightError
from pipeline import run
from pipeline.analyse import BEST_CROPS, GPU_BATCH, BatchLimits, Seen
from pipeline.flags import DETECTION_DIR, EMBEDDING_DIR, build_parser, sentences_about_flags_without_effect
from pipeline.models import ModelChoice, build_models
from pipeline.presets import DEFAULT_PRESET, preset_of
from pipeline.preview import PreviewWindow, can_show_windows
from pipeline.spool import SpooledSource
from pipeline.terminal import ProgressBar, output_line, report_lines
from pipeline.threads import available_cores, limit_thread_pools, plan_threads
from pipeline.tracking import RECORDED, TrackingOptions
from points import mot_lines
from records import Progress
from video.decode import VideoReader, open_camera, open_pictures, open_video

VIDEO_NAME, TEXT_NAME = "output.mp4", "result.txt"


def track_video(
    video_path: str | Path | None = None,
    *,
    camera_id: int | str | None = None,
    img_dir: str | Path | None = None,
    save_dir: str | Path | None = None,
    preset: str = DEFAULT_PRESET,
    tracker: str = RECORDED,
    embed: str = BEST_CROPS,
    detector: str = "auto",
    det_model_dir: str | Path = DETECTION_DIR,
    threshold: float | None = None,
    embedder: str = "auto",
    emb_model_dir: str | Path = EMBEDDING_DIR,
    max_cosine_distance: float | None = None,
    nn_budget: int | None = 100,
    max_iou_distance: float = 0.7,
    max_age: int = 70,
    n_init: int = 3,
    max_frames: int | None = None,
    frame_rate: float = 25.0,
    use_gpu: bool = False,
    cpu_threads: int = 0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    watch: Callable[[Seen], None] | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> run.TrackingResult:
    """Track everyone in a video, a camera's picture or a folder of pictures.

    Parameters
    ----------
    video_path, camera_id, img_dir : exactly one of them: a file; a camera's index or URL; a folder of
        pictures, taken in the order of their names at ``frame_rate``.
    save_dir : gets ``output.mp4`` and ``result.txt``; None writes nothing.
    preset : ``fast``, ``balanced`` or ``accurate``; see `pipeline.presets`.
    tracker : ``recorded``, ``online`` or ``deepsort``; see `pipeline.tracking`.
    embed : ``best_crops`` of each stretch of a track, or ``every_box``, for comparison.
    detector, embedder : names from `model.registry`; ``auto`` takes the best whose weights are present.
    det_model_dir, emb_model_dir : where the weights are.
    threshold : lowest score of a box; None takes what suits the detector and the tracker.
    max_cosine_distance, nn_budget, max_iou_distance, max_age, n_init : of ``deepsort`` alone; see
        `deep_sort.tracker.TrackerOptions`.
    max_frames : read no more than these; None reads all.
    cpu_threads : of the networks; 0: one for each core.
    on_progress : called at every frame; what it raises ends the work and leaves no output behind.
    watch : called with every analysed frame; must not change its picture.
    is_over : asked at every frame; True ends the video, or a camera's recording, there and finishes the outputs.

    Returns
    -------
    what was found; see `pipeline.run.TrackingResult`.

    Raises
    ------
    ResightError
        for a source or weights that cannot be used.
    ValueError
        for options out of their range.
    """
    with ExitStack() as cleanup:
        source, name = _source(video_path, camera_id, img_dir, frame_rate)
        folder = None if save_dir is None else Path(save_dir)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        if camera_id is not None:
            spool = None
            if folder is not None:
                spool_dir = cleanup.enter_context(tempfile.TemporaryDirectory(prefix=".recording-", dir=folder))
                spool = Path(spool_dir) / "camera.mp4"
            source = SpooledSource(source, spool)
        on_progress(Progress("load", 0.0, 0, None, None, None))
        plan = limit_thread_pools(plan_threads(available_cores(), requested=cpu_threads))
        chosen = preset_of(preset)
        models = build_models(
            ModelChoice(
                detector=detector,
                det_model_dir=Path(det_model_dir),
                threshold=threshold,
                embedder=embedder,
                emb_model_dir=Path(emb_model_dir),
                use_gpu=use_gpu,
                preset=preset,
            ),
            threads=plan.networks,
        )
        gate = models.embedder.max_cosine_distance if max_cosine_distance is None else max_cosine_distance
        deepsort = TrackerOptions(
            max_cosine_distance=gate,
            nn_budget=nn_budget,
            max_iou_distance=max_iou_distance,
            max_age=max_age,
            n_init=n_init,
        )
        weakest = {} if threshold is None else {"deepsort_score": threshold}
        request = run.TrackRequest(
            source=source,
            name=name,
            detector=models.detector,
            embedder=models.embedder,
            descriptor=models.descriptor,
            tracking=TrackingOptions(mode=tracker, deepsort=deepsort, **weakest),
            stride_at=chosen.stride,
            crops_per_track=chosen.crops_per_track,
            embed=embed,
            batch=GPU_BATCH if use_gpu else BatchLimits(),
            annotated=None if folder is None else folder / VIDEO_NAME,
            max_frames=max_frames,
            is_over=is_over,
            copies=run.CopyOptions(max_side=None),
            watch=watch,
        )
        result = run.track_video(request, on_progress=on_progress)
    if folder is not None:
        with (folder / TEXT_NAME).open("w", encoding="ascii") as file:
            file.writelines(mot_lines(result.points))
    return result


def _source(
    video_path: str | Path | None, camera_id: int | str | None, img_dir: str | Path | None, frame_rate: float
) -> tuple[run.VideoSource, str]:
    """Return what opens the frames, and what to call them in messages."""
    given = [value for value in (video_path, camera_id, img_dir) if value is not None]
    if len(given) != 1:
        raise ValueError(f"give exactly one of video_path, camera_id and img_dir, not {len(given)} of them")
    opened: Callable[[], AbstractContextManager[VideoReader]]
    if video_path is not None:
        opened = partial(open_video, Path(video_path), name=Path(video_path).name)
    elif img_dir is not None:
        opened = partial(open_pictures, Path(img_dir), frame_rate)
    else:
        camera = str(camera_id)
        opened = partial(open_camera, int(camera) if camera.isdecimal() else camera)
    return opened, str(given[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 2 for what the user can mend, 130 after Ctrl-C."""
    options = build_parser().parse_args(arguments)
    for sentence in sentences_about_flags_without_effect(options):
        _tell(f"Warning: {sentence}")
    try:
        return _run(options)
    except ResightError as error:
        _tell(str(error))
    except (ValueError, OSError) as error:
        _tell(f"This cannot be done: {error}.")
    except KeyboardInterrupt:
        _tell("Stopped; no output was written.")
        return 130
    return 2


def _run(options: argparse.Namespace) -> int:
    is_over = threading.Event()
    with ExitStack() as cleanup:
        watch = None
        if options.display:
            window = cleanup.enter_context(_open_window())
            watch = window.show
        if options.camera_id is not None:
            cleanup.enter_context(_first_interrupt_sets(is_over))
        bar = cleanup.enter_context(ProgressBar(sys.stderr))
        result = track_video(
            options.video_path,
            on_progress=bar.show,
            watch=watch,
            is_over=is_over.is_set,
            nn_budget=options.nn_budget or None,
            **{name: getattr(options, name) for name in _PASSED_ON},
        )
        seconds = bar.seconds
    for line in report_lines(result, seconds):
        print(line)  # noqa: T201
    folder = Path(options.save_dir)
    print(output_line(folder / VIDEO_NAME, folder / TEXT_NAME))  # noqa: T201
    return 0


_PASSED_ON = (
    "camera_id", "img_dir", "frame_rate", "max_frames", "save_dir", "detector", "det_model_dir", "threshold",
    "embedder", "emb_model_dir", "cpu_threads", "use_gpu", "max_cosine_distance", "max_iou_distance", "max_age",
    "n_init", "preset", "tracker", "embed",
)  # fmt: skip
"""Flags that go to `track_video` as they are."""


def _open_window() -> PreviewWindow:
    if not can_show_windows():
        raise ValueError("no window can be opened here, there is no display; leave --display out and watch output.mp4")
    return PreviewWindow("Tracks (Q closes the window)")


@contextmanager
def _first_interrupt_sets(event: threading.Event) -> Iterator[None]:
    """Let the first Ctrl-C end a recording; the second one stops the program as usual."""

    def end_recording(signum: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)
        _tell("The recording ends; the files are being finished. Ctrl-C again stops without them.")

    before = signal.signal(signal.SIGINT, end_recording)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
